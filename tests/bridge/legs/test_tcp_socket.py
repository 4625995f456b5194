"""Bare TCP as a media socket, on loopback: what comes, what goes, and every way it ends."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from bridge.legs.media_socket import SERVER_LIMITS, SocketLimits
from bridge.legs.tcp_socket import TcpSocket
from tests.fakes.socket_log import SocketLog


@dataclass
class Pair:
    """One of ours, and the other end in plain asyncio."""

    ours: TcpSocket
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


@asynccontextmanager
async def pair(limits: SocketLimits = SERVER_LIMITS) -> AsyncIterator[Pair]:
    taken: asyncio.Queue[TcpSocket] = asyncio.Queue()

    class Taken(TcpSocket):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            super().connection_made(transport)
            taken.put_nowait(self)

    loop = asyncio.get_running_loop()
    async with asyncio.timeout(10):
        server = await loop.create_server(lambda: Taken(limits), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ours = await taken.get()
        try:
            yield Pair(ours, reader, writer)
        finally:
            ours.close()
            writer.close()
            server.close()
            await server.wait_closed()


async def test_bytes_go_both_ways_and_what_came_before_the_start_is_kept() -> None:
    async with pair() as each:
        each.writer.write(b"before")
        await each.writer.drain()
        await asyncio.sleep(0.05)
        log = SocketLog()
        each.ours.start(log)
        await log.wait_heard(1)
        each.ours.send_bytes(b"back")
        each.ours.send_text(" and text")

        assert log.heard == [b"before"]
        assert await each.reader.readexactly(13) == b"back and text"
        assert each.ours.peer.startswith("127.0.0.1:")


async def test_the_far_ends_close_is_in_order() -> None:
    async with pair() as each:
        log = SocketLog()
        each.ours.start(log)
        each.writer.close()
        await log.closed.wait()

        assert (log.closes, log.ours) == ([(1000, "")], False)


async def test_a_reset_is_a_broken_connection() -> None:
    async with pair() as each:
        log = SocketLog()
        each.ours.start(log)
        sock = each.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        each.writer.transport.abort()
        await log.closed.wait()

        assert log.closes == [(1006, "the connection broke")]


async def test_our_close_says_so_to_our_side_and_ends_the_stream() -> None:
    async with pair() as each:
        log = SocketLog()
        each.ours.start(log)
        each.ours.send_bytes(b"last")
        each.ours.close(1008, "no start")
        each.ours.close(1000)
        await log.closed.wait()

        assert (log.closes, log.ours) == ([(1008, "no start")], True)
        assert await each.reader.read() == b"last"
        each.ours.send_bytes(b"too late")


@pytest.mark.parametrize(("max_buffered_bytes", "stall_s"), [(64 * 1024, 60.0), (2**30, 0.2)])
async def test_a_peer_that_takes_nothing_is_cut_off(
    max_buffered_bytes: int, stall_s: float
) -> None:
    limits = replace(SERVER_LIMITS, max_buffered_bytes=max_buffered_bytes, stall_s=stall_s)
    async with pair(limits) as each:
        log = SocketLog()
        each.ours.start(log)
        each.reader._transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(200):
            each.ours.send_bytes(bytes(64 * 1024))
            await asyncio.sleep(0)
        await log.closed.wait()

        assert log.closes[0][0] == 1013
        assert log.ours


async def test_a_close_that_the_peer_does_not_read_is_cut_short() -> None:
    async with pair(replace(SERVER_LIMITS, close_s=0.2, max_buffered_bytes=2**30)) as each:
        log = SocketLog()
        each.ours.start(log)
        each.reader._transport.pause_reading()  # type: ignore[attr-defined]
        for _ in range(200):
            each.ours.send_bytes(bytes(64 * 1024))
        each.ours.close()
        await log.closed.wait()

        assert log.closes == [(1000, "")]
