"""The carrier leg: the human side of a phone call, over any carrier's media socket.

One driver for all of them: what differs stands in the wire and its traits. Everything is done inline where it comes in;
there is no task per call here and none per message (DESIGN section 6).

Closing the socket is not hanging up, and a relay that ends is not the end of the phone call (reference telephony 0.2):
`CarrierLeg.run` may be cancelled and run again with another agent, and `CarrierLeg.hang_up` ends the call.
"""

import asyncio
import logging
from collections.abc import Callable

from bridge.errors import LocalWireError, RemoteWireError
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port, Warned
from bridge.legs.carrier.complaints import Complaints
from bridge.legs.carrier.dtmf import DtmfHandling, Keypad
from bridge.legs.carrier.feed import CarrierFeed
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.carrier.hang_up import STOP_LIMIT_S, HangUp
from bridge.legs.carrier.idle import MEDIA_IDLE_S, IdleWatch
from bridge.legs.carrier.marks import Marks
from bridge.legs.carrier.phone_tools import PhoneTools
from bridge.legs.carrier.player import Player
from bridge.legs.carrier.serving import Serving
from bridge.legs.carrier.stream import CarrierStream, open_stream
from bridge.legs.media_socket import MediaSocket, send_message
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
    CallEvent,
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
        on_warned: called with what is amiss, before and while an agent is there.
        broken: whether the carrier broke its protocol.
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
        self.on_warned: Callable[[Warned], None] | None = None
        self.broken = False
        self._wire = wire
        self._socket = socket
        self._figures = figures or CarrierFigures()
        self._media_idle_s = media_idle_s
        self._loop = asyncio.get_running_loop()
        self._feed = CarrierFeed(wire, self._take, self._refuse)
        self._keypad = Keypad(dtmf or DtmfHandling(), self._say, self._figures)
        self._tools = PhoneTools(wire, self._send, line, self._say)
        self._tools.on_away = self._sent_away
        self._hang_up = HangUp(socket, wire, line, self._tools)
        self._marks = Marks(wire, self._send, self._figures)
        self._complaints = Complaints(self._figures, self._warn)
        self._idle = IdleWatch(lambda: self._feed.heard_s, media_idle_s, self._silent)
        self._opening = asyncio.Event()
        self._stream: CarrierStream | None = None
        self._serving: Serving | None = None
        self._flowing = True
        self._over: Ended | None = None

    @property
    def figures(self) -> CarrierFigures:
        """What was counted so far."""
        if self._serving is not None:
            self._serving.count()
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
        if self._stream is None:
            assert self._over is not None
            raise RemoteWireError(f"the carrier began no stream: {self._over.detail}")
        return self.info

    async def run(self, port: Port) -> Ended:
        """Serve the caller until the carrier ends the stream or breaks the protocol.

        On cancellation the socket stays open, and the caller on the line: run it again or `hang_up`.
        """
        if self._over is not None:
            return self._over
        serving = self._serving = self._new_serving(port)
        serving.begin(self.recorder)
        self._idle.start()
        try:
            return await serving.ended
        finally:
            serving.finish(carrier_gone=self._hang_up.gone.is_set())
            self._keypad.shut()
            self._idle.stop()

    async def hang_up(self) -> None:
        """End the phone call, if it is still ours to end, and close the socket; takes some seconds at most.

        What the caller has not heard yet is lost. Whoever calls it again waits for the first.
        """
        self._feed.closing = True
        self._keypad.stop()
        await self._hang_up.run()
        if self._stream is not None:
            self._stream.intake.stop()

    async def transfer(self, target: str) -> None:
        """Send the caller elsewhere, at once; from then on the phone call is not ours, and `hang_up` only closes.

        Raises: BridgeError with one sentence: the carrier cannot do it, or refused, or that is no target.
        """
        await self._tools.send_away(target)

    def divert(self, leads_to: Callable[[str], str]) -> None:
        """Let this say where a target leads that the agent names for a transfer; it raises BridgeError to refuse."""
        self._tools.divert = leads_to

    @property
    def transferred(self) -> bool:
        """Whether the caller is with somebody else."""
        return self._tools.transferred

    @property
    def not_hung_up(self) -> str:
        """Why the carrier's API did not end the phone call, in a sentence; empty if it did, or was not asked."""
        return self._hang_up.failure

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
        """Silence at the carrier, now and whatever it has; what was heard is noted."""
        if self._serving is not None:
            self._serving.clear(self._feed.heard_s, self._keypad.pressed_s)

    def receive(self, event: LegEvent) -> None:
        """A data message of the agent: its words are placed, the telephone's tools run; others are not for us."""
        if not isinstance(event, MessageEvent) or self._serving is None:
            return
        self._keypad.open()
        player = self._serving.player
        match event.message:
            case Transcript() as words:
                player.heard.take(words, self._loop.time())
            case State(state="speaking"):
                player.heard.expect()
            case ClientToolInvocation() as invocation:
                self._tools.take(invocation, player)
            case CallEvent(event_type="agent_interrupted", extras=said):
                self._serving.explain(said)
            case _:
                pass

    def send(self, message: ClientMessage | ServerMessage | UnknownMessage) -> None:
        """Give the phone a message, where nobody but the phone could take it.

        Raises: LocalWireError for a client tool that a telephone does not have.
        """
        if not isinstance(message, ClientToolInvocation):
            self.receive(MessageEvent(message))
        elif self._serving is None or not self._tools.take(message, self._serving.player):
            raise LocalWireError(f"a phone call has no client that runs {message.tool_name}")

    async def drain(self) -> None:
        """Return when the caller has heard all that is in the lane, or could have, and 2 s more."""
        if self._serving is not None:
            await self._serving.player.drain()

    # From the carrier

    def _take(self, event: CarrierEvent, now_s: float) -> None:
        """An event of the carrier's other than audio."""
        match event:
            case MarkReached() | MarkFlushed() | Flow():
                self._take_playback(event, now_s)
            case AudioMissing(ms):
                if self._stream is not None:
                    self._stream.intake.missing(ms, now_s)
            case DigitIn(digit):
                self._keypad.press(digit)
            case Reply(message):
                self._send(message)
            case Ignored() | CarrierWarning():
                self._complaints.take(event)
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
                if self._serving is not None and self._serving.live:
                    self._serving.player.flow(is_open=is_open)

    def _start(self, started: Started, now_s: float) -> None:
        try:
            self._stream = open_stream(started, self._wire.traits, self._figures, now_s)
        except CodecError as exc:
            self._refuse(RemoteWireError(str(exc)))
            return
        self.info = started.info
        self.source_hz, self.sink_hz = started.heard.rate_hz, started.played.rate_hz
        self._feed.hear = self._stream.intake.hear
        self._opening.set()

    def _gone(self, stopped: Stopped) -> None:
        lost = stopped.cause == "lost"
        self._hang_up.ended_by_carrier = not (lost or self._feed.closing)
        self._hang_up.gone.set()
        self._end(Ended("connection_error" if lost else "hangup", stopped.detail))
        if self.on_stopped is not None:
            self.on_stopped(stopped)

    def _refuse(self, exc: RemoteWireError) -> None:
        self.broken = True
        self._close(exc.close_code, "protocol error")
        self._end(Ended("connection_error", f"the carrier broke the protocol: {exc}"))

    def _break(self, exc: Exception) -> None:
        log.error("! audio for a carrier could not be sent: %s", exc)
        self._end(Ended("system_error", f"audio could not be sent: {exc}"))

    def _new_serving(self, port: Port) -> Serving:
        stream, before = self._stream, self._serving
        assert stream is not None, "a carrier leg is run after it was opened"
        player = Player(
            self._wire,
            self._socket,
            stream.encode,
            port.incoming,
            self._marks,
            self._figures,
            whole_frames=stream.whole_frames,
            on_broken=self._break,
            recorder=self.recorder,
        )
        busy_until_s = None if before is None else before.player.ledger.playing_until_s
        if busy_until_s is not None:
            player.ledger.busy_until(busy_until_s)
        player.flow(is_open=self._flowing)
        return Serving(stream, port, player, self._figures)

    def _sent_away(self) -> None:
        """The caller is with somebody else by now, or will be when the socket is closed: the agent hears no more."""
        wait_s = 0.0 if self._tools.closes else STOP_LIMIT_S
        self._loop.call_later(wait_s, self._end, Ended("hangup", "the caller was sent elsewhere"))

    def _silent(self) -> None:
        why = f"the carrier sent nothing for {self._media_idle_s:g} s"
        self._end(Ended("connection_error", why))

    def _end(self, ended: Ended) -> None:
        if self._over is None:
            self._over = ended
            self._opening.set()
            if self._serving is not None:
                self._serving.end(ended)

    # Out

    def _send(self, message: Message) -> None:
        send_message(self._socket, message)

    def _say(self, message: UserTextMessage | ClientToolResult) -> None:
        self._tell(MessageEvent(message))

    def _tell(self, event: LegEvent) -> None:
        if self._serving is not None:
            self._serving.emit(event)

    def _warn(self, warned: Warned) -> None:
        if self.on_warned is not None:
            self.on_warned(warned)
        self._tell(warned)

    def _close(self, code: int, reason: str) -> None:
        self._feed.closing = True
        self._socket.close(code, reason)
