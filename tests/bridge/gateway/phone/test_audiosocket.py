"""AudioSocket's port, on loopback: whole frames out of any pieces, and a call on real TCP."""

import asyncio
import socket
from collections.abc import Coroutine
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.carrier_config import AudioSocketConfig
from bridge.errors import UsageError
from bridge.gateway.phone.audiosocket import FramedSocket
from bridge.legs.memory_socket import memory_pair
from bridge.virtual import run_virtual
from tests.fakes.phone_world import phone_world
from tests.fakes.socket_log import SocketLog

UUID = uuid4().bytes
IDENTITY = b"\x01\x00\x10" + UUID
AUDIO = b"\x10\x01\x40" + bytes(320)
HANG_UP = b"\x00\x00\x00"


def cut(stream: bytes, at: list[int]) -> list[bytes]:
    edges = sorted({0, len(stream), *(each % len(stream) for each in at)})
    return [stream[start:end] for start, end in pairwise(edges)]


@given(st.lists(st.integers(0, 10_000), max_size=20))
def test_frames_are_whole_however_the_stream_is_cut(at: list[int]) -> None:
    async def test() -> list[str | bytes]:
        far, near = memory_pair(asyncio.get_running_loop())
        log = SocketLog()
        FramedSocket(near).start(log)
        for piece in cut(IDENTITY + AUDIO * 3 + HANG_UP, at):
            far.send_bytes(piece)
        await asyncio.sleep(1)
        far.close()
        await log.closed.wait()
        return log.heard

    assert run_virtual(test()) == [IDENTITY, AUDIO, AUDIO, AUDIO, HANG_UP]


def test_a_stream_that_does_not_begin_with_a_uuid_is_closed() -> None:
    async def test() -> None:
        far, near = memory_pair(asyncio.get_running_loop())
        log = SocketLog()
        FramedSocket(near).start(log)
        far.send_bytes(b"GET / HTTP/1.1\r\n")
        await log.closed.wait()

        assert log.heard == []
        assert log.closes[0][0] == 1008

    run_virtual(test())


async def on_loopback(talk: Coroutine[Any, Any, None]) -> None:
    async with asyncio.timeout(20):
        await talk


async def test_a_call_on_the_port_is_served_and_hung_up_by_a_frame() -> None:
    async def talk() -> None:
        async with phone_world(name="audiosocket") as world:
            door = world.gateway.audiosocket
            assert door is not None
            async with door.listening(AudioSocketConfig(port=0)) as port:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(IDENTITY + AUDIO)
                header = await reader.readexactly(3)
                audio = await reader.readexactly(int.from_bytes(header[1:], "big"))
                await world.desk.close()
                rest = await reader.read()
                writer.close()

            assert header[0] == 0x10
            assert len(audio) == 320
            assert rest.endswith(HANG_UP)
            assert world.record.end is not None
            assert world.record.end.reason == "system_error"

    await on_loopback(talk())


async def test_a_port_that_is_taken_is_one_sentence() -> None:
    async with phone_world(name="audiosocket") as world:
        door = world.gateway.audiosocket
        assert door is not None
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            config = AudioSocketConfig(port=taken.getsockname()[1])
            with pytest.raises(
                UsageError,
                match=r"cannot listen on 127\.0\.0\.1 port \d+ for AudioSocket: Address already in use$",
            ):
                async with door.listening(config):
                    pass
