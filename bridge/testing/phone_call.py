"""One emulated phone call: what the carrier does for it from the first ring to the hang-up.

The application's document is carried out verb by verb; orders of its REST requests and the caller's hang-up come in
between. Whatever the application does, the call ends, at its time limit at the latest.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

from bridge.testing.call_log import CallLog
from bridge.testing.call_parts import OVER, CallEnd, CallFacts, Exchange, Order, Status
from bridge.testing.caller import CallerPlan, PhoneCaller
from bridge.testing.commands import StreamEnd
from bridge.testing.line import Line
from bridge.testing.performance import Performance
from bridge.testing.stream import MediaStream
from bridge.testing.true_ear import TrueEar
from bridge.testing.verbs import DocumentError, Leave, PickUp, Redirect, Reject, Verb
from bridge.testing.webhook import WebhookFailed

RINGS_S: Final = 60.0
"""So long a call rings that nobody answers."""
MAX_VERBS: Final = 200
_UNREACHED: Final[Mapping[Status, str]] = {
    "busy": "the called phone was busy",
    "no-answer": "nobody picked up",
}


class PhoneCall:
    """One call. `run` lives as long as it does.

    Args:
        exchange: the carrier.
        facts: who calls whom.
        plan: what the human at the phone does.
        line_hz: rate of the line, Hz.
        max_s: the call's longest duration.
    """

    def __init__(
        self,
        exchange: Exchange,
        facts: CallFacts,
        plan: CallerPlan,
        *,
        line_hz: int = 8_000,
        max_s: float = 3_600.0,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.facts = facts
        self.status: Status = "queued"
        self.log = CallLog(loop.time)
        self.ear = TrueEar(line_hz)
        self.caller = PhoneCaller(plan, line_hz)
        self.line = Line(self.caller, self.ear)
        self.end: CallEnd | None = None
        self.stream: MediaStream | None = None
        self.stream_end: StreamEnd | None = None
        self.refused = False
        """Whether a media socket could not be opened."""
        self.connected_to = ""
        """Whom the call was transferred to."""
        self.over = asyncio.Event()
        """Set when everything about the call is done."""
        self.on_change: Callable[[], None] = lambda: None
        self._exchange = exchange
        self._max_s = max_s
        self._orders: deque[Order] = deque()
        self._ordered = asyncio.Event()
        self._ending = asyncio.Event()
        self._verbs: deque[Verb] = deque()
        self._performance = Performance(self, exchange, self._ordered, self._end_by_order)
        self.line.on_hang_up = lambda: self.order(CallEnd("caller", "the caller hung up"))

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self.status in OVER

    @property
    def is_ending(self) -> bool:
        """Whether the end has been ordered."""
        return any(isinstance(order, CallEnd) for order in self._orders)

    @property
    def duration_s(self) -> float:
        """Since it was answered, s."""
        return self.line.at_s

    def order(self, order: Order) -> None:
        """Do this instead of what is being done. An end overtakes everything."""
        if isinstance(order, CallEnd):
            self._orders.clear()
            self._ending.set()
        if not any(isinstance(each, CallEnd) for each in self._orders):
            self._orders.append(order)
            self._ordered.set()

    async def run(self) -> None:
        """Carry the call through, to its end."""
        try:
            async with asyncio.timeout(self._max_s):
                end = await self._live()
        except TimeoutError:
            end = CallEnd("carrier", f"the call's time limit of {self._max_s:g} s")
        self.end = end
        self.line.stop()
        self.log.note("hung up", by=end.by, how=end.how)
        try:
            if not self.is_over:
                await self.become("completed" if self.ear.position else _unanswered(end))
        finally:
            self.over.set()

    async def become(self, status: Status) -> None:
        """The call's status changes, and the application is told."""
        self.status = status
        self.log.note("status", status=status)
        self.on_change()
        await self._exchange.told(self, status)

    async def answered(self) -> None:
        """The call is picked up, if it was not yet: the media clock begins."""
        if self.status in ("queued", "ringing"):
            self.line.start()
            await self.become("in-progress")

    async def rings(self, seconds: float) -> bool:
        """Ring at the called phone for so long; False at once when the end is ordered."""
        try:
            async with asyncio.timeout(seconds):
                await self._ending.wait()
        except TimeoutError:
            return True
        return False

    # The document

    async def _live(self) -> CallEnd:
        try:
            self._verbs.extend(await self._exchange.first(self))
        except (WebhookFailed, DocumentError) as error:
            return self._failed(error)
        if self.is_over:
            return CallEnd("carrier", _UNREACHED.get(self.status, "the call was not put through"))
        for _ in range(MAX_VERBS):
            end = await self._step()
            if end is not None:
                return end
        return CallEnd("carrier", f"the document has more than {MAX_VERBS} verbs")

    async def _step(self) -> CallEnd | None:
        """Do what comes next; the end of the call, if that is it."""
        order = self._orders.popleft() if self._orders else None
        if not self._orders:
            self._ordered.clear()
        if isinstance(order, CallEnd):
            return order
        if order is not None:
            self._verbs = deque([order] if isinstance(order, Redirect) else order)
        elif self._verbs:
            return await self._carry_out(self._verbs.popleft())
        elif not self._exchange.waits(self):
            return self._finished()
        elif not await self._wait_for_orders():
            return CallEnd("carrier", f"nobody answered within {RINGS_S:g} s")
        return None

    def _finished(self) -> CallEnd:
        """The document has come to its end."""
        end, ended = self.stream_end, "its document came to its end"
        if end is None:
            how = "its media socket could not be opened" if self.refused else ended
            return CallEnd("application", how)
        if end.by == "network":
            return CallEnd("network", end.how)
        return CallEnd("application", f"{end.how}, and {ended}")

    async def _wait_for_orders(self) -> bool:
        """Wait for what the application orders; False if a call that rings is answered by nobody."""
        rings = self.status in ("queued", "ringing")
        try:
            async with asyncio.timeout(RINGS_S if rings else None):
                await self._ordered.wait()
        except TimeoutError:
            return False
        return True

    async def _carry_out(self, verb: Verb) -> CallEnd | None:
        match verb:
            case Reject(status):
                await self.become("busy" if status == "busy" else "no-answer")
                return CallEnd("application", f"it rejected the call ({status})")
            case Leave():
                return CallEnd("application", "its document hung up")
            case Redirect():
                return await self._follow(verb)
        await self.answered()
        return None if isinstance(verb, PickUp) else await self._performance.perform(verb)

    async def _follow(self, redirect: Redirect) -> CallEnd | None:
        try:
            self._verbs = deque(await self._exchange.follow(self, redirect))
        except (WebhookFailed, DocumentError) as error:
            return self._failed(error)
        return None

    def _failed(self, error: Exception) -> CallEnd:
        code = getattr(error, "code", "")
        sentence = str(error)
        self.log.problem(
            sentence if sentence.endswith(".") else f"The answer URL failed: {sentence}."
        )
        how = f"the application's answer could not be used{code and f' ({code})'}"
        return CallEnd("carrier", how, failed=True)

    def _end_by_order(self) -> StreamEnd:
        order = self._orders[0] if self._orders else None
        if isinstance(order, CallEnd):
            return StreamEnd(order.by, order.how, hang_up=True)
        if order is None:
            return StreamEnd("carrier", "the call reached its limit", hang_up=True)
        return StreamEnd("application", "it sent the call elsewhere")


def _unanswered(end: CallEnd) -> Status:
    """What became of a call that was never answered."""
    if end.failed:
        return "failed"
    return "canceled" if end.by == "application" else "no-answer"
