"""A bare TCP listener that takes every connection over as a media socket, for tests of the socket alone."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

from bridge.legs.media_socket import SERVER_LIMITS, MediaSocket, SocketLimits
from bridge.legs.picows_socket import accept


class _Greeter(asyncio.Protocol):
    def __init__(self, on_socket: Callable[[MediaSocket], None], limits: SocketLimits) -> None:
        self._on_socket = on_socket
        self._limits = limits
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, early = self._received.partition(b"\r\n\r\n")
        if end:
            key = re.findall(rb"(?i)sec-websocket-key: (\S+)", head)[0].decode()
            self._on_socket(accept(self._transport, key, limits=self._limits, early=early))


@asynccontextmanager
async def picows_server(
    on_socket: Callable[[MediaSocket], None], limits: SocketLimits = SERVER_LIMITS
) -> AsyncIterator[str]:
    """Serve on an ephemeral loopback port; gives the URL."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Greeter(on_socket, limits), "127.0.0.1", 0)
    try:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()
        await server.wait_closed()
