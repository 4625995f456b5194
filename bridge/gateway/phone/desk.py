"""The desk: all phone calls of the gateway, from the first word of them to the line in the log."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bridge.calls.phone_log import MARKER
from bridge.clock import Clock
from bridge.gateway.phone.ai_side import AiSide
from bridge.gateway.phone.carriers.base import CallComes, Carrier, PhoneNumbers
from bridge.gateway.phone.fallback import Fallback
from bridge.gateway.phone.phone_call import CallParts, PhoneCall
from bridge.gateway.phone.record import History, PhoneCallRecord, PhoneEnd, log_line
from bridge.gateway.phone.routes import Route, Routes
from bridge.gateway.phone_lines import PhoneLines
from bridge.ids import Ids
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.media_socket import MediaSocket
from bridge.legs.phone_line import CarrierApiError
from bridge.log import Redacted, whereabouts
from bridge.phone_config import PhoneConfig
from bridge.wire.carriers.base import CarrierName, StartInfo
from bridge.wire.close_codes import POLICY

log = logging.getLogger(__name__)

AGAIN_S: Final = 15.0
"""How long a carrier that tries its media socket twice may take to the second; the caller hears nothing meanwhile."""
OVER_S: Final = 2.0
"""How long a media socket may outlast its phone call; a connection that has broken unseen does not end by itself."""
CLOSE_LIMIT_S: Final = 10.0
"""How long calls may take to be hung up when the service closes."""


@dataclass(frozen=True, slots=True)
class DeskParts:
    """What the desk works with."""

    config: PhoneConfig
    carriers: Mapping[CarrierName, Carrier]
    routes: Routes
    ai: AiSide
    fallback: Fallback
    divert: Callable[[str], str]
    """Where a target leads that an agent names for a transfer; raises BridgeError for one that may not be."""
    lines: PhoneLines
    clock: Clock
    ids: Ids


class PhoneDesk:
    """All phone calls."""

    def __init__(self, parts: DeskParts) -> None:
        self.config = parts.config
        self.history = History()
        self._totals = parts.lines.totals
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._live: dict[str, PhoneCall] = {}
        self._by_carrier: dict[tuple[str, str], PhoneCall] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._call_parts = CallParts(
            parts.config,
            parts.ai,
            parts.fallback,
            parts.divert,
            self._totals,
            self._late_route,
            self._ended,
            self._again,
        )
        parts.lines.serve(self.live, lambda: self.n_live)

    @property
    def n_live(self) -> int:
        """How many calls have been let in and have not come to their end, hang-up and record included."""
        return len(self._live)

    def live(self) -> Iterator[PhoneCall]:
        """The calls that have not ended."""
        return iter(tuple(self._live.values()))

    def carrier(self, name: str) -> Carrier | None:
        """A carrier by its name; None if it is not there."""
        return next((each for each in self._parts.carriers.values() if each.name == name), None)

    def call(self, call_id: str) -> PhoneCall | None:
        """A live call by our id."""
        return self._live.get(call_id)

    def find(self, carrier: CarrierName, carrier_call_id: str) -> PhoneCall | None:
        """A live call that was answered, by the carrier's id."""
        return self._by_carrier.get((carrier, carrier_call_id))

    # Calls come

    def may_take(self) -> str | None:
        """Why no further call is taken, in a sentence; None if one is."""
        if self._closing:
            return "The server is stopping."
        return self._parts.lines.may_take()

    def route(self, carrier: CarrierName, numbers: PhoneNumbers) -> Route | str:
        """Where a call goes; a sentence for the log if it goes nowhere."""
        found = self._parts.routes.find(carrier, numbers)
        if found is None:
            called = Redacted(numbers.called) if numbers.called else "an unknown number"
            return f"no route for {numbers.direction} calls to {called}"
        if found.is_full:
            return f"route {found.index} has as many calls as it takes"
        return found

    def expect(self, carrier: Carrier, comes: CallComes, route: Route) -> PhoneCall:
        """A call that was answered: its media socket is expected from now on, for a while."""
        record = self._record(carrier, comes.numbers)
        record.carrier_call_id, record.route = comes.call_id, route.index
        call = PhoneCall(self._call_parts, carrier, record, comes, route)
        self._add(call)
        self._by_carrier[carrier.name, comes.call_id] = call
        call.reach("answered")
        limit_s = self.config.token_s
        self._await_socket(call, limit_s, f"no media socket came within {limit_s:g} s")
        return call

    def unannounced(self, carrier: Carrier) -> PhoneCall:
        """A call that its media socket brings up; who it is will be known when the stream starts."""
        call = PhoneCall(self._call_parts, carrier, self._record(carrier, PhoneNumbers()))
        self._add(call)
        return call

    def connect(self, call: PhoneCall, socket: MediaSocket) -> None:
        """The media socket of a call is there."""
        if call.phase != "waiting":
            socket.close(POLICY, "the call is over")
            return
        self._forget_timer(call)
        call.phase = "starting"
        call.reach("socket")
        self.run(call.run(socket), f"{call.record.id} phone call")

    # Calls end

    def give_up(self, call: PhoneCall, end: PhoneEnd) -> None:
        """End a call: one that has no media socket yet is hung up at the carrier, one that has is told to stop."""
        if call.phase != "waiting":
            call.stop(end)
            return
        self._forget_timer(call)
        call.phase = "over"
        self.run(self._hang_up_unheard(call, end), f"{call.record.id} hang-up")

    def is_over(self, call: PhoneCall) -> None:
        """The carrier says that a call is over: its media socket, which tells more, has a moment to end first."""
        if call.record.id not in self._timers:
            end = PhoneEnd("hangup", "the carrier says that the phone call is over")
            timer = self._loop.call_later(OVER_S, self.give_up, call, end)
            self._timers[call.record.id] = timer

    async def close(self) -> None:
        """End all calls, hang them up, and take no more."""
        self._closing = True
        end = PhoneEnd("system_error", "the service stops")
        for call in self.live():
            self.give_up(call, end)
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_LIMIT_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run a task of the desk's until it ends."""
        task = self._loop.create_task(self._guarded(work, name), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Inside

    async def _guarded(self, work: Coroutine[Any, Any, None], name: str) -> None:
        try:
            await work
        except Exception as exc:  # noqa: BLE001 - nobody waits for it, and it leaves its trace
            log.error("! %s failed: %s", name, whereabouts(exc))  # noqa: TRY400 - no words of it

    async def _hang_up_unheard(self, call: PhoneCall, end: PhoneEnd) -> None:
        try:
            if call.line is not None:
                await call.line.hang_up()
        except CarrierApiError as exc:
            call.record.not_hung_up = str(exc)
            log.warning("! phone call %s was not hung up: %s", call.record.id, exc)
        finally:
            call.finish(end)

    def _record(self, carrier: Carrier, numbers: PhoneNumbers) -> PhoneCallRecord:
        parts = self._parts
        figures = CarrierFigures(
            lateness=self._totals.lateness, clear_latency=self._totals.clear_latency
        )
        return PhoneCallRecord(
            id=parts.ids.uuid(),
            carrier=carrier.name,
            created=parts.clock(),
            numbers=numbers,
            figures=figures,
        )

    def _add(self, call: PhoneCall) -> None:
        self._live[call.record.id] = call
        self.history.add(call.record)
        if call.route is not None:
            call.route.n_live += 1

    def _await_socket(self, call: PhoneCall, limit_s: float, otherwise: str) -> None:
        self._forget_timer(call)
        why = PhoneEnd("no_socket", otherwise)
        timer = self._loop.call_later(limit_s, self.give_up, call, why)
        self._timers[call.record.id] = timer

    def _again(self, call: PhoneCall) -> None:
        """The media socket of a call dropped before its stream began: the carrier may open another."""
        if call.record.id in self._timers:  # the carrier has said that the call is over
            return
        log.info("= phone call %s: its socket came to no stream; another may come", call.record.id)
        limit_s = min(AGAIN_S, self.config.token_s)
        why = f"its media socket began no stream, and no other came within {limit_s:g} s"
        self._await_socket(call, limit_s, why)

    def _late_route(self, call: PhoneCall, info: StartInfo) -> Route | str:
        """Where a call goes that its socket has brought up."""
        expected = self.find(call.record.carrier, info.call_id)
        if expected is not None and expected.phase == "waiting" and expected.route is not None:
            return self._merge(call, expected, expected.route)
        if call.by.only_expected:
            return "its call was not announced"
        found = self.route(call.record.carrier, call.record.numbers)
        if not isinstance(found, str):
            found.n_live += 1
            call.record.route = found.index
            call.record.unchecked |= call.by.unchecked
        return found

    def _merge(self, call: PhoneCall, expected: PhoneCall, route: Route) -> Route:
        """A call that was announced is the one whose stream has started: one record, one place on the route."""
        self._forget_timer(expected)
        expected.phase = "over"
        del self._live[expected.record.id]
        self.history.forget(expected.record)
        call.expected = expected.expected
        self._by_carrier[call.record.carrier, call.record.carrier_call_id] = call
        call.record.numbers, call.record.route = expected.record.numbers, route.index
        return route

    def _ended(self, call: PhoneCall) -> None:
        record = call.record
        if record.end is not None:
            return
        call.reach("ended")
        self._forget_timer(call)
        if call.route is not None:
            call.route.n_live -= 1
        record.end, record.ended = call.end, self._parts.clock()
        self._live.pop(record.id, None)
        expected = call.expected
        if expected is not None and self.find(record.carrier, expected.call_id) is call:
            del self._by_carrier[record.carrier, expected.call_id]
        self._totals.end(call, call.end.reason)
        self.history.ended(record)
        log.info("%s %s", MARKER, log_line(record))

    def _forget_timer(self, call: PhoneCall) -> None:
        timer = self._timers.pop(call.record.id, None)
        if timer is not None:
            timer.cancel()
