"""The carrier's end of a media socket by itself: what it sends when, and to whom it listens no more."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from bridge.legs.media_socket import SocketReceiver
from bridge.testing.call_log import CallLog
from bridge.testing.carriers.twilio.media import StreamIds, TwilioMedia
from bridge.testing.commands import StreamEnd
from bridge.testing.stream import CLOSE_S, MAX_UNREAD_BYTES, MediaStream
from bridge.testing.true_ear import TrueEar
from bridge.virtual import run_virtual
from bridge_codecs.pcm import silence


class HeldSocket:
    """A socket whose far end may read nothing and close never."""

    def __init__(self) -> None:
        self.buffered_bytes = 0
        self.peer = "far"
        self.sent: list[str | bytes] = []
        self.closed: list[int] = []
        self.receiver: SocketReceiver | None = None

    def start(self, receiver: SocketReceiver) -> None:
        self.receiver = receiver

    def send_text(self, text: str) -> None:
        self.sent.append(text)

    def send_bytes(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed.append(code)


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def opened() -> tuple[MediaStream, HeldSocket, CallLog]:
    loop = asyncio.get_running_loop()
    log, socket = CallLog(loop.time), HeldSocket()
    stream = MediaStream(TwilioMedia(StreamIds("a", "c", "s")), socket, TrueEar(8_000), log)
    stream.start()
    return stream, socket, log


def test_an_application_that_does_not_read_loses_audio_and_is_told_the_carriers_number() -> None:
    async def test() -> None:
        stream, socket, log = opened()
        n_sent = len(socket.sent)
        socket.buffered_bytes = MAX_UNREAD_BYTES + 1
        stream.said(silence(160))
        assert len(socket.sent) == n_sent
        assert "31930" in log.problems[0]
        socket.buffered_bytes = MAX_UNREAD_BYTES
        stream.said(silence(160))
        assert len(socket.sent) == n_sent + 1

    play(test())


def test_closing_takes_no_longer_than_its_bound_though_nobody_answers() -> None:
    async def test() -> None:
        stream, socket, _ = opened()
        began_s = asyncio.get_running_loop().time()
        await stream.close(StreamEnd("caller", "it was enough"))
        assert asyncio.get_running_loop().time() - began_s == pytest.approx(CLOSE_S)
        assert socket.closed == [1000]
        assert "stop" in str(socket.sent[-1])

    play(test())


def test_after_its_end_a_stream_hears_and_says_nothing() -> None:
    async def test() -> None:
        stream, socket, log = opened()
        stream.on_close(1000, "")
        end = await stream.ended
        n_sent = len(socket.sent)
        stream.on_text('{"event": "clear", "streamSid": "s"}')
        stream.said(silence(160))
        stream.key("1")
        stream.play(160)
        assert end == StreamEnd("application", "it closed the socket with 1000")
        assert len(socket.sent) == n_sent
        assert log.count("clear") == 0
        await stream.close(end)

    play(test())


def test_a_connection_that_is_lost_is_the_networks_doing() -> None:
    async def test() -> None:
        stream, _, _ = opened()
        stream.on_close(1006, "gone")
        end = await stream.ended
        assert end.by == "network"

    play(test())


def test_much_audio_at_once_is_a_remark_not_a_mistake() -> None:
    async def test() -> None:
        import base64

        stream, _, log = opened()
        payload = base64.b64encode(bytes(8_000)).decode()
        for _ in range(31):
            stream.on_text(
                f'{{"event": "media", "streamSid": "s", "media": {{"payload": "{payload}"}}}}'
            )
        assert log.problems == []
        assert "30 s of audio" in log.notes[0]

    play(test())
