"""The Exotel emulator against bots written from Exotel's documents, in virtual time.

Source: developer.exotel.com/docs/agentstream (reference telephony section 4).
"""

import asyncio
import base64
from collections.abc import Coroutine
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.responses import Response

from bridge.batch.caller import CallerTurn
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from bridge_codecs.pcm import to_bytes
from tests.fakes.bot import BASE, STREAM_URL, Asked, Bot, tone
from tests.fakes.emulated import ACCOUNTS, emulated

ACCOUNT = ACCOUNTS["exotel"]


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


async def one_call(bot: Bot, plan: CallerPlan, url: str = STREAM_URL, **world: Any) -> PhoneCall:
    async with emulated("exotel", BASE, bot.site, **world) as carrier:
        call = carrier.inbound(url, plan)
        await call.run()
    return call


def say(bot: Bot, payload: bytes) -> None:
    sid = bot.start.get("stream_sid", bot.start.get("streamSid"))
    media = {"payload": base64.b64encode(payload).decode()}
    bot.send(event="media", stream_sid=sid, media=media)


def test_a_stream_starts_and_carries_100_ms_in_a_message() -> None:
    async def call() -> None:
        said = tone(1.0)
        bot = Bot()
        plan = CallerPlan(turns=[CallerTurn("a", said)], tail_s=0.5)
        call = await one_call(bot, plan, "wss://user:p%40ss@bot.example/stream?plan=gold")

        [knock] = bot.knocks
        basic = "Basic " + base64.b64encode(b"user:p@ss").decode()
        assert (knock.headers["authorization"], knock.target) == (basic, "/stream?plan=gold")
        connected, start, media, *_ = bot.messages
        assert connected == {"event": "connected"}
        assert start["sequence_number"] == "1"
        assert start["start"]["call_sid"] == call.facts.call_id
        assert start["start"]["custom_parameters"] == {"plan": "gold"}
        assert start["start"]["media_format"]["sample_rate"] == "8000"
        assert media["media"]["chunk"] == "1"
        payloads = [base64.b64decode(m["media"]["payload"]) for m in bot.of("media")]
        assert {len(payload) for payload in payloads} == {1_600}
        assert b"".join(payloads)[: 2 * said.size] == to_bytes(said)
        assert bot.messages[-1]["stop"]["reason"] == "callended"

    play(call())


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
def test_audio_of_a_fitting_size_is_heard_to_the_sample(rate_hz: int) -> None:
    async def call() -> None:
        said = tone(1.0, rate_hz=rate_hz)

        async def talk(bot: Bot) -> None:
            step = max(3_200, rate_hz // 5)
            content = to_bytes(said)
            for at in range(0, len(content), step):
                say(bot, content[at : at + step])

        bot = Bot(talk=talk)
        url = f"{STREAM_URL}?sample-rate={rate_hz}"
        call = await one_call(bot, CallerPlan(hang_up_at_s=2.0), url, line_hz=rate_hz)

        assert call.log.problems == []
        [stretch] = call.ear.stretches
        assert np.array_equal(call.ear.heard()[stretch.start : stretch.end], said)

    play(call())


@pytest.mark.parametrize(
    ("sizes", "words"),
    [
        ([3_300], "no multiple of 320"),
        ([1_280, 3_200], "less than 3200 bytes or 100 ms"),
        ([1_600, 3_200], "less than 3200 bytes or 100 ms"),
        ([100_160], "more than 100000"),
        ([96_000], "about real time"),
    ],
)
def test_sizes_that_exotel_does_not_take_are_told(sizes: list[int], words: str) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            for size in sizes:
                say(bot, bytes(size))
            await asyncio.sleep(0.1)
            say(bot, bytes(3_200))

        call = await one_call(Bot(talk=talk), CallerPlan(hang_up_at_s=1.0))

        assert any(words in sentence for sentence in call.log.problems), call.log.problems

    play(call())


def test_the_last_message_of_an_utterance_may_be_short() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            say(bot, bytes(3_200))
            say(bot, bytes(640))
            await asyncio.sleep(1.0)
            say(bot, bytes(3_200))

        call = await one_call(Bot(talk=talk), CallerPlan(hang_up_at_s=2.0))

        assert call.log.problems == []

    play(call())


@pytest.mark.parametrize("camel", [False, True])
def test_marks_clear_and_keys(camel: bool) -> None:
    async def call() -> None:
        name = "streamSid" if camel else "stream_sid"

        async def talk(bot: Bot) -> None:
            sid = bot.start[name]
            say(bot, to_bytes(tone(2.0)))
            bot.send(event="mark", mark={"name": "m"}, **{name: sid})
            await asyncio.sleep(1.0)
            bot.send(event="clear", **{name: sid})

        bot = Bot(talk=talk)
        plan = CallerPlan(keys=[KeyPresses("4", 1.5)], tail_s=0.5)
        call = await one_call(bot, plan, options={"names": "camel" if camel else "snake"})

        assert call.log.problems == []
        assert bot.of("dtmf")[0]["dtmf"]["digit"] == "4"
        assert bot.of("mark")[0]["mark"]["name"] == "m"
        [clear] = call.ear.clears
        assert call.ear.silence_after_ms(clear) <= 20.001
        assert ("mediaFormat" in bot.start["start"]) == camel

    play(call())


def test_closing_the_socket_ends_the_call() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            await asyncio.sleep(1.0)
            bot.socket.close()

        call = await one_call(Bot(talk=talk), CallerPlan(tail_s=30))

        assert call.end is not None
        assert call.end.by == "application"
        assert call.duration_s == pytest.approx(1.0, abs=0.03)

    play(call())


def test_an_https_address_answers_with_the_sockets_url() -> None:
    async def call() -> None:
        async def answer(_bot: Bot, asked: Asked) -> Response:
            assert "CallFrom=%2B15550100001" in asked.url
            return Response(f'{{"url": "{STREAM_URL}"}}', media_type="application/json")

        bot = Bot(answer=answer)
        call = await one_call(bot, CallerPlan(hang_up_at_s=0.5), BASE + "/url")

        assert bot.started.is_set()
        assert call.log.problems == []

    play(call())


def test_a_refused_handshake_is_tried_twice() -> None:
    async def call() -> None:
        bot = Bot(refuse=401)
        call = await one_call(bot, CallerPlan())

        assert len(bot.knocks) == 2
        assert "401" in call.log.problems[0]

    play(call())


def test_a_call_placed_by_rest_reaches_the_person_in_from() -> None:
    async def call() -> None:
        bot = Bot()
        calls: list[PhoneCall] = []
        async with emulated("exotel", BASE, bot.site) as carrier:
            carrier.on_call = calls.append
            carrier.plan_for = lambda _to: CallerPlan(hang_up_at_s=1.0)
            transport = httpx.ASGITransport(app=carrier.app)
            auth = (ACCOUNT.more["key"], ACCOUNT.token)
            url = f"https://api.exotel.com/v1/Accounts/{ACCOUNT.account_id}/Calls/connect"
            form = {
                "From": "+15550100003",
                "CallerId": "+15550100002",
                "StreamUrl": STREAM_URL,
                "StreamType": "bidirectional",
                "StatusCallback": BASE + "/status",
                "StatusCallbackEvents": "answered,terminal",
            }
            async with httpx.AsyncClient(transport=transport, auth=auth) as http:
                made = await http.post(url, data=form)
                assert made.json()["Call"]["Sid"] == calls[0].facts.call_id
                wrong = await http.post(url, data={**form, "StreamUrl": "w" * 601})
                assert wrong.status_code == 400
                await calls[0].over.wait()

        assert bot.start["start"]["to"] == "+15550100003"
        assert [asked.form["EventType"] for asked in bot.asked] == ["answered", "terminal"]

    play(call())
