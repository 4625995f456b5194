"""The emulators of Asterisk's two media sockets against bots written from Asterisk's documents, in virtual time.

Source: docs.asterisk.org, Channel-Drivers/WebSocket and AudioSocket (reference telephony sections 5.7 and 5.8).
"""

import asyncio
import uuid
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.network import Site
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import to_bytes
from tests.fakes.bot import BASE, STREAM_URL, Bot, tone
from tests.fakes.emulated import emulated


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


async def one_call(bot: Bot, plan: CallerPlan, **world: Any) -> PhoneCall:
    async with emulated("asterisk", BASE, bot.site, **world) as carrier:
        call = carrier.inbound(STREAM_URL, plan)
        await call.run()
    return call


def channel(**given: Any) -> Bot:
    return Bot(starts_with="", subprotocol="media", **given)


def texts(bot: Bot) -> list[str]:
    return [m for m in bot.messages if isinstance(m, str)]


@pytest.mark.parametrize("control", ["text", "json"])
def test_a_channel_begins_with_media_start_and_carries_ulaw(control: str) -> None:
    async def call() -> None:
        said = tone(1.0)

        async def talk(bot: Bot) -> None:
            bot.socket.send_bytes(encode_ulaw(said))

        bot = channel(talk=talk)
        plan = CallerPlan(turns=[CallerTurn("a", said)], keys=[KeyPresses("8", 1.0)], tail_s=0.5)
        call = await one_call(bot, plan, options={"control": control})

        assert bot.knocks[0].subprotocols == ("media",)
        if control == "text":
            name, *pairs = texts(bot)[0].split()
            start = dict(pair.split(":", 1) for pair in pairs)
            assert "DTMF_END digit:8" in texts(bot)
        else:
            start = bot.messages[0]
            name = start["event"]
            assert bot.of("DTMF_END")[0]["digit"] == "8"
            assert start["channel_variables"]["EXTEN"] == "+15550100002"
        assert name == "MEDIA_START"
        assert (start["format"], str(start["optimal_frame_size"])) == ("ulaw", "160")
        assert {len(frame) for frame in bot.binary} == {160}
        [stretch] = call.ear.stretches
        heard = call.ear.heard()[stretch.start : stretch.end]
        assert np.array_equal(heard, decode_ulaw(encode_ulaw(said)))
        assert call.log.problems == []

    play(call())


def test_marks_come_back_and_a_flush_returns_nothing_but_the_report_asked_for() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            bot.socket.send_bytes(bytes(1_600))
            bot.socket.send_text("MARK_MEDIA first")
            bot.socket.send_bytes(bytes(16_000))
            bot.socket.send_text("MARK_MEDIA second")
            await asyncio.sleep(1.0)
            bot.socket.send_text("REPORT_QUEUE_DRAINED")
            bot.socket.send_text("FLUSH_MEDIA")

        bot = channel(talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=3.0))

        assert texts(bot)[1:] == ["MEDIA_MARK_PROCESSED first", "QUEUE_DRAINED"]
        [clear] = call.ear.clears
        assert call.ear.silence_after_ms(clear) <= 20.001

    play(call())


def test_flow_control_follows_the_queue_and_what_does_not_fit_is_lost() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            for _ in range(21):
                bot.socket.send_bytes(bytes(8_000))

        bot = channel(talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=8.0))

        assert texts(bot)[1:] == ["MEDIA_XOFF", "MEDIA_XON"]
        assert "1000 frames" in call.log.problems[0]

    play(call())


def test_a_rest_that_fills_no_frame_is_dropped_unless_it_is_buffered() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            bot.socket.send_bytes(bytes(200))
            await asyncio.sleep(0.5)
            bot.socket.send_text("START_MEDIA_BUFFERING")
            bot.socket.send_bytes(bytes(200))
            bot.socket.send_bytes(bytes(200))
            bot.socket.send_text("STOP_MEDIA_BUFFERING x")

        bot = channel(talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=2.0))

        assert len(call.log.problems) == 1
        assert call.ear.n_heard == 160 + 480
        assert texts(bot)[1:] == ["MEDIA_BUFFERING_COMPLETED x"]

    play(call())


def test_media_can_be_paused() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            bot.socket.send_bytes(encode_ulaw(tone(1.0)))
            await asyncio.sleep(0.5)
            bot.socket.send_text("PAUSE_MEDIA")
            await asyncio.sleep(1.0)
            bot.socket.send_text("CONTINUE_MEDIA")

        bot = channel(talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=4.0))

        first, second = call.ear.stretches
        assert (second.start - first.end) / 8_000 == pytest.approx(1.0, abs=0.03)
        assert call.ear.n_heard == 8_000

    play(call())


@pytest.mark.parametrize("how", ["HANGUP", "close", "too large"])
def test_the_channel_is_hung_up(how: str) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            await asyncio.sleep(1.0)
            if how == "HANGUP":
                bot.socket.send_text("HANGUP")
            elif how == "close":
                bot.socket.close()
            else:
                bot.socket.send_bytes(bytes(65_501))

        call = await one_call(channel(talk=talk), CallerPlan(tail_s=30))

        assert call.end is not None
        assert call.end.by == "application"
        assert call.duration_s == pytest.approx(1.0, abs=0.03)
        assert bool(call.log.problems) == (how == "too large")

    play(call())


def test_an_unknown_command_is_told() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            bot.socket.send_text("flush_media")

        call = await one_call(channel(talk=talk), CallerPlan(hang_up_at_s=0.5))

        assert "case matters" in call.log.problems[0]

    play(call())


# AudioSocket


class TcpBot:
    """The server's side of AudioSocket: frames out of a stream of bytes."""

    def __init__(self, echo: bool = False) -> None:
        self.frames: list[tuple[int, bytes]] = []
        self.unread = b""
        self.echo = echo
        self.closed = False

    def take(self, socket: Any) -> None:
        self.socket = socket
        socket.start(self)

    def on_text(self, text: str) -> None:
        raise AssertionError(text)

    def on_bytes(self, data: bytes) -> None:
        self.unread += data
        while len(self.unread) >= 3:
            size = int.from_bytes(self.unread[1:3], "big")
            if len(self.unread) < 3 + size:
                return
            frame = self.unread[0], self.unread[3 : 3 + size]
            self.unread = self.unread[3 + size :]
            self.frames.append(frame)
            if self.echo and frame[0] >= 0x10:
                self.send(*frame)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = True

    def send(self, kind: int, payload: bytes = b"") -> None:
        self.socket.send_bytes(bytes([kind]) + len(payload).to_bytes(2, "big") + payload)


async def tcp_call(bot: TcpBot, plan: CallerPlan, **world: Any) -> PhoneCall:
    base = "tcp://bot.example:9092"
    async with emulated("audiosocket", base, Site(take=bot.take), **world) as carrier:
        call = carrier.inbound(base, plan)
        running = asyncio.ensure_future(call.run())
        await asyncio.sleep(0.5)
        if world.get("sends"):
            world["sends"](bot)
        await running
    return call


@pytest.mark.parametrize("profile", ["clean", "hotel-wifi"])
def test_frames_come_whole_or_in_pieces_the_uuid_first(profile: str) -> None:
    async def call() -> None:
        said = tone(1.0)
        bot = TcpBot(echo=True)
        plan = CallerPlan(turns=[CallerTurn("a", said)], keys=[KeyPresses("2", 0.5)], tail_s=0.5)
        call = await tcp_call(bot, plan, profile=profile)

        kinds = [kind for kind, _ in bot.frames]
        assert kinds[0] == 0x01
        assert uuid.UUID(bytes=bot.frames[0][1]) == uuid.UUID(call.facts.call_id)
        assert (0x03, b"2") in bot.frames
        assert kinds[-1] == 0x00
        audio = b"".join(payload for kind, payload in bot.frames if kind == 0x10)
        assert audio[: 2 * said.size] == to_bytes(said)
        if profile == "clean":
            assert call.log.problems == []
            first = call.ear.stretches[0].start
            assert np.array_equal(call.ear.heard()[first : first + said.size], said)

    play(call())


@pytest.mark.parametrize(
    ("kind", "payload", "words"),
    [
        (0x03, b"1", "0x03"),
        (0x12, bytes(640), "16000 Hz"),
        (0x10, bytes(321), "half a sample"),
        (0x10, bytes(32_000), "faster than it is played"),
    ],
)
def test_what_an_application_may_not_send_is_told(kind: int, payload: bytes, words: str) -> None:
    async def call() -> None:
        bot = TcpBot()
        base = "tcp://bot.example:9092"
        async with emulated("audiosocket", base, Site(take=bot.take)) as carrier:
            call = carrier.inbound(base, CallerPlan(hang_up_at_s=2.0))
            running = asyncio.ensure_future(call.run())
            await asyncio.sleep(0.5)
            bot.send(kind, payload)
            await running

        assert words in call.log.problems[0]
        assert (call.duration_s < 1.0) == (kind == 0x03)

    play(call())


def test_an_audiosocket_application_hangs_up_with_a_frame() -> None:
    async def call() -> None:
        bot = TcpBot()
        base = "tcp://bot.example:9092"
        async with emulated("audiosocket", base, Site(take=bot.take)) as carrier:
            call = carrier.inbound(base, CallerPlan(tail_s=30))
            running = asyncio.ensure_future(call.run())
            await asyncio.sleep(0.5)
            bot.send(0x00)
            await running

        assert call.end is not None
        assert call.end.by == "application"
        assert bot.closed

    play(call())
