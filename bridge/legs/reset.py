"""Cuts a connection so that nothing of it is left.

An ordinary abort leaves to the kernel what waits to be sent, and the kernel holds it, megabytes for each connection,
for as long as the peer answers its probes without ever reading.
"""

import asyncio
import contextlib
import socket
import struct
from typing import Final

_AT_ONCE: Final = struct.pack("ii", 1, 0)  # on, for 0 s


def reset(transport: asyncio.WriteTransport) -> None:
    """Abort a connection and drop what waits to be sent, in the kernel too; the peer sees a reset."""
    drop_unsent(transport)
    transport.abort()


def drop_unsent(transport: asyncio.WriteTransport) -> None:
    """Have the kernel drop what waits to be sent, once the connection is closed."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with contextlib.suppress(OSError):  # closed already
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
