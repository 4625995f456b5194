"""The join-socket leg: we are the server of ``serverWebSocket``; a client joined our call.

Sources: reference 2.2 to 2.6. Audio goes out in frames of 20 ms, at most ``clientBufferSizeMs`` ahead of what
the client has played, against absolute deadlines; nothing is sent while the agent is silent.
``playback_clear_buffer`` goes out before any message that follows the clear.
"""

import asyncio

from bridge.audio.pacer import EARLY_S
from bridge.errors import LocalWireError, RemoteWireError
from bridge.legs.base import Ended, FarBroke, LegEvent, MessageEvent, Port, Warned
from bridge.legs.media_socket import MediaSocket
from bridge.legs.recorder import Recorder
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
from bridge.wire.close_codes import GOING_AWAY, INTERNAL_ERROR, NORMAL, POLICY
from bridge.wire.messages import EnabledDataMessages, PlaybackClearBuffer
from bridge_codecs.pcm import Int16

FRAME_MS = 20
UNDERFLOW_S = 0.5
"""The client's audio is continuous (reference 2.3); a longer hole in it is told."""
MAX_WAITING_BYTES = 512 * 1024
"""So much may wait in our socket before audio waits in the lane: a full client buffer is more than a socket takes."""
SAME_INSTANT_S = 1e-6
"""Two sums of the same durations may differ by this much, s."""


class JoinSocketLeg:
    """The human side of a call that we serve.

    Args:
        socket: the client's socket, not yet started.
        rates: of the client's audio and of the audio to it.
        client_buffer_ms: how far ahead of its playing the client lets us send, ms.
        enabled: which data messages the client wants.
        media_idle_s: the call ends after this long without the client's audio; None never.
        recorder: records both sides.
    """

    name = "join socket"

    def __init__(
        self,
        socket: MediaSocket,
        *,
        rates: Rates,
        client_buffer_ms: int,
        enabled: EnabledDataMessages,
        media_idle_s: float | None = None,
        recorder: Recorder | None = None,
    ) -> None:
        self.source_hz = rates.input_hz
        self.sink_hz = rates.output_hz
        self._socket = socket
        self._wire = AgentSocket("server", rates, call_started=enabled.enabled("call_started"))
        self._enabled = enabled
        self._media_idle_s = media_idle_s
        self._recorder = recorder
        self._frame = rates.output_hz * FRAME_MS // 1000
        self._frame_s = self._frame / rates.output_hz
        self._ahead_s = max(client_buffer_ms / 1000, self._frame_s)
        self._close_code = NORMAL
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[Ended] = self._loop.create_future()
        self._pacing: asyncio.TimerHandle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._heard_at = self._loop.time()
        self._heard = False
        self._port: Port | None = None

    async def run(self, port: Port) -> Ended:
        """Serve the client until it leaves or breaks the protocol; on cancellation, close orderly."""
        self._port = port
        port.incoming.on_ready = self._send_audio
        self._socket.start(WireFeed(self._wire, self._take, self._refuse))
        self._watch_idle()
        try:
            return await self._ended
        finally:
            port.incoming.on_ready = None
            for timer in (self._pacing, self._idle):
                if timer is not None:
                    timer.cancel()
            self._forget_unplayed()
            self._socket.close(self._close_code)

    def stop(self) -> None:
        """End the call because the server goes away."""
        self._socket.close(GOING_AWAY, "the server stops")
        self._end(Ended("system_error", "the server was stopped"))

    # From the client

    def _take(self, event: SocketEvent) -> None:
        assert self._port is not None
        match event:
            case AudioReceived(samples=samples):
                self._hear(samples, self._port)
            case MessageReceived(message=message):
                self._port.emit(MessageEvent(message))
            case Ignored(reason=reason, detail=detail):
                self._port.emit(Warned(f"ignored: {reason}", detail))
            case Closed(orderly=orderly, detail=detail):
                self._end(Ended("hangup") if orderly else Ended("connection_error", detail))
            case ClearBuffer() | AnswerAgain():
                pass  # a client says neither in this role: the wire ignores them before

    def _hear(self, samples: Int16, port: Port) -> None:
        now, before = self._loop.time(), self._heard_at
        self._heard_at = now
        if self._heard and now - before > UNDERFLOW_S:
            port.emit(Warned("audio_underflow", f"no audio came for {now - before:.1f} s"))
        self._heard = True
        if self._recorder is not None:
            self._recorder.heard(samples)
        dropped = port.outgoing.stats.dropped
        port.outgoing.push(samples)
        if port.outgoing.stats.dropped != dropped:
            port.emit(Warned("audio_overflow", "audio came faster than it was heard; some is lost"))

    # To the client

    def clear(self) -> None:
        """Tell the client to drop what it has not played."""
        self._stop_pacing()
        self._forget_unplayed()
        self.send(PlaybackClearBuffer())

    def receive(self, event: LegEvent) -> None:
        """Pass the agent's data messages on; one that cannot be sent is left out, with a warning."""
        if isinstance(event, FarBroke):
            self._close_code = INTERNAL_ERROR
        elif isinstance(event, MessageEvent):
            try:
                self.send(event.message)
            except LocalWireError as exc:
                assert self._port is not None
                self._port.emit(Warned("message_not_sent", str(exc)))

    async def drain(self) -> None:
        """Wait until the client has played everything."""
        assert self._port is not None
        lane = self._port.incoming
        while lane.depth_samples:  # noqa: ASYNC110 - the pacer empties it
            await asyncio.sleep(max(lane.depth_ms, FRAME_MS) / 1000)
        until_s = lane.ledger.playing_until_s
        if until_s is not None:
            await asyncio.sleep(max(0.0, until_s - self._loop.time()))

    def send(self, message: Message) -> None:
        """Send a message, unless the client does not want it or it comes too early.

        Raises: LocalWireError for one that the client could not take.
        """
        if self._enabled.enabled(message.type) and self._wire.may_send(message):
            self._socket.send_text(self._wire.text(message))

    def _send_audio(self) -> None:
        """Send what may be sent now, and come back when the next frame may."""
        assert self._port is not None
        self._stop_pacing()
        lane, ledger = self._port.incoming, self._port.incoming.ledger
        now = self._loop.time()
        while (due := self._due(now)) <= now + EARLY_S:
            if self._socket.buffered_bytes > MAX_WAITING_BYTES:
                due = now + self._frame_s
                break
            frame = lane.pull(self._frame)
            if not frame.size:
                return
            self._socket.send_bytes(self._wire.audio(frame))
            before = ledger.playing_until_s
            ledger.sent(frame.size, now)
            if self._recorder is not None:
                self._recorder.sent(frame, plays_in_s=self._plays_in(frame.size, before, now))
        self._pacing = self._loop.call_at(due, self._send_audio)

    def _due(self, now: float) -> float:
        """From when on the next frame fits into the client's buffer, loop time."""
        assert self._port is not None
        until = self._port.incoming.ledger.playing_until_s
        return (now if until is None else until) + self._frame_s - self._ahead_s

    def _plays_in(self, n_sent: int, until_before: float | None, now: float) -> float | None:
        """When what was just sent will be heard, from now; None if it joins on to what was sent before."""
        assert self._port is not None
        until = self._port.incoming.ledger.playing_until_s or now
        starts = until - n_sent / self.sink_hz
        joins_on = until_before is not None and starts - until_before < SAME_INSTANT_S
        return None if joins_on else starts - now

    def _forget_unplayed(self) -> None:
        if self._recorder is not None and self._port is not None:
            ahead_ms = self._port.incoming.ledger.ahead_ms(self._loop.time())
            self._recorder.cleared(unplayed_s=ahead_ms / 1000)

    def _stop_pacing(self) -> None:
        if self._pacing is not None:
            self._pacing.cancel()
            self._pacing = None

    # Ending

    def _watch_idle(self) -> None:
        if self._media_idle_s is None:
            return
        left = self._heard_at + self._media_idle_s - self._loop.time()
        if left <= 0:
            self._end(Ended("connection_error", "the client sent no audio for too long"))
        else:
            self._idle = self._loop.call_later(left, self._watch_idle)

    def _refuse(self, exc: RemoteWireError) -> None:
        self._socket.close(exc.close_code or POLICY, "protocol error")
        self._end(Ended("connection_error", f"the client broke the protocol: {exc}"))

    def _end(self, ended: Ended) -> None:
        if not self._ended.done():
            self._ended.set_result(ended)
