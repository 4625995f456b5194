"""The WebRTC leg: we serve a client that speaks Opus and data messages over a peer connection.

Sources: reference webrtc 1, 2.6 and 4, ultravox 3.2. The leg is the call's; the connections come and go: a client whose
network drops joins its room anew, and the new link replaces the old one while the call goes on. Nothing is said, by
voice or by message, before the microphone is published and the data channel open. The call ends when its client closes
the join socket, or has been gone for too long; a join socket that merely breaks ends no call of a client that has been
in its room: the network may have dropped.
"""

import asyncio
from collections.abc import Callable

from bridge.errors import LocalWireError, RemoteWireError
from bridge.legs.base import Ended, FarBroke, LegEvent, MessageEvent, Port, Warned
from bridge.legs.recorder import Recorder
from bridge.legs.webrtc.departure import Departure
from bridge.legs.webrtc.entrance import Entrance
from bridge.legs.webrtc.figures import RtcFigures
from bridge.legs.webrtc.hearing import Hearing
from bridge.legs.webrtc.join_feed import JoinFeed
from bridge.legs.webrtc.link import Link, Parting
from bridge.legs.webrtc.links import Links
from bridge.legs.webrtc.messages import Messages
from bridge.legs.webrtc.speech import MakeVoice, Speech
from bridge.wire.agent_socket import Message, Rates
from bridge.wire.close_codes import GOING_AWAY, INTERNAL_ERROR, NORMAL, POLICY
from bridge.wire.messages import EnabledDataMessages, PlaybackClearBuffer, RoomInfo, encode
from bridge_codecs.pcm import Int16


class WebRtcLeg:
    """The human side of a call over WebRTC.

    Args:
        entrance: how the client came.
        rates: of the client's audio as it is decoded, and of the audio to it before it is encoded.
        enabled: which data messages the client wants.
        room_info: what the join socket is told; needed where there is one.
        make_voice: makes what the client hears, once, for the leg's lane.
        recorder: records both sides.
        on_over: called once, when nothing of the leg is left.
    """

    name = "webrtc"

    def __init__(  # noqa: PLR0913 - the parts of a call
        self,
        entrance: Entrance,
        *,
        rates: Rates,
        enabled: EnabledDataMessages,
        make_voice: MakeVoice,
        room_info: RoomInfo | None = None,
        recorder: Recorder | None = None,
        on_over: Callable[[], None] | None = None,
    ) -> None:
        self.source_hz = rates.input_hz
        self.sink_hz = rates.output_hz
        self._entrance = entrance
        self._room_info = room_info
        self._make_voice = make_voice
        self._recorder = recorder
        self._on_over = on_over
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        has_socket = entrance.socket is not None
        self._departure = Departure(has_socket=has_socket, end=self._end, tell=self._tell)
        self._messages = Messages(rates, enabled, self._tell, self._refuse)
        self._hearing = Hearing(rates.input_hz, recorder)
        self._links = Links()
        self._is_ready = False
        self._close_code = NORMAL
        self._parting: Parting = "over"
        self._port: Port | None = None
        self._speech: Speech | None = None

    async def run(self, port: Port) -> Ended:
        """Serve the client until it hangs up, is gone for good or breaks the protocol; on cancellation, close."""
        self._port = port
        self._speech = Speech(port.incoming, self._make_voice, self._recorder)
        self._departure.begin()
        self._let_in()
        try:
            return await self._ended
        finally:
            self._departure.stop()
            self._hearing.stop()
            await self._close()

    def attach(self, link: Link) -> None:
        """The client has a new connection: it takes the place of the one before."""
        if self._ended.done() or self._speech is None:
            self._links.stop(link, "over")
            return
        self._forsake()
        self._links.put(link)
        self._departure.there()
        link.start(self, self._speech.voice)

    @property
    def running(self) -> bool:
        """Whether links may be attached."""
        return self._speech is not None and not self._ended.done()

    @property
    def rejoins(self) -> int:
        """How often another link took the place of one."""
        return self._links.rejoins

    @property
    def away(self) -> bool:
        """Whether the client has no connection that can be relied on."""
        return self._departure.away

    @property
    def heard_s(self) -> float:
        """When anything last came from the client, loop time; 0 where it has no connection."""
        current = self._links.current
        return 0.0 if current is None else current.heard_s

    @property
    def figures(self) -> RtcFigures:
        """What is counted of the call so far."""
        figures, joined_s = self._links.figures, self._links.joined_s
        if self._speech is not None and joined_s is not None:
            figures.count_voice(self._speech.voice.figures, joined_s)
        if self._port is not None:
            lane = self._port.outgoing
            figures.caller_audio_lost_ms += 1000 * lane.stats.dropped / lane.rate_hz
        return figures

    def hang_up(self) -> None:
        """The client ends the call."""
        self._end(Ended("hangup"))

    def stop(self) -> None:
        """End the call because the server goes away."""
        self._close_code, self._parting = GOING_AWAY, "server stops"
        self._end(Ended("system_error", "the server was stopped"))

    # From the client's connection

    def hear(self, link: Link, samples: Int16) -> None:
        """See LinkUser."""
        if link is self._links.current and self._port is not None and not self._ended.done():
            self._hearing.hear(link, samples, self._port)

    def take(self, link: Link, payload: bytes | str) -> None:
        """See LinkUser."""
        if link is self._links.current:
            self._read(payload)

    def bad_message(self, link: Link, sentence: str) -> None:
        """See LinkUser."""
        if link is self._links.current and not self._ended.done():
            self._messages.bad(sentence)

    def ready(self, link: Link) -> None:
        """See LinkUser."""
        if link is self._links.current and not self._is_ready and self.running:
            self._is_ready = True
            self._departure.ready()
            self._hearing.begin(link)
            self._messages.open(link.send)
            assert self._speech is not None
            self._speech.go_on()

    def mute(self, link: Link, *, disabled: bool) -> None:
        """See LinkUser."""
        if link is self._links.current and self._speech is not None:
            self._speech.voice.muted = disabled

    def lost(self, link: Link, why: str, *, left: bool = False) -> None:
        """See LinkUser."""
        if link is not self._links.current or self._ended.done():
            return
        self._unready(link)
        if left:
            self._departure.left(why)
        else:
            self._departure.lost(why)

    def refuse(self, link: Link, exc: RemoteWireError) -> None:
        """See LinkUser."""
        if link is self._links.current:
            self._refuse(exc)

    def warn(self, link: Link, type_: str, sentence: str) -> None:
        """See LinkUser."""
        if link is self._links.current:
            self._tell(Warned(type_, sentence))

    # From the call

    def clear(self) -> None:
        """Silence at once: what was taken from the lane is dropped."""
        if self._speech is not None:
            self._speech.clear()
        self.send(PlaybackClearBuffer())

    def receive(self, event: LegEvent) -> None:
        """Pass the agent's data messages on; one that cannot be sent is left out, with a warning."""
        if isinstance(event, FarBroke):
            self._close_code = INTERNAL_ERROR
        elif isinstance(event, MessageEvent):
            try:
                self.send(event.message)
            except LocalWireError as exc:
                self._tell(Warned("message_not_sent", str(exc)))

    def send(self, message: Message) -> None:
        """Send a message as soon as the client is there, unless it does not want it.

        Raises: LocalWireError for one that the client could not take.
        """
        self._messages.send(message)

    async def drain(self) -> None:
        """Wait until the client has heard everything; one that is away hears nothing."""
        assert self._speech is not None
        await self._speech.heard_out()

    # Inside

    def _let_in(self) -> None:
        entrance = self._entrance
        if entrance.socket is not None and self._room_info is not None:
            entrance.socket.start(JoinFeed(self._read, self._tell, self._socket_closed))
            entrance.socket.send_text(encode(self._room_info))
        elif entrance.link is not None:
            self.attach(entrance.link)

    def _read(self, payload: bytes | str) -> None:
        """A data message, wherever it came from."""
        if not self._ended.done():
            self._messages.read(payload)

    def _socket_closed(self, code: int, reason: str, ours: bool) -> None:
        closed = self._messages.closed(code, reason, ours=ours)
        self._departure.socket_closed(closed, ours=ours)

    def _tell(self, event: LegEvent) -> None:
        if self._port is not None:
            self._port.emit(event)

    def _unready(self, link: Link) -> None:
        """The link is not to be relied on: what is said from now on waits for the next one."""
        assert self._speech is not None
        self._is_ready = False
        self._messages.shut(link.heard_s)
        self._speech.hold()

    def _forsake(self) -> None:
        """The connection that counted does so no more, if there was one."""
        if self._links.current is not None:
            self._unready(self._links.current)

    def _refuse(self, exc: RemoteWireError) -> None:
        self._close_code = exc.close_code or POLICY
        self._end(Ended("connection_error", f"the client broke the protocol: {exc}"))

    def _end(self, ended: Ended) -> None:
        if not self._ended.done():
            self._ended.set_result(ended)

    async def _close(self) -> None:
        """Send the client away and give everything back."""
        self._end(Ended("hangup"))  # cancelled: nothing is taken any more
        self._forsake()
        self._links.drop(self._parting)
        self._entrance.close(self._close_code)
        if self._speech is not None:
            self._speech.voice.close()
        if self._on_over is not None:
            self._on_over()
        await self._links.closed()
