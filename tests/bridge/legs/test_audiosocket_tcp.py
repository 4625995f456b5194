"""AudioSocket over real connections, and its frames over a pair in memory."""

import asyncio
import contextlib
import socket as sockets
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.legs.audiosocket_tcp import FrameSocket, TcpSocket, listen
from bridge.legs.carrier.leg import CarrierLeg
from bridge.legs.media_socket import SERVER_LIMITS, MediaSocket, SocketLimits
from bridge.legs.memory_socket import memory_pair
from bridge.virtual import run_virtual
from bridge.wire.carriers.audiosocket import AudioSocketWire
from tests.fakes.legs import hand_port
from tests.fakes.socket_log import SocketLog

UUID = bytes(range(16))
IDENTITY = b"\x01\x00\x10" + UUID


def frame(kind: int, payload: bytes = b"") -> bytes:
    return struct.pack(">BH", kind, len(payload)) + payload


AUDIO = frame(0x10, np.arange(160, dtype="<i2").tobytes())


@dataclass
class Port:
    """A listener and what came to it."""

    number: int = 0
    sockets: list[MediaSocket] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, socket: MediaSocket) -> None:
        self.sockets.append(socket)
        self.came.set()

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.number)

    async def connection(
        self,
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, MediaSocket]:
        reader, writer = await self.connect()
        await self.came.wait()
        self.came.clear()
        return reader, writer, self.sockets[-1]


@asynccontextmanager
async def a_port(
    limits: SocketLimits = SERVER_LIMITS, max_connections: int = 500
) -> AsyncIterator[Port]:
    port = Port()
    listener = await listen(
        "127.0.0.1", 0, port.take, limits=limits, max_connections=max_connections
    )
    port.number = listener.port
    try:
        async with asyncio.timeout(10):
            yield port
    finally:
        listener.close()
        await asyncio.sleep(0.01)


async def closed(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()


async def test_frames_come_whole_however_the_stream_was_cut() -> None:
    async with a_port() as port:
        _, writer, socket = await port.connection()
        log = SocketLog()
        socket.start(log)
        stream = IDENTITY + AUDIO * 3 + frame(0x00)
        for begin in range(0, len(stream), 101):
            writer.write(stream[begin : begin + 101])
            await writer.drain()
            await asyncio.sleep(0)

        assert await log.wait_heard(5) == [IDENTITY, AUDIO, AUDIO, AUDIO, frame(0x00)]
        await closed(writer)
        await log.closed.wait()
        assert log.closes == [(1005, "")]
        assert not log.ours


async def test_what_is_sent_arrives_though_the_socket_is_closed_right_after() -> None:
    async with a_port() as port:
        reader, writer, socket = await port.connection()
        log = SocketLog()
        socket.start(log)
        socket.send_bytes(AUDIO)
        socket.send_bytes(frame(0x00))
        socket.close()
        socket.send_bytes(AUDIO)

        assert await reader.read() == AUDIO + frame(0x00)
        await log.closed.wait()
        assert log.closes == [(1000, "")]
        assert log.ours
        await closed(writer)


async def test_what_came_before_the_start_is_delivered_after_it() -> None:
    async with a_port() as port:
        _, writer, socket = await port.connection()
        writer.write(IDENTITY + AUDIO)
        await asyncio.sleep(0.02)
        log = SocketLog()
        socket.start(log)

        assert await log.wait_heard(2) == [IDENTITY, AUDIO]
        assert socket.peer.startswith("127.0.0.1:")
        await closed(writer)


async def test_a_peer_that_speaks_something_else_is_closed_at_its_first_bytes() -> None:
    async with a_port() as port:
        reader, writer, socket = await port.connection()
        log = SocketLog()
        socket.start(log)
        writer.write(b"GET / HTTP/1.1\r\n")

        assert await reader.read() == b""
        await log.closed.wait()
        assert log.closes[0][0] == 1008
        assert log.heard == []
        await closed(writer)


async def test_a_peer_that_reads_nothing_is_given_up() -> None:
    limits = replace(SERVER_LIMITS, stall_s=0.1, close_s=0.1)
    async with a_port(limits) as port:
        _, writer, socket = await port.connection()
        log = SocketLog()
        socket.start(log)
        while not log.closed.is_set():
            if socket.buffered_bytes < 65_536:
                socket.send_bytes(bytes(65_536))
            await asyncio.sleep(0.005)

        assert log.closes == [(1013, "the peer took nothing for 0.1 s")]
        await closed(writer)


async def test_more_than_may_wait_for_the_peer_closes_it() -> None:
    limits = replace(SERVER_LIMITS, max_buffered_bytes=100_000, close_s=0.1)
    async with a_port(limits) as port:
        _, writer, socket = await port.connection()
        log = SocketLog()
        socket.start(log)
        for _ in range(1_000):
            socket.send_bytes(bytes(65_536))

        await log.closed.wait()
        assert log.closes[0][0] == 1013
        await closed(writer)


async def test_a_connection_that_is_reset_is_a_lost_one() -> None:
    async with a_port() as port:
        _, writer, socket = await port.connection()
        log = SocketLog()
        socket.start(log)
        linger = writer.get_extra_info("socket")
        linger.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

        await log.closed.wait()
        assert log.closes[0][0] == 1006
        assert "broke" in log.closes[0][1]


async def test_one_connection_too_many_is_cut_and_the_next_is_taken_when_there_is_room() -> None:
    async with a_port(max_connections=1) as port:
        _, first, _ = await port.connection()
        reader, second = await port.connect()
        with contextlib.suppress(OSError):
            assert await reader.read() == b""
        await closed(second)
        assert len(port.sockets) == 1
        await closed(first)
        await asyncio.sleep(0.02)
        _, third, _ = await port.connection()

        assert len(port.sockets) == 2
        await closed(third)


async def test_text_cannot_be_sent() -> None:
    async with a_port() as port:
        _, writer, socket = await port.connection()
        with pytest.raises(TypeError, match="text"):
            socket.send_text("hello")
        await closed(writer)


async def test_a_call_over_a_real_connection_begins_plays_and_is_hung_up() -> None:
    async with a_port() as port:
        reader, writer, socket = await port.connection()
        leg = CarrierLeg(socket, AudioSocketWire())
        writer.write(IDENTITY + AUDIO)
        info = await leg.opened()
        ends = hand_port()
        running = asyncio.create_task(leg.run(ends.port))
        await asyncio.sleep(0.01)
        ends.incoming.push(np.full(400, 7, np.int16))
        ends.incoming.end_segment()
        played = b""
        while len(played) < 3 * 323:
            played += await reader.read(4_096)
        hanging_up = asyncio.create_task(leg.hang_up())
        while len(played) < 3 * 323 + 3:
            played += await reader.read(4_096)
        await closed(writer)
        await hanging_up

        assert info.call_id == "00010203-0405-0607-0809-0a0b0c0d0e0f"
        tone, quiet = struct.pack("<h", 7), bytes(2)
        assert played == frame(0x10, tone * 160) * 2 + frame(0x10, tone * 80 + quiet * 80) + frame(
            0x00
        )
        assert (await running).reason == "hangup"
        assert ends.outgoing.depth_samples == 160


# In memory


@given(
    st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=50)), max_size=10),
    st.lists(st.integers(1, 40), min_size=1),
)
def test_any_frames_cut_anywhere_come_out_whole(
    frames: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    async def call() -> None:
        theirs, ours = memory_pair(asyncio.get_running_loop())
        log, told = SocketLog(), SocketLog()
        theirs.start(told)
        FrameSocket(ours).start(log)
        stream = IDENTITY + b"".join(frame(kind, payload) for kind, payload in frames)
        at, turn = 0, 0
        while at < len(stream):
            size = cuts[turn % len(cuts)]
            theirs.send_bytes(stream[at : at + size])
            at, turn = at + size, turn + 1
        await asyncio.sleep(1)

        assert log.heard == [IDENTITY, *(frame(kind, payload) for kind, payload in frames)]
        theirs.close()
        await log.closed.wait()

    run_virtual(call())


def test_text_on_a_stream_of_bytes_closes_it() -> None:
    async def call() -> None:
        theirs, ours = memory_pair(asyncio.get_running_loop())
        log, told = SocketLog(), SocketLog()
        theirs.start(told)
        socket = FrameSocket(ours)
        socket.start(log)
        theirs.send_text("hello")
        await log.closed.wait()

        assert (log.closes[0][0], log.heard) == (1008, [])
        assert socket.buffered_bytes == 0

    run_virtual(call())


def test_a_socket_is_its_own_name_before_anybody_is_there() -> None:
    async def call() -> None:
        socket = TcpSocket(SERVER_LIMITS, lambda _: None, lambda _: None)
        assert socket.peer == "unknown"

    run_virtual(call())
