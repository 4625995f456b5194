"""The agent-socket leg: we are the client of a remote (or local) AI call over ``serverWebSocket``.

Source: the API's WebSocket medium (s16le mono binary frames, one data message per text frame, both ways).
Uplink frames go out as they come in, so that this leg adds no tempo of its own. Reading never pauses:
``playback_clear_buffer`` comes behind the audio on the same socket. A server that never says anything is given up.
"""

import asyncio
from collections.abc import Callable

from bridge.audio.lane import Lane
from bridge.errors import LocalWireError, RemoteWireError
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port, Warned
from bridge.legs.first_word import FirstWord
from bridge.legs.media_socket import MediaSocket
from bridge.legs.wire_feed import WireFeed
from bridge.wire.agent_socket import (
    AgentSocket,
    AnswerAgain,
    AudioReceived,
    ClearBuffer,
    Closed,
    Ignored,
    Message,
    MessageReceived,
    Rates,
    SocketEvent,
)
from bridge.wire.close_codes import GOING_AWAY, POLICY
from bridge.wire.messages import PlaybackClearBuffer, State
from bridge_codecs.pcm import Int16

FRAME_MS = 20


class AgentSocketLeg:
    """The AI side of a call that somebody else serves.

    Args:
        socket: connected to the call's join URL, not yet started.
        rates: the call's ``inputSampleRate`` (what the agent hears) and ``outputSampleRate``.
        may_go_away: whether an agent whose server goes away (1001) has ended the call, or is lost.
        silent_s: how long the server has said nothing already.
    """

    name = "agent socket"

    def __init__(
        self,
        socket: MediaSocket,
        rates: Rates,
        *,
        may_go_away: bool = True,
        silent_s: float = 0.0,
    ) -> None:
        self.source_hz = rates.output_hz
        self.sink_hz = rates.input_hz
        self._socket = socket
        self._may_go_away = may_go_away
        self._silent_s = silent_s
        self._wire = AgentSocket("client", rates)
        self._frame = rates.input_hz * FRAME_MS // 1000
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        self._first_word = FirstWord(self._has_spoken, self._say, self._end)
        self._port: Port | None = None

    async def run(self, port: Port) -> Ended:
        """Relay until the agent's side closes; on cancellation, close orderly."""
        self._port = port
        port.incoming.on_ready = self._send_audio
        port.incoming.on_frame = self._straight(port.incoming)
        self._socket.start(WireFeed(self._wire, self._take, self._refuse, hear=port.outgoing.push))
        self._first_word.begin(self._silent_s)
        try:
            return await self._ended
        finally:
            self._first_word.stop()
            port.incoming.on_ready = port.incoming.on_frame = None
            self._socket.close(1000)

    # From the agent

    def _take(self, event: SocketEvent) -> None:
        assert self._port is not None
        match event:
            case AudioReceived(samples=samples):
                self._port.outgoing.push(samples)
            case ClearBuffer():
                self._port.clear_far()
                self._port.emit(MessageEvent(PlaybackClearBuffer()))
            case MessageReceived(message=message):
                if isinstance(message, State) and message.state != "speaking":
                    self._port.outgoing.end_segment()
                self._port.emit(MessageEvent(message))
            case AnswerAgain(answer=answer):
                self._socket.send_text(self._wire.text(answer))
            case Ignored(reason=reason, detail=detail):
                self._port.emit(Warned(f"ignored: {reason}", detail))
            case Closed(code=code, orderly=orderly, detail=detail):
                self._port.outgoing.end_segment()
                orderly = orderly and (self._may_go_away or code != GOING_AWAY)
                self._end(Ended("agent_hangup" if orderly else "connection_error", detail))

    def _has_spoken(self) -> bool:
        return self._wire.counts.frames + self._wire.counts.messages > 0

    # To the agent

    def clear(self) -> None:
        """What was sent to the agent cannot be called back."""

    def receive(self, event: LegEvent) -> None:
        """Pass the caller's data messages on; what is out of order by now is left out, too large warned of."""
        if isinstance(event, MessageEvent) and self._wire.may_send(event.message):
            self._say(event.message)

    def _say(self, message: Message) -> None:
        try:
            self._socket.send_text(self._wire.text(message))
        except LocalWireError as exc:
            assert self._port is not None
            self._port.emit(Warned("message_not_sent", str(exc)))

    async def drain(self) -> None:
        """Uplink audio is sent as it comes: nothing waits."""

    def _send_audio(self) -> None:
        assert self._port is not None
        lane = self._port.incoming
        while (frame := lane.pull(self._frame)).size:
            self._socket.send_bytes(self._wire.audio(frame))
            lane.ledger.sent(frame.size, self._loop.time())

    def _straight(self, lane: Lane) -> Callable[[Int16], bool]:
        """Does for a frame that finds the lane empty what `_send_audio` does; made once, for looking up less."""
        send, encode, time = self._socket.send_bytes, self._wire.audio, self._loop.time
        sent, size = lane.ledger.sent, self._frame

        def send_frame(frame: Int16) -> bool:
            if len(frame) != size:
                return False
            send(encode(frame))
            sent(size, time())
            return True

        return send_frame

    # Ending

    def _refuse(self, exc: RemoteWireError) -> None:
        self._socket.close(exc.close_code or POLICY, "protocol error")
        self._end(Ended("connection_error", f"the agent's side broke the protocol: {exc}"))

    def _end(self, ended: Ended) -> None:
        if not self._ended.done():
            self._ended.set_result(ended)
