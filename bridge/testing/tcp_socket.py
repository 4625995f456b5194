"""A bare TCP connection as a media socket: bytes without messages, for AudioSocket."""

import asyncio
from typing import cast
from urllib.parse import urlsplit

from bridge.errors import JoinRefused
from bridge.legs.inbox import Inbox
from bridge.legs.media_socket import CLIENT_LIMITS, MediaSocket, SocketReceiver
from bridge.wire.close_codes import BROKE_OFF, NORMAL


async def connect_tcp(url: str, timeout_s: float = 10.0) -> MediaSocket:
    """Connect to ``tcp://host:port``. Raises: JoinRefused."""
    loop = asyncio.get_running_loop()
    host, port = _place(url)
    try:
        async with asyncio.timeout(timeout_s):
            _, socket = await loop.create_connection(
                lambda: TcpSocket(loop, f"{host}:{port}"), host, port
            )
    except OSError as error:
        why = str(error) or "it did not answer"
        raise JoinRefused(f"{host}:{port} cannot be reached ({why})") from None
    return socket


def _place(url: str) -> tuple[str, int]:
    """Host and port. Raises: JoinRefused."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port:
        raise JoinRefused("the address is not tcp://host:port")
    return host, port


class TcpSocket(asyncio.Protocol):
    """One end of a TCP connection; what comes is handed on in pieces of any size."""

    def __init__(self, loop: asyncio.AbstractEventLoop, peer: str) -> None:
        self._loop = loop
        self._peer = peer
        self._inbox = Inbox(CLIENT_LIMITS, self.close)
        self._transport: asyncio.Transport | None = None
        self._ours = False

    # The MediaSocket side

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
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def close(self, code: int = NORMAL, reason: str = "") -> None:  # noqa: ARG002 - TCP carries neither
        """Close once everything is sent."""
        self._ours = True
        self._inbox.mute()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Cut the connection."""
        self._inbox.mute()
        if self._transport is not None:
            self._transport.abort()

    # The transport's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._inbox.data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone: in order if nobody complained."""
        code = NORMAL if exc is None else BROKE_OFF
        self._inbox.close(code, "" if exc is None else str(exc), ours=self._ours)
