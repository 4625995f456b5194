"""One emulated phone call: what the carrier does for it from the first ring to the hang-up.

The application's document is carried out verb by verb; orders of its REST requests and the caller's hang-up come in
between. Whatever the application does, the call ends, at its time limit at the latest.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, TypeAlias

from bridge.testing.call_log import CallLog
from bridge.testing.caller import CallerPlan, PhoneCaller
from bridge.testing.line import Line, Player
from bridge.testing.shaped_socket import ShapedSocket
from bridge.testing.sounds import Sound, recording, ringing, spoken
from bridge.testing.stream import Dialect, EndedBy, MediaStream, StreamEnd
from bridge.testing.true_ear import TrueEar
from bridge.testing.verbs import (
    Dial,
    DocumentError,
    Leave,
    Pause,
    PickUp,
    PlayKeys,
    PlayRecording,
    Redirect,
    Reject,
    Say,
    Stream,
    Verb,
)
from bridge.testing.webhook import WebhookFailed

RING_S: Final = 2.0
RINGS_S: Final = 60.0
"""So long a call rings that nobody answers."""
MAX_VERBS: Final = 200
Direction: TypeAlias = Literal["inbound", "outbound"]
Status: TypeAlias = Literal[
    "queued", "ringing", "in-progress", "completed", "busy", "no-answer", "failed", "canceled"
]
OVER: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_UNREACHED: Final[Mapping[Status, str]] = {
    "busy": "the called phone was busy",
    "no-answer": "nobody picked up",
}


@dataclass(frozen=True, slots=True)
class CallEnd:
    """Who ended the call, and how, in words."""

    by: EndedBy
    how: str
    failed: bool = False
    """Whether the call never came to anything."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A media socket could not be opened: a sentence, and the carrier's code."""

    sentence: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A media socket is open."""

    socket: ShapedSocket
    dialect: Dialect
    stream_id: str


Order: TypeAlias = "CallEnd | Redirect | Sequence[Verb]"
"""What overtakes the document: the end, another document, or these verbs."""


class Exchange(Protocol):
    """What a call needs of its carrier."""

    def waits(self, call: "PhoneCall") -> bool:
        """Whether a call whose document is done stays up, or is hung up."""
        ...

    async def first(self, call: "PhoneCall") -> Sequence[Verb]:
        """The call comes in: what shall be done. Raises: WebhookFailed, DocumentError."""
        ...

    async def follow(self, call: "PhoneCall", redirect: Redirect) -> Sequence[Verb]:
        """Fetch another document. Raises: WebhookFailed, DocumentError."""
        ...

    async def open(self, call: "PhoneCall", stream: Stream) -> Opened | Refused:
        """Open a media socket."""
        ...

    async def fetch(self, url: str) -> bytes:
        """A recording. Raises: WebhookFailed."""
        ...

    async def told(self, call: "PhoneCall", status: Status) -> None:
        """The call's status has changed."""
        ...

    async def stream_told(
        self, call: "PhoneCall", stream: Stream, stream_id: str, end: StreamEnd | None
    ) -> None:
        """A stream has started (no end), failed or ended."""
        ...


@dataclass(slots=True, kw_only=True)
class CallFacts:
    """Who calls whom, and what the carrier knows about the call."""

    call_id: str
    direction: Direction
    from_number: str
    to_number: str
    more: dict[str, str] = field(default_factory=dict)
    """The carrier's own: URLs, further ids."""


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
        self._loop = loop
        self._begun_s = loop.time()
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
            verbs = deque(await self._exchange.first(self))
        except (WebhookFailed, DocumentError) as error:
            return self._failed(error)
        if self.is_over:
            return CallEnd("carrier", _UNREACHED.get(self.status, "the call was not put through"))
        return await self._carry_out_all(verbs)

    async def _carry_out_all(self, verbs: deque[Verb]) -> CallEnd:
        """The document's verbs one after another, and the orders that come in between."""
        for _ in range(MAX_VERBS):
            order = self._orders.popleft() if self._orders else None
            if not self._orders:
                self._ordered.clear()
            if isinstance(order, CallEnd):
                return order
            if order is not None:
                verbs.clear()
                verbs.extend([order] if isinstance(order, Redirect) else order)
            elif not verbs:
                if not self._exchange.waits(self):
                    return CallEnd("application", "its document came to its end")
                if not await self._wait_for_orders():
                    return CallEnd("carrier", f"nobody answered within {RINGS_S:g} s")
                continue
            end = await self._carry_out(verbs)
            if end is not None:
                return end
        return CallEnd("carrier", f"the document has more than {MAX_VERBS} verbs")

    async def _wait_for_orders(self) -> bool:
        """Wait for what the application orders; False if a call that rings is answered by nobody."""
        rings = self.status in ("queued", "ringing")
        try:
            async with asyncio.timeout(RINGS_S if rings else None):
                await self._ordered.wait()
        except TimeoutError:
            return False
        return True

    async def _carry_out(self, verbs: deque[Verb]) -> CallEnd | None:
        verb = verbs.popleft()
        match verb:
            case Reject(status):
                await self.become("busy" if status == "busy" else "no-answer")
                return CallEnd("application", f"it rejected the call ({status})")
            case Leave():
                return CallEnd("application", "its document hung up")
            case Redirect():
                return await self._follow(verb, verbs)
            case PickUp():
                await self.answered()
                return None
            case _:
                await self.answered()
                return await self._perform(verb)

    async def _follow(self, redirect: Redirect, verbs: deque[Verb]) -> CallEnd | None:
        try:
            following = await self._exchange.follow(self, redirect)
        except (WebhookFailed, DocumentError) as error:
            return self._failed(error)
        verbs.clear()
        verbs.extend(following)
        return None

    def _failed(self, error: Exception) -> CallEnd:
        code = getattr(error, "code", "")
        sentence = str(error)
        self.log.problem(
            sentence if sentence.endswith(".") else f"The answer URL failed: {sentence}."
        )
        how = f"the application's answer could not be used{code and f' ({code})'}"
        return CallEnd("carrier", how, failed=True)

    # Verbs

    async def _perform(self, verb: Verb) -> CallEnd | None:
        rate_hz = self.ear.rate_hz
        match verb:
            case Stream():
                return await self._stream(verb)
            case PlayRecording(url):
                await self._play_recording(url)
            case Say(text):
                self.log.note("said", text=text)
                samples = spoken(text, rate_hz)
                await self._busy_with(Sound(samples), samples.size / rate_hz)
            case Pause(seconds):
                await self._busy_with(None, seconds)
            case PlayKeys(digits):
                self.log.note("keys from the application", digits=digits)
                await self._busy_with(None, 0.5 * len(digits))
            case Dial(target):
                self.log.note("connected", to=target)
                self.connected_to = target
                await self._busy_with(Sound(ringing(RING_S, rate_hz)), None)
        return None

    async def _play_recording(self, url: str) -> None:
        self.log.note("played", url=url)
        try:
            content = await self._exchange.fetch(url)
        except WebhookFailed as error:
            self.log.problem(f"A recording to play cannot be had: {error}.")
            return
        samples = await self._loop.run_in_executor(None, recording, content, self.ear.rate_hz)
        if samples is None:
            self.log.problem("A recording to play is no audio.")
            return
        await self._busy_with(Sound(samples), samples.size / self.ear.rate_hz)

    async def _busy_with(self, player: Player | None, seconds: float | None) -> None:
        """Have this played until it is over or something else is ordered; None: until something is."""
        self.line.player = player
        try:
            async with asyncio.timeout(seconds):
                await self._ordered.wait()
        except TimeoutError:
            pass
        finally:
            self.line.player = None

    async def _stream(self, verb: Stream) -> CallEnd | None:
        opened = await self._exchange.open(self, verb)
        if isinstance(opened, Refused):
            self.log.problem(opened.sentence)
            refusal = StreamEnd("carrier", opened.sentence, error=opened.code)
            await self._exchange.stream_told(self, verb, "", refusal)
            return None
        self.log.note("stream opened")
        stream = self.stream = MediaStream(opened.dialect, opened.socket, self.ear, self.log)
        stream.start()
        self.line.player = stream
        self.on_change()
        await self._exchange.stream_told(self, verb, opened.stream_id, None)
        end = await self._streamed(stream)
        await self._exchange.stream_told(self, verb, opened.stream_id, end)
        if end.hang_up:
            return CallEnd(end.by, end.how)
        return None

    async def _streamed(self, stream: MediaStream) -> StreamEnd:
        """Wait for the end of a stream, from either side."""
        ordered = self._loop.create_task(self._ordered.wait(), name="orders of a phone call")
        either: set[asyncio.Future[Any]] = {stream.ended, ordered}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ordered.cancel()
            self.line.player = None
            end = stream.ended.result() if stream.ended.done() else self._end_by_order()
            await stream.close(end)
        return end

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
