"""Sockets in memory keep the promises of the real ones."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest

from bridge.legs.media_socket import MediaSocket, SocketLimits
from bridge.legs.memory_socket import memory_pair
from bridge.virtual import run_virtual
from tests.fakes.socket_log import SocketLog

T = TypeVar("T")
SMALL = SocketLimits(
    max_message_bytes=10, max_kept_messages=3, max_kept_bytes=25, max_buffered_bytes=100
)


def _pair() -> tuple[MediaSocket, MediaSocket]:
    return memory_pair(asyncio.get_running_loop(), client_limits=SMALL, server_limits=SMALL)


def _run(main: Coroutine[Any, Any, T]) -> T:
    return run_virtual(main)


async def _settle() -> None:
    await asyncio.sleep(1)


def test_messages_arrive_in_order_in_both_directions() -> None:
    async def main() -> tuple[SocketLog, SocketLog]:
        client, server = _pair()
        at_client, at_server = SocketLog(), SocketLog()
        client.start(at_client)
        server.start(at_server)
        for number in range(5):
            client.send_text(str(number))
            client.send_bytes(bytes([number]))
            server.send_text(f"s{number}")
        await _settle()
        return at_client, at_server

    at_client, at_server = _run(main())

    assert at_client.heard == ["s0", "s1", "s2", "s3", "s4"]
    assert at_server.heard == ["0", b"\0", "1", b"\1", "2", b"\2", "3", b"\3", "4", b"\4"]


def test_nothing_is_delivered_within_send_or_start() -> None:
    async def main() -> tuple[int, int, int]:
        client, server = _pair()
        log = SocketLog()
        client.send_text("early")
        await _settle()
        server.start(log)
        after_start = len(log.heard)
        await _settle()
        client.send_text("late")
        after_send = len(log.heard)
        await _settle()
        return after_start, after_send, len(log.heard)

    assert _run(main()) == (0, 1, 2)


def test_what_came_before_start_comes_first() -> None:
    async def main() -> list[str | bytes]:
        client, server = _pair()
        log = SocketLog()
        client.send_text("1")
        client.send_bytes(b"2")
        await _settle()
        client.send_text("3")
        server.start(log)
        client.send_text("4")
        await _settle()
        return log.heard

    assert _run(main()) == ["1", b"2", "3", "4"]


@pytest.mark.parametrize(
    ("messages", "fits"),
    [([b"1"] * 3, True), ([b"1"] * 4, False), ([b"x" * 10, b"x" * 10, b"x" * 5], True),
     ([b"x" * 10, b"x" * 10, b"x" * 6], False)],
)  # fmt: skip
def test_what_may_wait_for_start_is_bounded(messages: list[bytes], fits: bool) -> None:
    async def main() -> tuple[SocketLog, SocketLog]:
        client, server = _pair()
        at_client, at_server = SocketLog(), SocketLog()
        client.start(at_client)
        for message in messages:
            client.send_bytes(message)
            await _settle()
        server.start(at_server)
        await _settle()
        return at_client, at_server

    at_client, at_server = _run(main())

    if fits:
        assert at_server.heard == messages
        assert at_client.closes == at_server.closes == []
    else:
        assert at_server.heard == []
        assert at_client.closes == at_server.closes
        assert at_client.closes[0][0] == 1008


def test_a_close_reaches_both_ends_once_and_after_what_was_sent_before() -> None:
    async def main() -> tuple[SocketLog, SocketLog]:
        client, server = _pair()
        at_client, at_server = SocketLog(), SocketLog()
        client.start(at_client)
        server.start(at_server)
        client.send_text("last")
        client.close(1001, "bye")
        client.close(1002, "again")
        server.close(1003, "crossing")
        client.send_text("ignored")
        await _settle()
        server.send_text("ignored")
        server.close()
        await _settle()
        return at_client, at_server

    at_client, at_server = _run(main())

    assert at_client.closes == [(1001, "bye")]
    assert at_server.closes == [(1003, "crossing")]
    assert at_client.heard == at_server.heard == []


def test_messages_sent_before_the_peers_close_are_still_delivered() -> None:
    async def main() -> SocketLog:
        client, server = _pair()
        log = SocketLog()
        client.send_text("last")
        client.close()
        await _settle()
        server.start(log)
        await _settle()
        return log

    log = _run(main())

    assert log.heard == ["last"]
    assert log.closes == [(1000, "")]


def test_after_our_own_close_nothing_more_is_delivered() -> None:
    async def main() -> SocketLog:
        client, server = _pair()
        log = SocketLog()
        server.start(log)
        await _settle()
        client.send_text("on its way")
        server.close()
        await _settle()
        return log

    log = _run(main())

    assert log.heard == []
    assert log.closes == [(1000, "")]


@pytest.mark.parametrize(
    ("message", "fits"),
    [("x" * 10, True), ("x" * 11, False), ("é" * 5, True), ("é" * 6, False), (b"x" * 10, True),
     (b"x" * 11, False)],
)  # fmt: skip
def test_a_message_over_the_limit_closes_with_1009(message: str | bytes, fits: bool) -> None:
    async def main() -> tuple[SocketLog, SocketLog]:
        client, server = _pair()
        at_client, at_server = SocketLog(), SocketLog()
        client.start(at_client)
        server.start(at_server)
        if isinstance(message, str):
            client.send_text(message)
        else:
            client.send_bytes(message)
        await _settle()
        return at_client, at_server

    at_client, at_server = _run(main())

    assert at_server.heard == ([message] if fits else [])
    assert [code for code, _ in at_client.closes] == ([] if fits else [1009])
    assert at_server.closes == at_client.closes
    assert (at_server.ours, at_client.ours) == (not fits, False)


@pytest.mark.parametrize(("n", "fits"), [(10, True), (11, False)])
def test_more_than_the_buffer_holds_closes_with_1013(n: int, fits: bool) -> None:
    async def main() -> tuple[int, SocketLog]:
        client, server = _pair()
        log = SocketLog()
        client.start(log)
        server.start(SocketLog())
        for _ in range(n):
            client.send_bytes(b"x" * 10)
        buffered = client.buffered_bytes
        await _settle()
        assert client.buffered_bytes == 0
        return buffered, log

    buffered, log = _run(main())

    assert buffered == 10 * n
    assert [code for code, _ in log.closes] == ([] if fits else [1013])


def test_a_receiver_that_raises_ends_its_socket_and_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(_message: str | bytes) -> None:
        raise KeyError("bug")

    async def main() -> tuple[SocketLog, SocketLog]:
        client, server = _pair()
        at_client, at_server = SocketLog(), SocketLog(refuse)
        client.start(at_client)
        server.start(at_server)
        client.send_text("1")
        client.send_text("2")
        await _settle()
        return at_client, at_server

    with caplog.at_level(logging.ERROR):
        at_client, at_server = _run(main())

    assert at_server.heard == ["1"]
    assert at_client.closes == at_server.closes == [(1011, "internal error")]
    assert "KeyError" in caplog.text


def test_a_receiver_may_close_from_within_a_kept_message() -> None:
    async def main() -> SocketLog:
        client, server = _pair()
        log = SocketLog(lambda _message: server.close(4000, "enough"))
        client.send_text("1")
        client.send_text("2")
        await _settle()
        server.start(log)
        await _settle()
        return log

    log = _run(main())

    assert log.heard == ["1"]
    assert log.closes == [(4000, "enough")]


def test_a_sent_buffer_may_be_changed_by_its_owner() -> None:
    async def main() -> list[str | bytes]:
        client, server = _pair()
        log = SocketLog()
        server.start(log)
        buffer = bytearray(b"abc")
        client.send_bytes(bytes(buffer))
        buffer[0] = 0
        await _settle()
        return log.heard

    assert _run(main()) == [b"abc"]


@pytest.mark.parametrize("frame_bytes", [160, 320])
def test_a_client_that_listens_late_has_lost_nothing_of_a_full_client_buffer(
    frame_bytes: int,
) -> None:
    n_frames = 30 * 16_000 // frame_bytes  # 30 s at 8 kHz

    async def main() -> tuple[SocketLog, int]:
        client, server = memory_pair(asyncio.get_running_loop())
        log = SocketLog()
        for _ in range(n_frames):
            server.send_bytes(bytes(frame_bytes))
        await _settle()
        client.start(log)
        await _settle()
        return log, len(log.heard)

    log, heard = _run(main())

    assert heard == n_frames
    assert not log.closes
