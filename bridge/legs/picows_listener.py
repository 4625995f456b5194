"""A media socket on picows, either role.

picows parses frames (RFC 6455) and gives each to `on_ws_frame`; assembling fragments, control frames, limits,
pings and the closing handshake are here. Written against picows 2.3, whose habits matter in these places:
frames still come after it has answered a breach of the protocol with a close frame; it neither answers a close
frame nor looks at the reserved bits; it lets close codes through that may not be sent; a close without a code shows
as code 0; a second close frame in the same piece of the stream makes it forget the first one and answer with 1002.
"""

import asyncio
from collections.abc import Callable
from typing import Final, cast

from picows import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

from bridge.legs.inbox import Inbox
from bridge.legs.media_socket import SocketLimits, SocketReceiver, fit_code, fit_reason
from bridge.legs.outbox import FULL, outbox_of
from bridge.legs.reset import drop_unsent
from bridge.legs.write_watch import WriteWatch
from bridge.wire.close_codes import (
    BAD_TEXT,
    BROKE_OFF,
    NORMAL,
    NOTHING_SAID,
    POLICY,
    PROTOCOL_ERROR,
    TOO_BIG,
    TRY_LATER,
)

_TEXT: Final = WSMsgType.TEXT
_BINARY: Final = WSMsgType.BINARY
_CONTINUATION: Final = WSMsgType.CONTINUATION
_PING: Final = WSMsgType.PING
_CLOSE: Final = WSMsgType.CLOSE

_REFUSAL_S: Final = 0.25  # for our close frame to arrive before the connection is cut


class PicowsSocket(WSListener):
    """A `MediaSocket` over a picows transport, and the listener that picows calls.

    `on_gone` is called once when the connection is gone, after the receiver's `on_close`.
    """

    def __init__(
        self, limits: SocketLimits, peer: str, on_gone: Callable[[], None] | None = None
    ) -> None:
        super().__init__()
        self._limits = limits
        self._peer = peer
        self._on_gone = on_gone
        self._inbox = Inbox(limits, self.close)
        self._fragments = _Fragments(limits)
        self._control = _ControlRate(limits.max_control_per_s)
        self._end: tuple[int, str] | None = None  # how the socket ends, once that is known
        self._ours = False  # that it ends is our doing
        self._lost_reason = "the connection was closed without a closing handshake"
        self._silent = False  # nothing has come since our last ping
        self._n_unanswered = 0

    # The MediaSocket side

    @property
    def buffered_bytes(self) -> int:
        """Bytes that wait for the kernel."""
        return 0 if self._transport.is_disconnected else self._stream.get_write_buffer_size()

    @property
    def peer(self) -> str:
        """Host and port of the other end."""
        return self._peer

    @property
    def subprotocol(self) -> str | None:
        """What the server chose of the subprotocols offered to it; None if none."""
        return self._transport.response.headers.get("Sec-WebSocket-Protocol")

    def start(self, receiver: SocketReceiver) -> None:
        """See MediaSocket."""
        self._inbox.start(receiver)

    def send_text(self, text: str) -> None:
        """See MediaSocket."""
        messages = self._outbox.messages
        if self._watch.paused or len(messages) >= FULL:
            self._send_now(_TEXT, text)
            return
        if not messages:
            self._outbox.begin()
        messages.append((self._transport, _TEXT, text))

    def send_bytes(self, data: bytes) -> None:
        """See MediaSocket."""
        messages = self._outbox.messages
        if self._watch.paused or len(messages) >= FULL:
            self._send_now(_BINARY, data)
            return
        if not messages:
            self._outbox.begin()
        messages.append((self._transport, _BINARY, data))

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """See MediaSocket."""
        if not self._transport.is_close_frame_sent:
            self._shut(fit_code(code), fit_reason(reason), self._limits.close_s)

    def abort(self) -> None:
        """Lose the connection without a closing handshake: what emulated networks do."""
        self._inbox.mute()
        self._cut()

    # The picows side

    def on_ws_connected(self, transport: WSTransport) -> None:
        """The handshake is done."""
        self._loop = asyncio.get_running_loop()
        self._transport = transport
        self._stream = transport.underlying_transport
        self._outbox = outbox_of(self._loop)
        self._watch = WriteWatch(
            self._stream,
            max_buffered_bytes=self._limits.max_buffered_bytes,
            stall_s=self._limits.stall_s,
            give_up=lambda sentence: self.close(TRY_LATER, sentence),
        )
        self._timer = self._loop.call_later(self._limits.ping_s, self._ping)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """A frame arrived; its payload is gone when this returns."""
        self._silent = False
        if transport.is_close_frame_sent:
            self._late_frame(frame)
        elif frame.rsv1 or frame.rsv2 or frame.rsv3:
            self._refuse(PROTOCOL_ERROR, "a reserved bit is set")
        elif not frame.fin or self._fragments.open:
            self._rare_frame(frame)
        elif frame.msg_type is _BINARY:
            try:
                self._inbox.on_bytes(frame.get_payload_as_bytes())
            except Exception as error:  # noqa: BLE001 - as in the inbox, without the way through it
                self._inbox.blame(error)
        elif frame.msg_type is _TEXT:
            try:
                text = frame.get_payload_as_utf8_text()
            except UnicodeDecodeError:
                self._refuse(BAD_TEXT, "a text message is not UTF-8")
                return
            try:
                self._inbox.on_text(text)
            except Exception as error:  # noqa: BLE001
                self._inbox.blame(error)
        else:
            self._rare_frame(frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """The connection is gone."""
        self._timer.cancel()
        self._watch.stop()
        if self._end is None:
            self._end = self._unannounced_end(transport)
        self._inbox.close(*self._end, ours=self._ours)
        if self._on_gone is not None:
            self._on_gone()

    def pause_writing(self) -> None:
        """The write buffer has passed its mark."""
        self._watch.pause()

    def resume_writing(self) -> None:
        """The write buffer has drained."""
        self._watch.resume()

    def lost(self, error: Exception) -> None:
        """Why the connection is about to be gone."""
        self._lost_reason = f"the connection broke: {error}"

    # Inside

    def _send_now(self, kind: WSMsgType, message: str | bytes) -> None:
        self._outbox.empty()
        self._transport.send(kind, message)
        if self._watch.paused:
            self._watch.wrote(len(message))

    def _rare_frame(self, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is _CLOSE:
            self._peer_closes(frame)
        elif kind in {_TEXT, _BINARY, _CONTINUATION}:
            self._fragment(frame)
        elif not self._control.allows(self._loop.time()):
            self._refuse(POLICY, "too many pings or pongs")
        elif kind is _PING:
            self._transport.send_pong(frame.get_payload_as_bytes())

    def _fragment(self, frame: WSFrame) -> None:
        fragments = self._fragments
        if (frame.msg_type is _CONTINUATION) != fragments.open:
            self._refuse(PROTOCOL_ERROR, "fragments are out of order")
        elif not fragments.add(frame):
            self._refuse(TOO_BIG, "a fragmented message is too large or has too many fragments")
        elif frame.fin:
            kind, payload = fragments.take()
            if kind is _TEXT:
                self._fragmented_text(payload)
            else:
                self._inbox.data(payload)

    def _fragmented_text(self, payload: bytes) -> None:
        try:
            text = payload.decode()
        except UnicodeDecodeError:
            self._refuse(BAD_TEXT, "a text message is not UTF-8")
        else:
            self._inbox.text(text)

    def _peer_closes(self, frame: WSFrame) -> None:
        code = int(cast("int", frame.get_close_code())) if frame.payload_size else NOTHING_SAID
        if code != NOTHING_SAID and code != fit_code(code):
            self._refuse(PROTOCOL_ERROR, "a close frame has a code that may not be sent")
            return
        # RFC 6455 section 5.5.1: the answer echoes the code. What came before is still delivered.
        self._send_close(NORMAL if code == NOTHING_SAID else code, "", self._limits.close_s)
        self._end = (code, frame.get_close_reason() or "")
        self._transport.disconnect()

    def _late_frame(self, frame: WSFrame) -> None:
        # After our close frame only the answer to it counts.
        if frame.msg_type is _CLOSE:
            self._transport.disconnect()

    def _refuse(self, code: int, reason: str) -> None:
        """Close over a breach of the protocol, without waiting for an answer any longer than it takes."""
        self._shut(code, reason, min(self._limits.close_s, _REFUSAL_S))

    def _shut(self, code: int, reason: str, wait_s: float) -> None:
        self._inbox.mute()
        self._end = (code, reason)
        self._ours = True
        self._send_close(code, reason, wait_s)

    def _send_close(self, code: int, reason: str, wait_s: float) -> None:
        self._outbox.empty()
        self._watch.stop()
        self._timer.cancel()
        self._timer = self._loop.call_later(wait_s, self._cut)
        self._transport.send_close(cast("WSCloseCode", code), reason)

    def _ping(self) -> None:
        if self._transport.is_close_frame_sent:
            self._cut()  # picows has closed over a breach, and the peer did not let it end
            return
        limits = self._limits
        self._n_unanswered = self._n_unanswered + 1 if self._silent else 0
        if self._n_unanswered >= limits.max_unanswered:
            silent_s = limits.ping_s * limits.max_unanswered
            self._end = (BROKE_OFF, f"the peer was silent for {silent_s:g} s after a ping")
            self._cut()
        else:
            self._silent = True
            self._transport.send_ping()
            self._timer = self._loop.call_later(self._limits.ping_s, self._ping)

    def _cut(self) -> None:
        if self.buffered_bytes:
            drop_unsent(self._stream)
        self._transport.disconnect(graceful=False)

    def _unannounced_end(self, transport: WSTransport) -> tuple[int, str]:
        handshake = transport.close_handshake
        if handshake is None or handshake.sent is None:
            return BROKE_OFF, self._lost_reason
        if transport.is_client_side:
            _retrieve(transport)
        self._ours = True  # picows has closed over a breach
        return int(cast("int", handshake.sent.code)), handshake.sent.reason


class _Fragments:
    """Puts the fragments of a message together."""

    def __init__(self, limits: SocketLimits) -> None:
        self.open = False
        self._limits = limits
        self._kind = _BINARY
        self._parts: list[bytes] = []
        self._size = 0

    def add(self, frame: WSFrame) -> bool:
        """Keep a fragment; False if the message would pass the limits."""
        if not self.open:
            self.open = True
            self._kind = frame.msg_type
            self._size = 0
        self._size += frame.payload_size
        self._parts.append(frame.get_payload_as_bytes())
        return (
            self._size <= self._limits.max_message_bytes
            and len(self._parts) <= self._limits.max_fragments
        )

    def take(self) -> tuple[WSMsgType, bytes]:
        """The whole message; the next begins anew."""
        payload = b"".join(self._parts)
        self.open = False
        self._parts = []
        return self._kind, payload


class _ControlRate:
    """Counts pings and pongs within a second."""

    def __init__(self, per_s: int) -> None:
        self._per_s = per_s
        self._until_s = 0.0
        self._count = 0

    def allows(self, now_s: float) -> bool:
        """Count one more; False if it is one too many."""
        if now_s >= self._until_s:
            self._until_s = now_s + 1
            self._count = 0
        self._count += 1
        return self._count <= self._per_s


def _retrieve(transport: WSTransport) -> None:
    """Take the exception that picows is about to leave in a future, or asyncio logs it as forgotten."""
    waiting = transport.wait_disconnected()
    outcome: asyncio.Future[None] = waiting.send(None)
    outcome.add_done_callback(lambda future: future.cancelled() or future.exception())
    waiting.close()
