"""RFC 6455 by families, as a client would try them: framing, ping, reserved bits, opcodes, fragments, UTF-8, closing.

Each case is bytes to send and what must come back from a server that echoes messages: frames in order, or a close code.
"""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bridge.legs.media_socket import MediaSocket
from tests.fakes.picows_server import picows_server
from tests.fakes.raw_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    RawWebSocket,
    frame,
)
from tests.fakes.socket_log import SocketLog

BYE = frame(CLOSE, struct.pack("!H", 1000))


@dataclass(frozen=True)
class Case:
    """Something to send, what must be echoed or answered, and the close code that must come then."""

    name: str
    sent: bytes
    answers: tuple[tuple[int, bytes], ...] = ()
    code: int = 1000


def fits(name: str, sent: bytes, *answers: tuple[int, bytes]) -> Case:
    """A case after which the connection lives: we say goodbye ourselves."""
    return Case(name, sent + BYE, answers)


def breaks(name: str, sent: bytes, code: int = 1002) -> Case:
    """A case that is answered with a close; what comes behind it is not heard."""
    return Case(name, sent + frame(TEXT, b"behind"), (), code)


def framing() -> Iterator[Case]:
    for size in (0, 1, 125, 126, 127, 128, 1_000, 65_535, 65_536):
        for opcode in (TEXT, BINARY):
            yield fits(
                f"{size} bytes, opcode {opcode}",
                frame(opcode, b"*" * size),
                (opcode, b"*" * size),
            )
    for size in (65_537, 131_072):
        yield breaks(f"{size} bytes", frame(BINARY, b"*" * size), 1009)
    for exponent in (32, 40, 62):
        header = bytes([0x82, 0xFF]) + struct.pack("!Q", 2**exponent) + b"\1\2\3\4" + b"*" * 64
        yield breaks(f"a length of 2**{exponent}", header, 1009)
    header = bytes([0x82, 0xFF]) + struct.pack("!Q", 2**63) + b"\1\2\3\4" + b"*" * 64
    yield breaks("a length of 2**63", header)
    for opcode in (TEXT, BINARY, PING, CLOSE):
        yield breaks(f"unmasked, opcode {opcode}", frame(opcode, b"", masked=False))
    yield fits(
        "ten messages at once",
        b"".join(frame(TEXT, str(n).encode()) for n in range(10)),
        *((TEXT, str(n).encode()) for n in range(10)),
    )


def pings() -> Iterator[Case]:
    for payload in (b"", b"hello", bytes(range(124)), b"\xff\xfe\0", b"*" * 125):
        yield fits(f"ping of {len(payload)} bytes", frame(PING, payload), (PONG, payload))
    yield breaks("ping of 126 bytes", frame(PING, b"*" * 126))
    yield breaks("pong of 126 bytes", frame(PONG, b"*" * 126))
    yield fits("pong that nobody asked for", frame(PONG, b"x"))
    yield fits("pong, then ping", frame(PONG, b"x") + frame(PING, b"y"), (PONG, b"y"))
    yield fits(
        "ten pings",
        b"".join(frame(PING, bytes([n])) for n in range(10)),
        *((PONG, bytes([n])) for n in range(10)),
    )
    for opcode in (PING, PONG, CLOSE):
        yield breaks(f"fragmented, opcode {opcode}", frame(opcode, b"", fin=False))


def reserved() -> Iterator[Case]:
    for rsv in range(1, 8):
        for opcode in (TEXT, BINARY, PING, PONG, CLOSE):
            yield breaks(f"reserved bits {rsv}, opcode {opcode}", frame(opcode, b"", rsv=rsv))
        yield breaks(
            f"reserved bits {rsv}, continuation",
            frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b", rsv=rsv),
        )
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        for payload in (b"", b"x"):
            yield breaks(f"opcode {opcode} of {len(payload)}", frame(opcode, payload))


def _pieces(n: int, last: bool = True) -> bytes:
    middle = frame(CONTINUATION, b"*", fin=False) * (n - 2)
    return frame(BINARY, b"*", fin=False) + middle + frame(CONTINUATION, b"*", fin=last)


def fragments() -> Iterator[Case]:
    for n in (2, 3, 63, 64):
        yield fits(f"{n} fragments", _pieces(n), (BINARY, b"*" * n))
    for n in (65, 66, 4_096, 5_000):
        yield breaks(f"{n} fragments", _pieces(n), 1009)
        yield breaks(f"{n} fragments without end", _pieces(n, last=False), 1009)
    empty = frame(BINARY, fin=False) + frame(CONTINUATION, fin=False) * 5_000
    yield breaks("5,000 empty fragments", empty, 1009)
    yield fits(
        "empty fragments",
        frame(TEXT, fin=False) + frame(CONTINUATION, fin=False) + frame(CONTINUATION),
        (TEXT, b""),
    )
    within = frame(TEXT, b"a", fin=False) + frame(PING, b"p") + frame(CONTINUATION, b"b")
    yield fits("ping within fragments", within, (PONG, b"p"), (TEXT, b"ab"))
    for fin in (True, False):
        yield breaks(f"continuation of nothing, fin {fin}", frame(CONTINUATION, b"a", fin=fin))
        yield breaks(
            f"another message within fragments, fin {fin}",
            frame(TEXT, b"a", fin=False) + frame(BINARY, b"b", fin=fin),
        )
        again = frame(TEXT, b"a", fin=False) + frame(CONTINUATION, b"b")
        yield Case(
            f"continuation after the end, fin {fin}",
            again + frame(CONTINUATION, b"c", fin=fin),
            ((TEXT, b"ab"),),
            1002,
        )


GOOD_TEXT = (
    "Hello-µ@ßöäüàá-UTF-8!!",
    "κόσμε",
    "\0",
    "\x7f\x80",
    "\u07ff\u0800",
    "\ud7ff\ue000",
    "\ufffd\uffff",
    "\U00010000\U0010ffff",
    "\ufffe\U0001fffe",
)
BAD_TEXT = (
    b"\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited",
    b"\x80",
    b"\xbf",
    b"\x80\xbf",
    b"\xc0 ",
    b"\xc0\xaf",
    b"\xc1\xbf",
    b"\xe0\x80\xaf",
    b"\xe0\x9f\xbf",
    b"\xed\xa0\x80",
    b"\xed\xbf\xbf",
    b"\xf0\x8f\xbf\xbf",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xf8\x88\x80\x80\x80",
    b"\xfc\x84\x80\x80\x80\x80",
    b"\xfe",
    b"\xff",
    b"\xc3",
    b"\xe2\x82",
    b"\xf0\x9f\x98",
)


def texts() -> Iterator[Case]:
    for text in GOOD_TEXT:
        data = text.encode()
        yield fits(f"good text {text!r}", frame(TEXT, data), (TEXT, data))
        split = b"".join(frame(CONTINUATION, data[n : n + 1], fin=False) for n in range(len(data)))
        split = frame(TEXT, fin=False) + split + frame(CONTINUATION)
        yield fits(f"good text byte by byte {text!r}", split, (TEXT, data))
    for data in BAD_TEXT:
        yield breaks(f"bad text {data!r}", frame(TEXT, data), 1007)
        split = frame(TEXT, data[:1], fin=False) + frame(CONTINUATION, data[1:])
        yield breaks(f"bad text in fragments {data!r}", split, 1007)
        yield fits(f"bad text as bytes {data!r}", frame(BINARY, data), (BINARY, data))


def closes() -> Iterator[Case]:
    def close(code: int, reason: bytes = b"") -> bytes:
        return frame(CLOSE, struct.pack("!H", code) + reason)

    for code in (*range(1000, 1004), *range(1007, 1015), 3000, 3999, 4000, 4999):
        yield Case(f"close with {code}", close(code), (), code)
    for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 9999, 65_535):
        yield Case(f"close with {code}", close(code), (), 1002)
    yield Case("close without a code", frame(CLOSE), (), 1000)
    yield Case("close of one byte", frame(CLOSE, b"\x03"), (), 1002)
    yield Case("close with a reason", close(1000, "é".encode() * 61), (), 1000)
    yield Case("close with too long a reason", close(1000, b"*" * 124), (), 1002)
    yield Case("close with a bad reason", close(1000, b"\xce\xba\xff"), (), 1007)
    for name, more in {"text": frame(TEXT, b"x"), "ping": frame(PING), "close": BYE}.items():
        yield Case(f"{name} after a close", close(1000) + more, (), 1000)
    open_fragment = frame(TEXT, b"a", fin=False)
    yield Case("close within fragments", open_fragment + close(1000), (), 1000)
    yield Case("rest after a close", open_fragment + close(1000) + frame(CONTINUATION), (), 1000)


FAMILIES = {
    "framing": framing,
    "pings": pings,
    "reserved": reserved,
    "fragments": fragments,
    "texts": texts,
    "closes": closes,
}


EXCEPTIONS = {"close after a close": ((), 1002)}
"""What comes instead; at most two, and a case that starts to pass must be taken off the list."""


@asynccontextmanager
async def echo() -> AsyncIterator[tuple[str, list[SocketLog]]]:
    """A server that sends every message back."""
    logs: list[SocketLog] = []

    def take(socket: MediaSocket) -> None:
        def react(message: str | bytes) -> None:
            if isinstance(message, str):
                socket.send_text(message)
            else:
                socket.send_bytes(message)

        logs.append(SocketLog(react))
        socket.start(logs[-1])

    async with picows_server(take) as url:
        yield url, logs


async def outcome(raw: RawWebSocket) -> tuple[tuple[tuple[int, bytes], ...], int]:
    """The frames that come until the close, and its code: 0 for none, -1 if no close comes."""
    answers: list[tuple[int, bytes]] = []
    while True:
        opcode, payload = await raw.receive()
        if opcode == CLOSE:
            return tuple(answers), struct.unpack("!H", payload[:2])[0] if payload else 0
        if opcode == -1:
            return tuple(answers), -1
        answers.append((opcode, payload))


async def tried(url: str, case: Case, step: int) -> str | None:
    """Try a case, so many bytes at a time; what is wrong with the answer."""
    raw = await RawWebSocket.open(url)
    try:
        for start in range(0, len(case.sent), step):
            raw.writer.write(case.sent[start : start + step])
            if step == 1:
                await asyncio.sleep(0)
        got = await outcome(raw)
    finally:
        await raw.leave()
    wanted = EXCEPTIONS.get(case.name, (case.answers, case.code))
    return None if got == wanted else f"{case.name}: {wanted!r:.200} wanted, {got!r:.200} came"


@pytest.mark.parametrize("family", FAMILIES)
async def test_every_case_of_a_family_is_answered_as_the_standard_says(family: str) -> None:
    cases = list(FAMILIES[family]())
    async with asyncio.timeout(30), echo() as (url, logs):
        wrong = [await tried(url, case, 2**20) for case in cases]
        for log in logs:
            await log.closed.wait()

    assert "\n".join(each for each in wrong if each) == ""
    assert all(len(log.closes) == 1 for log in logs)
    assert all("behind" not in log.heard for log in logs)


async def test_bytes_that_come_one_by_one_make_the_same_frames() -> None:
    short = [c for family in FAMILIES.values() for c in family() if len(c.sent) < 100]
    cases = [case for case in short[::5] if case.name not in EXCEPTIONS]
    async with asyncio.timeout(30), echo() as (url, logs):
        wrong = [await tried(url, case, 1) for case in cases]
        for log in logs:
            await log.closed.wait()

    assert len(cases) > 40
    assert "\n".join(each for each in wrong if each) == ""


def test_there_are_as_many_cases_as_the_public_suite_has() -> None:
    assert sum(len(list(family())) for family in FAMILIES.values()) >= 246
