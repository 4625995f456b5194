"""The server's side of a media socket, against a client that says anything."""

import asyncio
import socket as sockets
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.legs.media_socket import SERVER_LIMITS, MediaSocket, SocketLimits
from bridge.legs.outbox import FULL, outbox_of
from bridge.legs.picows_socket import accept
from tests.fakes.picows_server import picows_server
from tests.fakes.raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    KEY,
    PING,
    PONG,
    TEXT,
    RawWebSocket,
    frame,
)
from tests.fakes.socket_log import SocketLog

IMPATIENT = replace(SERVER_LIMITS, ping_s=0.05, stall_s=0.1, close_s=0.1)


class Visit:
    """A client on its connection, and the server's socket with what it heard."""

    def __init__(self, raw: RawWebSocket, socket: MediaSocket, log: SocketLog) -> None:
        self.raw = raw
        self.socket = socket
        self.log = log

    async def ending(self) -> tuple[int, str]:
        await self.log.closed.wait()
        return self.log.closes[0]


@asynccontextmanager
async def visit(
    limits: SocketLimits = SERVER_LIMITS, *, start: bool = True
) -> AsyncIterator[Visit]:
    accepted: asyncio.Future[MediaSocket] = asyncio.get_running_loop().create_future()
    async with asyncio.timeout(10), picows_server(accepted.set_result, limits) as url:
        raw = await RawWebSocket.open(url)
        log = SocketLog()
        socket = await accepted
        if start:
            socket.start(log)
        try:
            yield Visit(raw, socket, log)
        finally:
            await raw.leave()
            if start:
                await log.closed.wait()
                assert len(log.closes) == 1


async def test_messages_pass_in_order_in_both_directions() -> None:
    async with visit() as v:
        v.raw.send(frame(TEXT, b"a"), frame(BINARY, b"b"), frame(TEXT, "é".encode()))
        v.socket.send_text("ü")
        v.socket.send_bytes(b"\0" * 70_000)

        assert await v.log.wait_heard(3) == ["a", b"b", "é"]
        assert await v.raw.receive() == (TEXT, "ü".encode())
        assert await v.raw.receive() == (BINARY, b"\0" * 70_000)


async def test_what_came_before_start_comes_first() -> None:
    async with visit(start=False) as v:
        v.raw.send(frame(TEXT, b"1"), frame(PING))
        await v.raw.receive()
        v.raw.send(frame(BINARY, b"2"))
        v.socket.start(v.log)

        assert await v.log.wait_heard(2) == ["1", b"2"]


async def test_fragments_are_put_together_with_a_ping_between_them() -> None:
    async with visit() as v:
        v.raw.send(
            frame(TEXT, "é".encode()[:1], fin=False),
            frame(PING, b"p"),
            frame(CONTINUATION, "é".encode()[1:] + b"t", fin=False),
            frame(CONTINUATION, b"!"),
            frame(BINARY, b"x", fin=False),
            frame(CONTINUATION, b"y"),
        )

        assert await v.log.wait_heard(2) == ["ét!", b"xy"]
        assert await v.raw.receive() == (PONG, b"p")


BREACHES = {
    "unmasked": (1002, [frame(TEXT, b"a", masked=False)]),
    "reserved bit": (1002, [frame(TEXT, b"a", rsv=4)]),
    "reserved bit in a fragment": (1002, [frame(TEXT, b"a", fin=False, rsv=1)]),
    "unknown opcode": (1002, [frame(3, b"a")]),
    "fragmented ping": (1002, [frame(PING, fin=False)]),
    "long ping": (1002, [frame(PING, b"x" * 126)]),
    "continuation of nothing": (1002, [frame(CONTINUATION, b"a")]),
    "text within fragments": (1002, [frame(TEXT, b"a", fin=False), frame(TEXT, b"b")]),
    "text begun within fragments": (
        1002,
        [frame(TEXT, b"a", fin=False), frame(TEXT, b"b", fin=False)],
    ),
    "text that is no utf-8": (1007, [frame(TEXT, b"\xff")]),
    "text with a surrogate": (1007, [frame(TEXT, b"\xed\xa0\x80")]),
    "fragmented text that is no utf-8": (
        1007,
        [frame(TEXT, b"\xc3", fin=False), frame(CONTINUATION, b"\xc3")],
    ),
    "one-byte close": (1002, [frame(CLOSE, b"\x03")]),
    "forbidden close code": (1002, [frame(CLOSE, struct.pack("!H", 1005))]),
    "close reason that is no utf-8": (1007, [frame(CLOSE, struct.pack("!H", 1000) + b"\xff")]),
    "length of 2**62": (1009, [bytes([0x82, 0xFF]) + struct.pack("!Q", 2**62)]),
    "length of 2**63": (1002, [bytes([0x82, 0xFF]) + struct.pack("!Q", 2**63)]),
}


@pytest.mark.parametrize("name", BREACHES)
async def test_a_breach_of_the_protocol_closes_with_its_code(name: str) -> None:
    code, frames = BREACHES[name]

    async with visit() as v:
        v.raw.send(*frames)

        assert await v.raw.close_code() == code
        assert (await v.ending())[0] == code
        assert v.log.heard == []
        assert v.log.ours


SIZES = {
    "largest frame": ([frame(BINARY, b"x" * 65_536)], True),
    "frame too large": ([frame(BINARY, b"x" * 65_537)], False),
    "largest in fragments": (
        [frame(BINARY, b"x" * 65_000, fin=False), frame(CONTINUATION, b"x" * 536)],
        True,
    ),
    "too large in fragments": (
        [frame(BINARY, b"x" * 65_000, fin=False), frame(CONTINUATION, b"x" * 537)],
        False,
    ),
    "most fragments": (
        [frame(BINARY, fin=False), *[frame(CONTINUATION, fin=False)] * 62, frame(CONTINUATION)],
        True,
    ),
    "too many fragments": (
        [frame(BINARY, fin=False), *[frame(CONTINUATION, fin=False)] * 63, frame(CONTINUATION)],
        False,
    ),
}


@pytest.mark.parametrize("name", SIZES)
async def test_a_message_may_have_64_kib_in_64_fragments_and_no_more(name: str) -> None:
    frames, fits = SIZES[name]

    async with visit() as v:
        v.raw.send(*frames)

        if fits:
            [message] = await v.log.wait_heard(1)
            assert len(message) in {65_536, 0}
        else:
            assert (await v.ending())[0] == 1009
            assert v.log.heard == []


async def test_the_end_of_a_message_too_large_is_not_taken_for_a_message() -> None:
    async with visit() as v:
        v.raw.send(frame(BINARY, b"x" * 70_000), frame(TEXT, b"after"))

        assert (await v.ending())[0] == 1009
        assert v.log.heard == []


@pytest.mark.parametrize(("n", "allowed"), [(50, True), (51, False)])
async def test_fifty_pings_within_a_second_are_answered_and_no_more(n: int, allowed: bool) -> None:
    async with visit() as v:
        v.raw.send(*[frame(PING, bytes([number])) for number in range(n)])

        assert [await v.raw.receive() for _ in range(50)] == [(PONG, bytes([i])) for i in range(50)]
        if allowed:
            assert v.log.closes == []
        else:
            assert await v.raw.close_code() == 1008


async def test_a_peers_close_is_echoed_and_reported() -> None:
    async with visit() as v:
        v.raw.send(frame(TEXT, b"last"), frame(CLOSE, struct.pack("!H", 4001) + b"why"))

        assert await v.raw.close_code() == 4001
        assert await v.ending() == (4001, "why")
        assert not v.log.ours
        assert v.log.heard == ["last"]


async def test_a_close_without_a_code_is_reported_as_1005() -> None:
    async with visit() as v:
        v.raw.send(frame(CLOSE))

        assert await v.raw.close_code() == 1000
        assert await v.ending() == (1005, "")


async def test_our_close_waits_for_the_answer_and_drops_what_comes_before_it() -> None:
    async with visit() as v:
        v.socket.close(1001, "going away")
        v.socket.close(1002)
        v.socket.send_text("ignored")

        assert await v.raw.receive() == (CLOSE, struct.pack("!H", 1001) + b"going away")
        v.raw.send(frame(TEXT, b"late"))
        assert v.log.closes == []
        v.raw.send(frame(CLOSE, struct.pack("!H", 1001)))
        assert await v.ending() == (1001, "going away")
        assert v.log.heard == []


async def test_a_close_that_is_not_answered_ends_at_its_deadline() -> None:
    async with visit(IMPATIENT) as v:
        v.socket.close(1001, "going away")

        assert await v.ending() == (1001, "going away")


async def test_a_peer_that_vanishes_is_reported_as_1006() -> None:
    async with visit() as v:
        await v.raw.leave()

        assert await v.ending() == (1006, "the connection was closed without a closing handshake")


async def test_a_connection_that_breaks_is_reported_as_1006() -> None:
    async with visit() as v:
        v.raw.writer.get_extra_info("socket").setsockopt(
            sockets.SOL_SOCKET, sockets.SO_LINGER, struct.pack("ii", 1, 0)
        )
        v.raw.reset()

        code, reason = await v.ending()
        assert code == 1006
        assert "reset" in reason


async def test_a_peer_that_answers_no_ping_is_given_up() -> None:
    async with visit(IMPATIENT) as v:
        assert await v.ending() == (1006, "the peer was silent for 0.05 s after a ping")


async def test_a_peer_is_given_as_many_pings_as_the_limits_say() -> None:
    patient = replace(IMPATIENT, max_unanswered=3)
    async with visit(patient) as v:
        began_s = asyncio.get_running_loop().time()
        assert await v.ending() == (1006, "the peer was silent for 0.15 s after a ping")
        assert asyncio.get_running_loop().time() - began_s >= 0.15


@pytest.mark.parametrize("answer", [frame(PONG), frame(BINARY, b"x"), frame(TEXT, b"x")])
async def test_any_frame_answers_a_ping(answer: bytes) -> None:
    async with visit(IMPATIENT) as v:
        for _ in range(4):
            assert (await v.raw.receive())[0] == PING
            v.raw.send(answer)

        assert v.log.closes == []


async def test_a_peer_that_reads_nothing_is_given_up() -> None:
    async with visit(replace(IMPATIENT, ping_s=20)) as v:
        v.raw.writer.transport.pause_reading()  # type: ignore[attr-defined] # a read-write transport
        while v.socket.buffered_bytes < 50_000:
            v.socket.send_bytes(b"\0" * 65_536)

        assert await v.ending() == (1013, "the peer took nothing for 0.1 s")


async def test_a_peer_with_more_than_a_mebibyte_to_read_is_given_up() -> None:
    async with visit(replace(SERVER_LIMITS, close_s=0.1)) as v:
        v.raw.writer.transport.pause_reading()  # type: ignore[attr-defined]
        buffered = []
        while not v.log.closes:
            v.socket.send_bytes(b"\0" * 65_536)
            buffered.append(v.socket.buffered_bytes)
            if buffered[-1] > 2**20:
                break

        assert (await v.ending())[0] == 1013
        assert buffered[-2] <= 2**20 < buffered[-1]


async def test_a_peer_that_reads_slowly_is_kept() -> None:
    async with visit(replace(IMPATIENT, ping_s=20)) as v:
        transport = v.raw.writer.transport
        transport.pause_reading()  # type: ignore[attr-defined]
        while v.socket.buffered_bytes < 50_000:
            v.socket.send_bytes(b"\0" * 65_536)
        transport.resume_reading()  # type: ignore[attr-defined]
        while v.socket.buffered_bytes:
            await v.raw.receive()

        assert v.log.closes == []


async def test_a_receiver_that_raises_closes_with_1011(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(_message: str | bytes) -> None:
        raise KeyError("bug")

    async with visit() as v:
        v.log._react = refuse
        v.raw.send(frame(TEXT, b"a"))

        assert await v.raw.close_code() == 1011
        assert "KeyError" in caplog.text


async def test_the_peer_is_named_by_address_and_port() -> None:
    async with visit() as v:
        host, port = v.raw.writer.get_extra_info("sockname")
        assert v.socket.peer == f"{host}:{port}"


async def _fed(
    loop: asyncio.AbstractEventLoop, chunks: list[bytes]
) -> tuple[SocketLog, list[dict[str, object]]]:
    """A server socket on one end of a pair of sockets, bytes written to the other."""
    faults: list[dict[str, object]] = []
    loop.set_exception_handler(lambda _loop, context: faults.append(context))
    server = sockets.create_server(("127.0.0.1", 0))
    far = sockets.create_connection(server.getsockname())
    near, _ = server.accept()
    server.close()
    transport, _protocol = await loop.create_connection(asyncio.Protocol, sock=near)
    log = SocketLog()
    accept(transport, KEY, limits=IMPATIENT, early=chunks[0]).start(log)
    for chunk in chunks[1:]:
        with suppress(OSError):
            far.sendall(chunk)
        await asyncio.sleep(0)
    far.close()
    await log.closed.wait()
    return log, faults


OPCODES = st.sampled_from([TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG, 3, 15])
FRAMES = st.builds(
    frame,
    OPCODES,
    st.binary(max_size=200),
    fin=st.booleans(),
    rsv=st.sampled_from([0, 0, 0, 1, 4]),
    masked=st.sampled_from([True, True, True, False]),
)


@settings(max_examples=60, deadline=None)
@given(chunks=st.lists(st.one_of(FRAMES, st.binary(max_size=300)), min_size=1, max_size=12))
def test_whatever_a_client_sends_the_socket_ends_once_and_nothing_is_raised(
    chunks: list[bytes],
) -> None:
    with asyncio.Runner() as runner:
        log, faults = runner.run(_fed(runner.get_loop(), chunks))

    assert len(log.closes) == 1
    assert faults == []


PASSING: list[Callable[[], Awaitable[None]]] = [
    test_messages_pass_in_order_in_both_directions,
    test_fragments_are_put_together_with_a_ping_between_them,
    test_our_close_waits_for_the_answer_and_drops_what_comes_before_it,
    test_a_peer_that_vanishes_is_reported_as_1006,
    test_a_peer_that_reads_nothing_is_given_up,
    test_a_peer_with_more_than_a_mebibyte_to_read_is_given_up,
    test_a_peer_that_reads_slowly_is_kept,
]


@pytest.mark.parametrize("test", PASSING, ids=lambda test: test.__name__)
def test_the_same_holds_on_uvloop(test: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await test()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


async def test_messages_of_one_round_arrive_in_the_order_in_which_they_were_sent() -> None:
    async with visit() as v:
        for number in range(2 * FULL + 5):
            v.socket.send_text(str(number))
        v.socket.close(1000, "done")

        *said, end = [await v.raw.receive() for _ in range(2 * FULL + 6)]

    assert [payload for _, payload in said] == [str(n).encode() for n in range(2 * FULL + 5)]
    assert end[0] == CLOSE


async def test_what_waits_for_the_end_of_a_round_is_bounded() -> None:
    async with visit() as v:
        for _ in range(10 * FULL):
            v.socket.send_bytes(bytes(100))
            assert len(outbox_of(asyncio.get_running_loop()).messages) <= FULL
