"""Two media sockets joined in memory: what virtual time uses instead of the network.

Each message reaches the other end by the event loop, in order, without delay. Limits, keeping before `start`
and closing are those of the real socket, so that what passes here passes there.
"""

import asyncio
from collections import deque
from functools import partial

from bridge.legs.inbox import Inbox
from bridge.legs.media_socket import (
    CLIENT_LIMITS,
    SERVER_LIMITS,
    MediaSocket,
    SocketLimits,
    SocketReceiver,
    fit_code,
    fit_reason,
)
from bridge.wire.close_codes import BROKE_OFF, NORMAL, TOO_BIG, TRY_LATER


def memory_pair(
    loop: asyncio.AbstractEventLoop,
    *,
    client_limits: SocketLimits = CLIENT_LIMITS,
    server_limits: SocketLimits = SERVER_LIMITS,
) -> tuple[MediaSocket, MediaSocket]:
    """Two joined ends: the client's, which takes large messages, and the server's, which takes small ones."""
    client = _MemorySocket(loop, client_limits, "memory server")
    server = _MemorySocket(loop, server_limits, "memory client")
    client.far, server.far = server, client
    return client, server


class _MemorySocket:
    """One end of a pair. `far` is the other."""

    far: "_MemorySocket"

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: SocketLimits, peer: str) -> None:
        self._loop = loop
        self._limits = limits
        self._peer = peer
        self._inbox = Inbox(limits, self.close)
        self._on_the_way: deque[tuple[str | bytes, int]] = deque()
        self._buffered = 0
        self._closing = False

    @property
    def buffered_bytes(self) -> int:
        """Bytes on the way to the other end."""
        return self._buffered

    @property
    def peer(self) -> str:
        """A name for logs."""
        return self._peer

    def start(self, receiver: SocketReceiver) -> None:
        """See MediaSocket."""
        self._inbox.start(receiver)

    def send_text(self, text: str) -> None:
        """See MediaSocket."""
        if not self._closing:
            self._send(text, len(text) if text.isascii() else len(text.encode()))

    def send_bytes(self, data: bytes) -> None:
        """See MediaSocket."""
        if not self._closing:
            self._send(bytes(data), len(data))

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """See MediaSocket; both ends get the same code and reason."""
        if not self._closing:
            self._inbox.mute()
            code, reason = fit_code(code), fit_reason(reason)
            self.end(code, reason, ours=True)
            self._loop.call_soon(self.far.end, code, reason)

    def abort(self) -> None:
        """Lose the connection: both ends hear of it, without a closing handshake."""
        for end in (self, self.far):
            end._inbox.mute()  # noqa: SLF001 - same class
            end.end(BROKE_OFF, "the connection was closed without a closing handshake")

    def _send(self, message: str | bytes, size: int) -> None:
        self._on_the_way.append((message, size))
        self._buffered += size
        if self._buffered > self._limits.max_buffered_bytes:
            self.close(TRY_LATER, "the peer takes too little")
        self._loop.call_soon(self._arrive)

    def _arrive(self) -> None:
        message, size = self._on_the_way.popleft()
        self._buffered -= size
        self.far.receive(message, size)

    def receive(self, message: str | bytes, size: int) -> None:
        """A message of so many bytes has come from the other end."""
        if self._closing:
            return
        if size > self._limits.max_message_bytes:
            self.close(
                TOO_BIG,
                f"a message of {size} bytes is larger than {self._limits.max_message_bytes}",
            )
        elif isinstance(message, str):
            self._inbox.text(message)
        else:
            self._inbox.data(message)

    def end(self, code: int, reason: str, *, ours: bool = False) -> None:
        """The socket is over for this end, and was closed by it or not."""
        if not self._closing:
            self._closing = True
            self._loop.call_soon(partial(self._inbox.close, code, reason, ours=ours))
