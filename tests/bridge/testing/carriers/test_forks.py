"""The emulators of jambonz and FreeSWITCH's two modules against bots from their documents, in virtual time.

Source: jambonz listen page, mod_audio_fork and mod_audio_stream (reference telephony sections 5.9 and 5.10).
"""

import asyncio
import base64
from collections.abc import Coroutine
from typing import Any

import numpy as np
import pytest

from bridge.batch.caller import CallerTurn
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from bridge_codecs.pcm import to_bytes
from tests.fakes.bot import BASE, Bot, tone
from tests.fakes.emulated import emulated

PROTOCOLS = {"jambonz": ("audio.jambonz.org",), "audio_fork": ("audio.drachtio.org",)}


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


async def one_call(name: str, bot: Bot, plan: CallerPlan, **world: Any) -> PhoneCall:
    bot.starts_with = ""
    async with emulated(name, BASE, bot.site, **world) as carrier:
        call = carrier.inbound("wss://user:secret@bot.example/stream", plan)
        await call.run()
    return call


def marks(bot: Bot) -> list[tuple[str, str]]:
    return [(m["data"]["name"], m["data"]["event"]) for m in bot.of("mark", "type")]


@pytest.mark.parametrize("name", ["jambonz", "audio_fork"])
@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_binary_audio_goes_both_ways_after_the_metadata(name: str, rate_hz: int) -> None:
    async def call() -> None:
        said = tone(1.0, rate_hz=rate_hz)

        async def talk(bot: Bot) -> None:
            content = to_bytes(said)
            bot.socket.send_bytes(content[:1_001])
            bot.socket.send_bytes(content[1_001:])

        bot = Bot(talk=talk)
        plan = CallerPlan(turns=[CallerTurn("a", said)], keys=[KeyPresses("6", 0.5)], tail_s=0.5)
        call = await one_call(name, bot, plan, line_hz=rate_hz, options={"rate": str(rate_hz)})

        [knock] = bot.knocks
        assert knock.subprotocols == PROTOCOLS[name]
        basic = base64.b64encode(b"user:secret").decode()
        assert knock.headers["authorization"] == f"Basic {basic}"
        assert bot.messages[0]["sampleRate"] == rate_hz
        assert bot.messages[0]["callSid"] == call.facts.call_id
        assert b"".join(bot.binary)[: 2 * said.size] == to_bytes(said)
        assert bot.of("dtmf")[0]["dtmf"] == "6"
        [stretch] = call.ear.stretches
        assert np.array_equal(call.ear.heard()[stretch.start : stretch.end], said)
        assert call.log.problems == []

    play(call())


def test_marks_say_what_became_of_their_audio() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            for name in ("one", "two", "three"):
                bot.socket.send_bytes(to_bytes(tone(1.0)))
                bot.send(type="mark", data={"name": name})
            await asyncio.sleep(1.5)
            bot.send(type="clearMarks")
            await asyncio.sleep(0.1)
            bot.send(type="mark", data={"name": "four"})
            bot.send(type="killAudio")

        bot = Bot(talk=talk)
        call = await one_call("jambonz", bot, CallerPlan(hang_up_at_s=3.0))

        assert marks(bot) == [
            ("one", "playout"),
            ("two", "cleared"),
            ("three", "cleared"),
            ("four", "cleared"),
        ]
        [clear] = call.ear.clears
        assert call.ear.silence_after_ms(clear) <= 20.001

    play(call())


def test_some_builds_return_marks_at_once() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            bot.socket.send_bytes(to_bytes(tone(1.0)))
            bot.send(type="mark", data={"name": "early"})

        bot = Bot(talk=talk)
        plan = CallerPlan(hang_up_at_s=2.0)
        await one_call("jambonz", bot, plan, options={"marks": "early"})

        assert marks(bot) == [("early", "playout")]
        assert bot.at("mark", key="type") == pytest.approx(0.0, abs=0.02)

    play(call())


def test_stream_audio_is_played_one_after_the_other() -> None:
    async def call() -> None:
        said = tone(0.5)

        async def talk(bot: Bot) -> None:
            for _ in range(2):
                data = {
                    "audioDataType": "raw",
                    "sampleRate": 8_000,
                    "audioData": base64.b64encode(to_bytes(said)).decode(),
                }
                bot.send(type="streamAudio", data=data)

        bot = Bot(talk=talk)
        call = await one_call("audio_stream", bot, CallerPlan(hang_up_at_s=2.0))

        assert call.log.problems == []
        [stretch] = call.ear.stretches
        heard = call.ear.heard()[stretch.start : stretch.end]
        assert np.array_equal(heard, np.tile(said, 2))

    play(call())


@pytest.mark.parametrize(
    ("name", "message", "words"),
    [
        ("audio_stream", bytes(320), "streamAudio"),
        ("audio_stream", '{"type": "mark", "data": {"name": "a"}}', "“mark”"),
        ("audio_stream", '{"type": "streamAudio", "data": {"audioDataType": "mp3"}}', "raw"),
        ("jambonz", '{"type": "dance"}', "“dance”"),
        ("jambonz", "?", "no JSON"),
        ("audio_fork", bytes(65_537), "larger"),
    ],
)
def test_mistakes_are_told(name: str, message: str | bytes, words: str) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            if isinstance(message, bytes):
                bot.socket.send_bytes(message)
            else:
                bot.socket.send_text(message)

        call = await one_call(name, Bot(talk=talk), CallerPlan(hang_up_at_s=1.0))

        assert words in call.log.problems[0]

    play(call())


@pytest.mark.parametrize("how", ["disconnect", "close"])
def test_the_end_of_the_stream_is_the_end_of_the_call(how: str) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            await asyncio.sleep(1.0)
            if how == "close":
                bot.socket.close()
            else:
                bot.send(type="disconnect")

        call = await one_call("jambonz", Bot(talk=talk), CallerPlan(tail_s=30))

        assert call.end is not None
        assert call.end.by == "application"

    play(call())


@pytest.mark.parametrize("name", ["audio_fork", "jambonz", "audio_stream"])
def test_only_the_fork_sends_a_caller_elsewhere_by_a_message(name: str) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            bot.send(type="transfer", data={"target": "+15550100099"})

        call = await one_call(name, Bot(talk=talk), CallerPlan(hang_up_at_s=4.0))

        connected = name == "audio_fork"
        assert call.connected_to == ("+15550100099" if connected else "")
        assert bool(call.log.problems) is not connected
        assert call.end is not None
        assert call.end.by == "caller"

    play(call())
