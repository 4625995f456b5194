"""A bare TCP connection as a media socket: bytes, in pieces of any size, without messages, text or close codes."""

import asyncio
from typing import cast

from bridge.legs.inbox import Inbox
from bridge.legs.media_socket import SERVER_LIMITS, SocketLimits, SocketReceiver
from bridge.legs.reset import reset
from bridge.legs.write_watch import WriteWatch
from bridge.wire.close_codes import BROKE_OFF, NORMAL, TRY_LATER


class TcpSocket(asyncio.Protocol):
    """One end of a TCP connection; what comes is handed on as it comes.

    Args:
        limits: what the peer may do.
    """

    def __init__(self, limits: SocketLimits = SERVER_LIMITS) -> None:
        self._limits = limits
        self._inbox = Inbox(limits, self.close)
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._watch: WriteWatch | None = None
        self._cut: asyncio.TimerHandle | None = None
        self._ours = False
        self._code, self._reason = NORMAL, ""
        self._peer = ""

    # MediaSocket

    @property
    def buffered_bytes(self) -> int:
        """Bytes that wait for the kernel."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    @property
    def peer(self) -> str:
        """Host and port."""
        return self._peer

    def start(self, receiver: SocketReceiver) -> None:
        """See MediaSocket."""
        self._inbox.start(receiver)

    def send_text(self, text: str) -> None:
        """TCP knows no text: its bytes are sent."""
        self.send_bytes(text.encode())

    def send_bytes(self, data: bytes) -> None:
        """See MediaSocket."""
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if self._watch is not None and self._watch.paused:
            self._watch.wrote(len(data))

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Close once everything is sent, or after a while without it; the code stays on this side."""
        if self._ours or self._transport is None:
            return
        self._ours, self._code, self._reason = True, code, reason
        self._inbox.mute()
        self._cut = self._loop.call_later(self._limits.close_s, reset, self._transport)
        self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)
        name = transport.get_extra_info("peername")
        self._peer = f"{name[0]}:{name[1]}" if isinstance(name, tuple) else ""
        self._watch = WriteWatch(
            self._transport,
            max_buffered_bytes=self._limits.max_buffered_bytes,
            stall_s=self._limits.stall_s,
            give_up=self._give_up,
        )

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._inbox.data(data)

    def pause_writing(self) -> None:
        """The peer takes too little."""
        if self._watch is not None:
            self._watch.pause()

    def resume_writing(self) -> None:
        """The peer has caught up."""
        if self._watch is not None:
            self._watch.resume()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone: in order if nobody complained."""
        if self._cut is not None:
            self._cut.cancel()
        if self._watch is not None:
            self._watch.stop()
        if self._ours:
            self._inbox.close(self._code, self._reason, ours=True)
        elif exc is None:
            self._inbox.close(NORMAL, "")
        else:
            self._inbox.close(BROKE_OFF, "the connection broke")

    def _give_up(self, why: str) -> None:
        assert self._transport is not None
        self._ours, self._code, self._reason = True, TRY_LATER, why
        self._inbox.mute()
        reset(self._transport)
