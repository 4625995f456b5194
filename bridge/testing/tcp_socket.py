"""A bare TCP connection as a media socket: bytes without messages, for AudioSocket."""

import asyncio
from urllib.parse import urlsplit

from bridge.errors import JoinRefused
from bridge.legs.media_socket import CLIENT_LIMITS, MediaSocket
from bridge.legs.tcp_socket import TcpSocket


async def connect_tcp(url: str, timeout_s: float = 10.0) -> MediaSocket:
    """Connect to ``tcp://host:port``. Raises: JoinRefused."""
    loop = asyncio.get_running_loop()
    host, port = _place(url)
    try:
        async with asyncio.timeout(timeout_s):
            _, socket = await loop.create_connection(ClientSocket, host, port)
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


class ClientSocket(TcpSocket):
    """One end of a TCP connection that can be cut."""

    def __init__(self) -> None:
        super().__init__(CLIENT_LIMITS)

    def abort(self) -> None:
        """Cut the connection."""
        self._inbox.mute()
        if self._transport is not None:
            self._transport.abort()
