"""The carrier leg: the human side of a phone call, over any carrier's media socket.

One driver for all of them: what differs stands in the wire and its traits. Everything is done inline where it comes in;
there is no task per call here and none per message (DESIGN section 6).

Closing the socket is not hanging up, and a relay that ends is not the end of the phone call (reference telephony 0.2):
`CarrierLeg.run` may be cancelled and run again with another agent, and `CarrierLeg.hang_up` ends the call.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from bridge.errors import LocalWireError, RemoteWireError
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port, Warned
from bridge.legs.carrier.codec import WHOLE_FRAMES, Encode, encoder
from bridge.legs.carrier.dtmf import DtmfHandling, Keypad
from bridge.legs.carrier.feed import CarrierFeed
from bridge.legs.carrier.figures import CarrierFigures, Interruption
from bridge.legs.carrier.hang_up import HangUp
from bridge.legs.carrier.intake import Intake
from bridge.legs.carrier.marks import Marks
from bridge.legs.carrier.phone_tools import PhoneTools
from bridge.legs.carrier.player import Player, send
from bridge.legs.media_socket import MediaSocket
from bridge.legs.phone_line import PhoneLine
from bridge.legs.recorder import Recorder
from bridge.wire.carriers.base import (
    AudioMissing,
    CarrierEvent,
    CarrierWarning,
    CarrierWire,
    DigitIn,
    Flow,
    Ignored,
    MarkFlushed,
    MarkReached,
    Message,
    Reply,
    Started,
    StartInfo,
    Stopped,
)
from bridge.wire.close_codes import POLICY
from bridge.wire.messages import (
    ClientMessage,
    ClientToolInvocation,
    ClientToolResult,
    ServerMessage,
    State,
    Transcript,
    UnknownMessage,
    UserTextMessage,
)
from bridge_codecs.errors import CodecError

log = logging.getLogger(__name__)

MEDIA_IDLE_S: Final = 60.0
"""A carrier that sends nothing for so long is gone, though it did not say so (reliability R17)."""
TOLD_WARNINGS: Final = 10
INTERRUPTIONS_KEPT: Final = 500


class CarrierLeg:
    """The human side of a phone call.

    Args:
        socket: the carrier's, not yet started.
        wire: the carrier's protocol, before its first message.
        line: the phone call at the carrier's API, if there are credentials.
        dtmf: what becomes of the caller's keys.
        recorder: records both sides; may be set later, before `run`.
        figures: counts.
        media_idle_s: the leg ends after this long without anything from the carrier.

    Attributes:
        info: who is on the line; it, `source_hz` and `sink_hz` are valid once `opened` has returned.
        on_stopped: called once, when the carrier's stream or socket is over.
    """

    name = "carrier"

    def __init__(  # noqa: PLR0913 - the parts of a phone call
        self,
        socket: MediaSocket,
        wire: CarrierWire,
        *,
        line: PhoneLine | None = None,
        dtmf: DtmfHandling | None = None,
        recorder: Recorder | None = None,
        figures: CarrierFigures | None = None,
        media_idle_s: float = MEDIA_IDLE_S,
    ) -> None:
        self.info = StartInfo(call_id="")
        self.source_hz = self.sink_hz = 8_000
        self.recorder = recorder
        self.on_stopped: Callable[[Stopped], None] | None = None
        self._wire = wire
        self._socket = socket
        self._figures = figures or CarrierFigures()
        self._media_idle_s = media_idle_s
        self._loop = asyncio.get_running_loop()
        self._feed = CarrierFeed(wire, self._take, self._refuse)
        self._keypad = Keypad(dtmf or DtmfHandling(), self._say, self._figures)
        self._tools = PhoneTools(wire, self._send, line, self._say)
        self._hang_up = HangUp(socket, wire, line, self._tools)
        self._marks = Marks(wire, self._send, self._figures)
        self._opening = asyncio.Event()
        self._opened_s = 0.0
        self._intake: Intake | None = None
        self._encode: Encode | None = None
        self._whole_frames = False
        self._port: Port | None = None
        self._player: Player | None = None
        self._flowing = True
        self._counted = (0, 0)
        self._idle: asyncio.TimerHandle | None = None
        self._ended: asyncio.Future[Ended] | None = None
        self._over: Ended | None = None

    @property
    def figures(self) -> CarrierFigures:
        """What was counted so far."""
        self._count()
        return self._figures

    async def opened(self, limit_s: float = 10.0) -> StartInfo:
        """Start the socket and wait until the carrier's stream begins; from then on the caller's words are kept.

        Raises: RemoteWireError if it does not begin in time, breaks the protocol, or is over before it begins.
        """
        self._socket.start(self._feed)
        try:
            async with asyncio.timeout(limit_s):
                await self._opening.wait()
        except TimeoutError:
            self._close(POLICY, "no start")
            raise RemoteWireError(f"the carrier began no stream within {limit_s:g} s") from None
        if self._intake is None:
            assert self._over is not None
            raise RemoteWireError(f"the carrier began no stream: {self._over.detail}")
        return self.info

    async def run(self, port: Port) -> Ended:
        """Serve the caller until the carrier ends the stream or breaks the protocol.

        On cancellation the socket stays open, and the caller on the line: run it again or `hang_up`.
        """
        if self._over is not None:
            return self._over
        ended: asyncio.Future[Ended] = self._loop.create_future()
        self._ended = ended
        self._begin(port)
        try:
            return await ended
        finally:
            self._finish(port)

    async def hang_up(self) -> None:
        """End the phone call, if it is still ours to end, and close the socket; takes some seconds at most.

        What the caller has not heard yet is lost. Whoever calls it again waits for the first.
        """
        self._feed.closing = True
        self._keypad.stop()
        await self._hang_up.run()
        if self._intake is not None:
            self._intake.stop()

    async def transfer(self, target: str) -> None:
        """Send the caller elsewhere, at once; from then on the phone call is not ours, and `hang_up` only closes.

        Raises: BridgeError with one sentence: the carrier cannot do it, or refused, or that is no target.
        """
        await self._tools.send_away(target)

    @property
    def transferred(self) -> bool:
        """Whether the caller is with somebody else."""
        return self._tools.transferred

    @property
    def dtmf(self) -> DtmfHandling:
        """What becomes of the caller's keys; may be set when it is known who calls."""
        return self._keypad.handling

    @dtmf.setter
    def dtmf(self, handling: DtmfHandling) -> None:
        self._keypad.handling = handling

    def stop(self) -> None:
        """End the call because the server goes away."""
        self._end(Ended("system_error", "the server was stopped"))

    # From the agent

    def clear(self) -> None:
        """The agent was cut off: silence at the carrier, now and whatever it has; then note what was heard."""
        now_s, player = self._loop.time(), self._player
        if player is None:
            return
        cut = player.clear(now_s)
        self._figures.clears += 1
        if self._figures.clear_latency is not None:
            self._figures.clear_latency.observe(self._loop.time() - now_s)
        if cut.unheard_ms and len(self._figures.interruptions) < INTERRUPTIONS_KEPT:
            note = Interruption(
                now_s - self._opened_s,
                cut.heard_text,
                cut.unheard_text,
                cut.unheard_ms,
                self._overrun_ms(cut.silent_s),
            )
            self._figures.interruptions.append(note)

    def receive(self, event: LegEvent) -> None:
        """A data message of the agent: its words are placed, the telephone's tools run; others are not for us."""
        if isinstance(event, MessageEvent):
            self._keypad.open()
            match event.message:
                case Transcript() as words if self._player is not None:
                    self._player.heard.take(words, self._loop.time())
                case State(state="speaking") if self._player is not None:
                    self._player.heard.expect()
                case ClientToolInvocation() as invocation if self._player is not None:
                    self._tools.take(invocation, self._player)
                case _:
                    pass

    def send(self, message: ClientMessage | ServerMessage | UnknownMessage) -> None:
        """Give the phone a message, where nobody but the phone could take it.

        Raises: LocalWireError for a client tool that a telephone does not have.
        """
        if isinstance(message, ClientToolInvocation):
            if self._player is None or not self._tools.take(message, self._player):
                raise LocalWireError(f"a phone call has no client that runs {message.tool_name}")
        else:
            self.receive(MessageEvent(message))

    async def drain(self) -> None:
        """Return when the caller has heard all that is in the lane, or could have, and 2 s more."""
        if self._player is not None:
            await self._player.drain()

    # From the carrier

    def _take(self, event: CarrierEvent, now_s: float) -> None:
        """An event of the carrier's other than audio."""
        match event:
            case MarkReached() | MarkFlushed() | Flow():
                self._take_playback(event, now_s)
            case AudioMissing(ms):
                if self._intake is not None:
                    self._intake.missing(ms, now_s)
            case DigitIn(digit):
                self._keypad.press(digit)
            case Reply(message):
                self._send(message)
            case Ignored() | CarrierWarning():
                self._take_complaint(event)
            case Started():
                self._start(event, now_s)
            case Stopped():
                self._gone(event)

    def _take_playback(self, event: MarkReached | MarkFlushed | Flow, now_s: float) -> None:
        match event:
            case MarkReached(name):
                self._marks.reached(name, now_s)
            case MarkFlushed(name):
                self._marks.flushed(name)
            case Flow(is_open):
                self._flowing = is_open
                if self._player is not None:
                    self._player.flow(is_open=is_open)

    def _take_complaint(self, event: Ignored | CarrierWarning) -> None:
        """Of what we cannot use, or the carrier could not: counted all, told the first of a kind."""
        figures = self._figures
        match event:
            case Ignored(reason, detail):
                figures.ignored[reason] += 1
                if figures.ignored[reason] == 1:
                    self._warn(f"ignored: {reason}", detail)
            case CarrierWarning(text):
                figures.warnings += 1
                if figures.warnings <= TOLD_WARNINGS:
                    self._warn("carrier_warning", text)

    def _start(self, started: Started, now_s: float) -> None:
        played = started.played
        try:
            self._encode = encoder(played, self._wire.traits.frame_ms)
            intake = Intake(started.heard, self._figures)
        except CodecError as exc:
            self._refuse(RemoteWireError(str(exc)))
            return
        self.info = started.info
        self.source_hz, self.sink_hz = started.heard.rate_hz, played.rate_hz
        self._whole_frames = self._wire.traits.whole_frames or played.encoding in WHOLE_FRAMES
        self._opened_s = now_s
        self._intake = intake
        self._feed.hear = intake.hear
        self._opening.set()

    def _gone(self, stopped: Stopped) -> None:
        lost = stopped.cause == "lost"
        self._hang_up.ended_by_carrier = not (lost or self._feed.closing)
        self._hang_up.gone.set()
        self._end(Ended("connection_error" if lost else "hangup", stopped.detail))
        if self.on_stopped is not None:
            self.on_stopped(stopped)

    def _refuse(self, exc: RemoteWireError) -> None:
        self._close(exc.close_code, "protocol error")
        self._end(Ended("connection_error", f"the carrier broke the protocol: {exc}"))

    def _break(self, exc: Exception) -> None:
        log.error("! audio for a carrier could not be sent: %s", exc)
        self._end(Ended("system_error", f"audio could not be sent: {exc}"))

    # One relay

    def _begin(self, port: Port) -> None:
        assert self._intake is not None, "a carrier leg is run after it was opened"
        assert self._encode is not None
        before = self._player
        player = Player(
            self._wire,
            self._socket,
            self._encode,
            port.incoming,
            self._marks,
            self._figures,
            whole_frames=self._whole_frames,
            on_broken=self._break,
            recorder=self.recorder,
        )
        if before is not None and before.ledger.playing_until_s is not None:
            player.ledger.busy_until(before.ledger.playing_until_s)
        player.flow(is_open=self._flowing)
        self._port, self._player, self._counted = port, player, (0, 0)
        port.incoming.on_ready = player.ready
        self._intake.recorder = self.recorder
        self._intake.open(port.outgoing)
        self._watch_idle()

    def _finish(self, port: Port) -> None:
        assert self._intake is not None
        assert self._player is not None
        now_s = self._loop.time()
        self._player.stop()
        self._intake.shut()
        self._keypad.shut()
        if self._idle is not None:
            self._idle.cancel()
        if self._hang_up.gone.is_set():
            self._player.forget_unplayed(now_s)
            port.incoming.ledger.lose(now_s)
        self._count()
        self._port = None

    def _count(self) -> None:
        """Take over what lanes and player count by themselves."""
        if self._port is None or self._player is None:
            return
        uplink, overruns = self._port.outgoing, self._port.incoming.stats.overflows
        dropped = uplink.stats.dropped
        seen_dropped, seen_overruns = self._counted
        self._figures.caller_audio_lost_ms += 1000 * (dropped - seen_dropped) / uplink.rate_hz
        self._figures.overruns += overruns - seen_overruns
        self._counted = dropped, overruns
        if self._figures.first_agent_audio_s is None and self._player.first_sent_s is not None:
            self._figures.first_agent_audio_s = self._player.first_sent_s - self._opened_s

    def _overrun_ms(self, silent_s: float) -> float | None:
        """From the caller's onset to silence at the carrier."""
        assert self._intake is not None
        ago_s = self._intake.recent.onset_ago_s()
        return None if ago_s is None else max(0.0, 1000 * (silent_s - self._feed.heard_s + ago_s))

    def _watch_idle(self) -> None:
        left_s = self._feed.heard_s + self._media_idle_s - self._loop.time()
        if left_s <= 0:
            why = f"the carrier sent nothing for {self._media_idle_s:g} s"
            self._end(Ended("connection_error", why))
        else:
            self._idle = self._loop.call_later(left_s, self._watch_idle)

    def _end(self, ended: Ended) -> None:
        if self._over is None:
            self._over = ended
            self._opening.set()
            if self._player is not None:
                self._player.stop()
            if self._ended is not None and not self._ended.done():
                self._ended.set_result(ended)

    # Out

    def _send(self, message: Message) -> None:
        send(self._socket, message)

    def _say(self, message: UserTextMessage | ClientToolResult) -> None:
        if self._port is not None:
            self._port.emit(MessageEvent(message))

    def _warn(self, kind: str, text: str) -> None:
        if self._port is not None:
            self._port.emit(Warned(kind, text))

    def _close(self, code: int, reason: str) -> None:
        self._feed.closing = True
        self._socket.close(code, reason)
