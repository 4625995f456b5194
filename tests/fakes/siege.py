"""Clients that hold connections without using them, and one that only wants to be served meanwhile."""

import asyncio
import select
import socket
import time
from dataclasses import dataclass, field
from typing import Final

HALF_A_HEAD: Final = b"GET / HTTP/1.1\r\nHost: local"
HALF_A_BODY: Final = (
    b"POST /api/calls HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: 1000\r\n\r\n{"
)
_GONE: Final = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)


@dataclass
class Siege:
    """What came of it."""

    lasted_s: list[float] = field(default_factory=list)
    """How long each of the besiegers' connections was left open."""
    served_s: list[float] = field(default_factory=list)
    """How long each connect and request of the normal client took."""

    def served_p99_s(self) -> float:
        return sorted(self.served_s)[int(0.99 * len(self.served_s))]


@dataclass(frozen=True)
class Besieger:
    """One way of holding a connection: what is sent, and never more. What comes back is not read."""

    sends: bytes
    rcvbuf: int | None = None


async def besiege(
    port: int, besiegers: list[Besieger], *, lasts_s: float, probe: bytes, open_at_once: int = 50
) -> Siege:
    """Hold one connection for each besieger, anew when it is closed, for so long; probe all the while.

    Connections that are open at the end are waited for.
    """
    siege = Siege()
    until_s = time.monotonic() + lasts_s
    probing = asyncio.create_task(_probe(port, probe, until_s, siege), name="probe")
    poll = select.poll()
    held: dict[int, tuple[socket.socket, Besieger, float]] = {}
    waiting = list(besiegers)
    try:
        while held or waiting or time.monotonic() < until_s:
            for besieger in waiting[:open_at_once]:
                sock = await _open(port, besieger)
                poll.register(sock, _GONE)
                held[sock.fileno()] = (sock, besieger, time.monotonic())
            del waiting[:open_at_once]
            await asyncio.sleep(0.02)
            for fd, _ in poll.poll(0):
                sock, besieger, since_s = held.pop(fd)
                siege.lasted_s.append(time.monotonic() - since_s)
                poll.unregister(fd)
                sock.close()
                if time.monotonic() < until_s:
                    waiting.append(besieger)
        await probing
    finally:
        probing.cancel()
        for sock, _, _ in held.values():
            sock.close()
    return siege


async def _open(port: int, besieger: Besieger) -> socket.socket:
    loop = asyncio.get_running_loop()
    sock = socket.socket()
    sock.setblocking(False)
    if besieger.rcvbuf is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, besieger.rcvbuf)
    await loop.sock_connect(sock, ("127.0.0.1", port))
    await loop.sock_sendall(sock, besieger.sends)
    return sock


async def _probe(port: int, request: bytes, until_s: float, siege: Siege) -> None:
    """Connect, ask and read, ten times a second."""
    while time.monotonic() < until_s:
        started_s = time.monotonic()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200"), "the normal client is refused"
        siege.served_s.append(time.monotonic() - started_s)
        writer.close()
        await asyncio.sleep(0.1)
