"""One phone call: from its media socket to the hang-up, whatever happens in between.

It owns the order of things: the carrier's stream starts and is the call we answered; the AI call is made and joined;
both are relayed until one ends; a caller whose AI is gone hears the fallback; the phone call is ended in the carrier's
way; the record is closed. Only the carrier's start opens an AI call (reliability T3), and nothing outlives the hard
maximum. A carrier that tries its media socket twice has two of them, until one begins a stream.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

from bridge.errors import BridgeError, RemoteWireError
from bridge.gateway.phone.agent import LOST, PhoneAgent
from bridge.gateway.phone.ai_call import PhoneFacts, ai_call
from bridge.gateway.phone.ai_side import AiFailed, AiSide
from bridge.gateway.phone.carriers.base import CallComes, Carrier
from bridge.gateway.phone.fallback import Fallback
from bridge.gateway.phone.record import (
    EndReason,
    PhoneCallRecord,
    PhoneEnd,
    Stage,
    State,
    without_private,
)
from bridge.gateway.phone.routes import Route
from bridge.gateway.phone_totals import PhoneTotals
from bridge.legs.base import Warned
from bridge.legs.carrier.complaints import CARRIER_WARNING
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.leg import CarrierLeg
from bridge.legs.media_socket import MediaSocket
from bridge.log import printable, whereabouts
from bridge.phone_config import PhoneConfig
from bridge.relay import Relay
from bridge.wire.carriers.base import StartInfo, Stopped
from bridge.wire.carriers.make import make_wire
from bridge.wire.close_codes import POLICY

log = logging.getLogger(__name__)

Phase = Literal["waiting", "starting", "setting up", "talking", "falling back", "over"]
MAX_SOCKETS: Final = 2
"""How many media sockets a call has at most whose carrier tries again (reference telephony 3 and 4)."""
FIRST_WORD_S: Final = 1.0
"""What the AI has for its first message at least, however long it took to be joined."""
_STOPPED: Final = PhoneEnd("system_error", "the service stops")
_LASTED: Final = PhoneEnd("timeout", "the call lasted as long as a call may")


@dataclass(frozen=True, slots=True)
class CallParts:
    """What all phone calls share."""

    config: PhoneConfig
    ai: AiSide
    fallback: Fallback
    divert: Callable[[str], str]
    """Where a target leads that an agent names for a transfer; raises BridgeError for one that may not be."""
    totals: PhoneTotals
    find_route: Callable[["PhoneCall", StartInfo], Route | str]
    """For a call that was brought up by its socket: its route, or a sentence why it is not taken."""
    on_end: Callable[["PhoneCall"], None]
    on_again: Callable[["PhoneCall"], None]
    """Its media socket came to nothing, and the carrier may open another."""


class PhoneCall:
    """One phone call.

    Args:
        parts: what all share.
        carrier: whose it is.
        record: what is kept of it.
        expected: the call that we answered; None: it was brought up by its socket.
        route: where it goes; None: that is found when it starts.
    """

    def __init__(
        self,
        parts: CallParts,
        carrier: Carrier,
        record: PhoneCallRecord,
        expected: CallComes | None = None,
        route: Route | None = None,
    ) -> None:
        self.record = record
        self.route = route
        self.expected = expected
        self.by = carrier
        self.phase: Phase = "waiting"
        self.line = None if expected is None else carrier.line_of(expected)
        """The phone call at the carrier's API, where there are credentials."""
        self.n_sockets = 0
        """How many media sockets have come."""
        self._parts = parts
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._last_stage_s = self._began_s
        self._limit: asyncio.Timeout | None = None
        self._stop: PhoneEnd | None = None
        self._end: PhoneEnd | None = None
        self._left: PhoneEnd | None = None
        """How the carrier has ended its stream."""

    @property
    def carrier(self) -> str:
        """Its carrier's name."""
        return self.record.carrier

    @property
    def state(self) -> State:
        """How far it has come."""
        return self.record.state

    @property
    def figures(self) -> CarrierFigures:
        """What is counted of it."""
        return self.record.figures

    def reach(self, stage: Stage) -> None:
        """A stage of the call is reached now."""
        now_s = self._loop.time()
        if not self.record.stages:
            self._began_s = now_s
        elif stage != "ended":
            self._parts.totals.stage(stage, now_s - self._last_stage_s)
        self._last_stage_s = now_s
        self.record.stages[stage] = now_s - self._began_s

    def stop(self, end: PhoneEnd = _STOPPED) -> None:
        """End the call as soon as may be; the first to say why is believed."""
        self._stop = self._stop or end
        if self._limit is not None:
            self._limit.reschedule(self._loop.time())

    async def run(self, socket: MediaSocket) -> None:
        """Serve the call on its media socket, to its end; raises nothing but cancellation."""
        leg = CarrierLeg(
            socket,
            make_wire(self.record.carrier, self.by.wire_options),
            line=self.line,
            dtmf=None if self.route is None else self.route.dtmf,
            figures=self.record.figures,
        )
        leg.on_stopped = self._carrier_gone
        leg.on_warned = self._warned
        self.n_sockets += 1
        again = False
        try:
            self._end = await self._within_limits(leg, socket)
            again = self._may_come_again(leg, self._end)
        except asyncio.CancelledError:
            self._end = _STOPPED
            raise
        finally:
            if again:
                self._wait_again(leg)
            else:
                self.phase = "over"
                await self._leave(leg)

    def _may_come_again(self, leg: CarrierLeg, end: PhoneEnd) -> bool:
        """Whether the carrier may open another media socket: this one dropped, and no stream had begun."""
        tries = self.expected is not None and self.by.tries_again and self.n_sockets < MAX_SOCKETS
        return tries and end.reason == "no_start" and not leg.broken and self._stop is None

    def _wait_again(self, leg: CarrierLeg) -> None:
        leg.on_stopped = None
        self._left = self._end = None
        self.record.stages.pop("socket", None)
        self.phase = "waiting"
        self._parts.on_again(self)

    async def _within_limits(self, leg: CarrierLeg, socket: MediaSocket) -> PhoneEnd:
        """The call, to its end or to the hard maximum."""
        try:
            async with asyncio.timeout(self._parts.config.max_duration_s) as self._limit:
                if self._stop is not None:
                    return self._stop
                return await self._serve(leg, socket)
        except TimeoutError:
            return self._stop or _LASTED
        except RemoteWireError as exc:
            return PhoneEnd("no_start", str(exc))
        except Exception as exc:  # noqa: BLE001 - the border of a call: a bug ends one call, and leaves its trace
            log.error("! phone call %s failed: %s", self.record.id, whereabouts(exc))  # noqa: TRY400 - no words of it
            return PhoneEnd("system_error", "the call failed inside")
        finally:
            self._limit = None

    async def _serve(self, leg: CarrierLeg, socket: MediaSocket) -> PhoneEnd:
        info = await leg.opened(self._parts.config.start_s)
        self.reach("start")
        route = self._route_of(info)
        if isinstance(route, str):
            log.warning("! %s: a stream is refused: %s", self.record.carrier, route)
            if self.expected is not None:
                socket.close(POLICY, "not the call that was answered")
            return PhoneEnd("refused", route)
        self.route = route
        leg.dtmf = route.dtmf
        leg.divert(partial(self._leads_to, route))
        return await self._converse(leg, route, info)

    def _leads_to(self, route: Route, target: str) -> str:
        """Where the caller is sent whom the agent sends away: a transfer is a call that our account pays."""
        try:
            return route.config.transfer_to or self._parts.divert(target)
        except BridgeError as exc:
            log.warning(
                "! phone call %s: its caller is not sent elsewhere: %s", self.record.id, exc
            )
            raise

    def _route_of(self, info: StartInfo) -> Route | str:
        """Where the call goes that has started; a sentence if it is not to be taken."""
        record, expected = self.record, self.expected
        if expected is None:
            record.carrier_call_id = info.call_id
            record.numbers = self.by.numbers_of(info)
            return self._parts.find_route(self, info)
        if info.call_id != expected.call_id:
            return "its start names another call than the one that was answered"
        if expected.account_id and info.account_id not in ("", expected.account_id):
            return "its start names another account than the call that was answered"
        assert self.route is not None
        return self.route

    async def _converse(self, leg: CarrierLeg, route: Route, info: StartInfo) -> PhoneEnd:
        """Caller and AI, until one of them leaves."""
        if self._left is not None:  # it has started and ended in one go
            return self._left
        record = self.record
        facts = PhoneFacts(record.carrier, record.carrier_call_id, record.numbers, info)
        self.phase = "setting up"
        speaks_by_s = self._loop.time() + self._parts.config.setup_s
        try:
            asked = ai_call(route.config, facts, leg.source_hz, ours=self._parts.ai.ours)
            ai = await self._parts.ai.open(asked, self._created)
        except AiFailed as exc:
            return await self._fall_back(leg, str(exc))
        self.reach("joined")
        self.phase = "talking"
        try:
            agent = PhoneAgent(ai.leg, max(FIRST_WORD_S, speaks_by_s - self._loop.time()))
            end = await Relay(leg, agent).run()
        finally:
            ai.leave()
            ai.count(leg.figures)
        detail = ai.clean(end.ended.detail)
        if end.by is agent and end.ended.reason in LOST:
            return await self._fall_back(leg, f"the AI call was lost: {detail}")
        return PhoneEnd(end.ended.reason, detail)

    def _created(self, call_id: str) -> None:
        self.record.ai_call_id = call_id
        self.reach("created")

    def _warned(self, warned: Warned) -> None:
        """Something is amiss at the carrier; what was ignored is told by its number at the end."""
        if warned.type == CARRIER_WARNING:
            text = printable(without_private(warned.text))
            log.warning("! phone call %s: %s: %s", self.record.id, self.record.carrier, text)

    async def _fall_back(self, leg: CarrierLeg, why: str) -> PhoneEnd:
        """Tell the caller, then send them elsewhere or hang up."""
        log.warning("! phone call %s: %s", self.record.id, why)
        self.phase = "falling back"
        config = self.route.config.fallback if self.route is not None else None
        self.record.fallback = await self._parts.fallback.run(
            leg, config or self._parts.config.fallback, lambda: self._left is not None
        )
        return PhoneEnd("ai_failed", why)

    def _carrier_gone(self, stopped: Stopped) -> None:
        """The carrier has ended the stream; once there is a relay, that sees to it."""
        reason: EndReason = "connection_error" if stopped.cause == "lost" else "hangup"
        self._left = PhoneEnd(reason, stopped.detail)
        if self.phase == "setting up":
            self.stop(self._left)

    async def _leave(self, leg: CarrierLeg) -> None:
        """End the phone call, and close the record."""
        try:
            await leg.hang_up()
        except BridgeError as exc:
            log.warning("! phone call %s was not hung up: %s", self.record.id, exc)
        finally:
            self._note_first_audio(leg.figures)
            self.record.not_hung_up = leg.not_hung_up
            end = self.end
            if leg.transferred and end.reason in ("hangup", "agent_hangup"):
                end = PhoneEnd("transferred")
            self.finish(end)

    def _note_first_audio(self, figures: CarrierFigures) -> None:
        stages, first_s = self.record.stages, figures.first_agent_audio_s
        if first_s is not None and "start" in stages:
            stages["first_audio"] = stages["start"] + first_s

    def finish(self, end: PhoneEnd) -> None:
        """The call is over; told once."""
        self._end = end
        self.phase = "over"
        self._parts.on_end(self)

    @property
    def end(self) -> PhoneEnd:
        """Why it is over, once it is."""
        return self._end or _STOPPED
