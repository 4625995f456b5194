"""Small things that would grow large: each is refused within a second of our own and costs no memory to speak of."""

import asyncio
import contextlib
import gzip
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import pytest

from tests.fakes.memory_watch import MemoryWatch, memory_watch
from tests.fakes.own_time import own_time_s
from tests.fakes.raw_websocket import (
    BINARY,
    CONTINUATION,
    TEXT,
    RawWebSocket,
    frame,
    upgrade,
)
from tests.fakes.served import Served, served

MAX_GROWN_BYTES: Final = 10 * 2**20
REFUSED_WITHIN_S: Final = 1.0
MIB: Final = 2**20


Bombs: TypeAlias = dict[str, Iterator[bytes]]


@pytest.fixture
def requests() -> Bombs:
    """Made before anybody counts time: some take longer than a loop may be held up."""
    return {name: make() for name, (make, _) in REQUESTS.items()}


@pytest.fixture
def messages() -> Bombs:
    """Likewise."""
    _deflated()
    return {name: make() for name, (make, _) in MESSAGES.items()}


@cache
def _gzipped() -> bytes:
    return gzip.compress(bytes(50 * MIB))


def _post(*lines: str) -> bytes:
    head = ["POST /api/calls HTTP/1.1", "Host: localhost", "Content-Type: application/json", *lines]
    return "\r\n".join([*head, "", ""]).encode()


def _body(body: bytes, *lines: str) -> Iterator[bytes]:
    yield _post(f"Content-Length: {len(body)}", *lines)
    yield body


def _endless_body() -> Iterator[bytes]:
    yield _post(f"Content-Length: {10**12}")
    while True:
        yield b" " * 65_536


def _endless_chunks() -> Iterator[bytes]:
    yield _post("Transfer-Encoding: chunked")
    while True:
        yield b"1\r\n \r\n" * 5_000


def _one_huge_chunk() -> Iterator[bytes]:
    yield _post("Transfer-Encoding: chunked") + b"FFFFFFFFFF\r\n"
    while True:
        yield b" " * 65_536


def _endless_chunk_size() -> Iterator[bytes]:
    yield _post("Transfer-Encoding: chunked")
    while True:
        yield b"0" * 10_000


def _endless_trailers() -> Iterator[bytes]:
    yield _post("Transfer-Encoding: chunked") + b"0\r\n"
    while True:
        yield b"X-More: y\r\n" * 1_000


def _endless_head() -> Iterator[bytes]:
    yield b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    while True:
        yield b"X: " + b"y" * 8_000 + b"\r\n"


def _endless_line() -> Iterator[bytes]:
    yield b"GET /"
    while True:
        yield b"a" * 4_000


REQUESTS: Final[dict[str, tuple[Callable[[], Iterator[bytes]], set[int]]]] = {
    "a million brackets": (lambda: _body(b"[" * (MIB - 8)), {400}),
    "a million closed brackets": (lambda: _body(b"[" * 500_000 + b"]" * 500_000), {400}),
    "a hundred thousand objects": (lambda: _body(b'{"a":' * 100_000), {400}),
    "a number of a million digits": (lambda: _body(b'{"a": ' + b"1" * 10**6 + b"}"), {400}),
    "half a million nodes": (lambda: _body(b'{"a": [' + b"0," * 500_000 + b"0]}"), {400}),
    "a hundred thousand keys": (
        lambda: _body(b"{" + b",".join(b'"%d":0' % n for n in range(90_000)) + b"}"),
        {400},
    ),
    "a mebibyte of text": (lambda: _body(b'{"a": "' + b"x" * MIB + b'"}'), {413}),
    "gzip": (lambda: _body(_gzipped(), "Content-Encoding: gzip"), {400, 415}),
    "a body without end": (_endless_body, {413}),
    "chunks without end": (_endless_chunks, {400}),
    "one chunk of a tebibyte": (_one_huge_chunk, {413}),
    "a chunk size without end": (_endless_chunk_size, {400, 408, 413, 431}),
    "trailers without end": (_endless_trailers, {400, 408, 413, 431}),
    "a head without end": (_endless_head, {431}),
    "a line without end": (_endless_line, {431}),
}


async def test_requests_that_would_grow_are_refused_in_time_and_in_little_memory(
    requests: Bombs,
) -> None:
    wrong = []
    async with running() as house:
        for name, (_, statuses) in REQUESTS.items():
            reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
            async with memory_watch() as memory, pouring(writer, requests[name]) as poured:
                head = await reader.readuntil(b"\r\n")
            writer.close()
            if int(head.split()[1]) not in statuses or not poured.passes(memory):
                wrong.append((name, head, poured.took_s, memory.grown_bytes))

    assert wrong == []


@cache
def _deflated() -> bytes:
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeezer.compress(bytes(50 * MIB)) + squeezer.flush(zlib.Z_SYNC_FLUSH)[:-4]


def _compressed_frames() -> Iterator[bytes]:
    payload = _deflated()
    for start in range(0, len(payload), 60_000):
        kind = CONTINUATION if start else BINARY
        yield frame(kind, payload[start : start + 60_000], fin=False, rsv=4)


def _a_tebibyte() -> Iterator[bytes]:
    yield bytes([0x82, 0xFF]) + struct.pack("!Q", 2**40) + b"\1\2\3\4"
    while True:
        yield bytes(65_536)


def _fragments_without_end() -> Iterator[bytes]:
    yield frame(BINARY, fin=False)
    while True:
        yield frame(CONTINUATION, bytes(1_000), fin=False)


def _texts(text: bytes, n: int) -> Iterator[bytes]:
    return iter([frame(TEXT, text)] * n)


MESSAGES: Final[dict[str, tuple[Callable[[], Iterator[bytes]], int]]] = {
    "a compressed message": (lambda: iter([frame(BINARY, _deflated(), rsv=4)]), 1002),
    "a compressed message in fragments": (_compressed_frames, 1002),
    "a frame of a tebibyte": (_a_tebibyte, 1009),
    "fragments without end": (_fragments_without_end, 1009),
    "brackets, again and again": (lambda: _texts(b"[" * 65_000, 150), 1008),
    "objects, again and again": (lambda: _texts(b'{"type":' * 8_000, 150), 1008),
    "long numbers, again and again": (lambda: _texts(b'{"type":' + b"1" * 60_000, 150), 1008),
}


async def test_messages_that_would_grow_end_their_call_in_time_and_in_little_memory(
    messages: Bombs,
) -> None:
    wrong = []
    async with running() as house:
        for name, (_, code) in MESSAGES.items():
            raw = await RawWebSocket.open(await house.created())
            async with memory_watch() as memory, pouring(raw.writer, messages[name]) as poured:
                got = await raw.close_code()
            await raw.leave()
            if got != code or not poured.passes(memory):
                wrong.append((name, got, poured.took_s, memory.grown_bytes))

    assert wrong == []


async def test_compression_that_is_offered_is_not_accepted() -> None:
    async with running() as house:
        path = urlsplit(await house.created()).path
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-webkit-deflate-frame"
        writer.write(upgrade(path, offer))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        writer.close()

    assert head.startswith(b"http/1.1 101 ")
    assert b"extensions" not in head


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Served]:
    """A call server, and no test that takes long."""
    async with asyncio.timeout(50), served() as house:
        yield house


@dataclass
class Poured:
    """How long it took until the bomb was refused, without what other programs took of it."""

    took_s: float = 0.0

    def passes(self, memory: MemoryWatch) -> bool:
        return self.took_s < REFUSED_WITHIN_S and memory.grown_bytes < MAX_GROWN_BYTES


@contextlib.asynccontextmanager
async def pouring(writer: asyncio.StreamWriter, chunks: Iterator[bytes]) -> AsyncIterator[Poured]:
    """Send on and on until the context is left."""

    async def pour() -> None:
        with contextlib.suppress(ConnectionError):
            for chunk in chunks:
                writer.write(chunk)
                await writer.drain()
                await asyncio.sleep(0)

    poured = Poured()
    started_s = own_time_s()
    task = asyncio.create_task(pour(), name="pour")
    yield poured
    poured.took_s = own_time_s() - started_s
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
