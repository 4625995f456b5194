"""The Plivo emulator against bots written from Plivo's documents, in virtual time.

Source: plivo.com/docs, audio streaming (reference telephony section 3); signatures are checked by Plivo's own library.
"""

import asyncio
import base64
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpx
import numpy as np
import pytest
from fastapi.responses import Response
from plivo.utils.signature_v3 import validate_v3_signature

from bridge.batch.caller import CallerTurn
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.carriers.base import Carrier
from bridge.testing.phone_call import PhoneCall
from bridge.testing.report import report_of
from bridge.virtual import run_virtual
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import to_bytes
from tests.fakes.bot import BASE, STREAM_URL, Asked, Bot, tone
from tests.fakes.emulated import ACCOUNTS, emulated

ACCOUNT = ACCOUNTS["plivo"]
MULAW = 'contentType="audio/x-mulaw;rate=8000"'
KEPT = 'bidirectional="true" keepCallAlive="true"'


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def stream(attributes: str = f"{KEPT} {MULAW}", url: str = STREAM_URL) -> str:
    return f"<Stream {attributes}>{url}</Stream>"


def answering(inner: str) -> Callable[[Bot, Asked], Awaitable[Response]]:
    async def answer(_bot: Bot, _asked: Asked) -> Response:
        return Response(f"<Response>{inner}</Response>", media_type="application/xml")

    return answer


async def one_call(bot: Bot, plan: CallerPlan, **world: Any) -> PhoneCall:
    async with emulated("plivo", BASE, bot.site, **world) as carrier:
        call = carrier.inbound(BASE + "/answer", plan)
        await call.run()
    return call


def say(bot: Bot, payload: bytes, content_type: str = "audio/x-mulaw", rate: int = 8_000) -> None:
    media = {
        "contentType": content_type,
        "sampleRate": rate,
        "payload": base64.b64encode(payload).decode(),
    }
    bot.send(event="playAudio", media=media)


def about(bot: Bot, event: str, **fields: object) -> None:
    bot.send(event=event, streamId=bot.start["start"]["streamId"], **fields)


def api(carrier: Carrier) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app=carrier.app),
        base_url=f"https://api.plivo.com/v1/Account/{ACCOUNT.account_id}",
        auth=(ACCOUNT.account_id, ACCOUNT.token),
    )


def test_webhooks_carry_signatures_that_plivos_own_library_accepts() -> None:
    async def call() -> None:
        status = f'statusCallbackUrl="{BASE}/status?b=2&amp;a=1"'
        bot = Bot(answer=answering(stream(f"{KEPT} {MULAW} {status}")))
        await one_call(bot, CallerPlan(hang_up_at_s=0.5))

        assert [asked.form["Event"] for asked in bot.asked] == [
            "StartApp",
            "StartStream",
            "StopStream",
        ]
        for asked in bot.asked:
            assert validate_v3_signature(
                "POST",
                asked.url,
                asked.headers["x-plivo-signature-v3-nonce"],
                ACCOUNT.token,
                asked.headers["x-plivo-signature-v3"],
                asked.form,
            )
        headers = bot.knocks[0].headers
        # Plivo's library takes no wss address, so only the signature's being there can be held against it.
        assert len(base64.b64decode(headers["x-plivo-signature-v3"])) == 32

    play(call())


def test_a_stream_begins_with_start_alone_and_counts_in_numbers() -> None:
    async def call() -> None:
        bot = Bot(answer=answering(stream(f'{KEPT} {MULAW} extraHeaders="plan=gold"')))
        call = await one_call(bot, CallerPlan(hang_up_at_s=0.5))

        start, media, *_ = bot.messages
        assert start["start"]["callId"] == call.facts.call_id
        assert start["start"]["tracks"] == ["inbound"]
        assert start["start"]["mediaFormat"] == {"encoding": "audio/x-mulaw", "sampleRate": 8000}
        assert start["extra_headers"] == '{"X-PH-plan": "gold"}'
        assert (start["sequenceNumber"], media["sequenceNumber"]) == (0, 1)
        assert media["media"]["chunk"] == 1
        assert media["media"]["timestamp"].isdigit()
        assert not bot.of("stop")
        assert bot.closed == (1000, "")

    play(call())


@pytest.mark.parametrize("rate_hz", [8_000, 16_000])
def test_linear_audio_goes_both_ways_to_the_sample(rate_hz: int) -> None:
    async def call() -> None:
        said = tone(1.0, rate_hz=rate_hz)

        async def talk(bot: Bot) -> None:
            say(bot, to_bytes(said), "audio/x-l16", rate_hz)

        kind = f'contentType="audio/x-l16;rate={rate_hz}"'
        bot = Bot(answer=answering(stream(f"{KEPT} {kind}")), talk=talk)
        plan = CallerPlan(turns=[CallerTurn("a", said)], tail_s=0.5)
        call = await one_call(bot, plan, line_hz=rate_hz)

        assert call.log.problems == []
        [stretch] = call.ear.stretches
        assert np.array_equal(call.ear.heard()[stretch.start : stretch.end], said)
        payloads = b"".join(base64.b64decode(m["media"]["payload"]) for m in bot.of("media"))
        assert payloads[: said.size * 2] == to_bytes(said)

    play(call())


def test_a_checkpoint_is_acknowledged_when_its_audio_was_played_and_never_after_a_clear() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            say(bot, encode_ulaw(tone(0.5)))
            about(bot, "checkpoint", name="heard")
            say(bot, encode_ulaw(tone(5.0)))
            about(bot, "checkpoint", name="cut")
            await asyncio.sleep(1.0)
            about(bot, "clearAudio")

        bot = Bot(answer=answering(stream()), talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=3.0))

        assert [m["name"] for m in bot.of("playedStream")] == ["heard"]
        assert len(bot.of("clearedAudio")) == 1
        [clear] = call.ear.clears
        assert (clear.marks, bot.at("clearedAudio")) == (1, clear.at_s)
        assert not call.ear.heard()[clear.silent_from :].any()
        played = call.ear.heard()[call.ear.stretches[0].start :][:4_000]
        assert np.array_equal(played, decode_ulaw(encode_ulaw(tone(0.5))))

    play(call())


def test_keys_go_both_ways() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            bot.send(event="sendDTMF", dtmf="12#")

        bot = Bot(answer=answering(stream()), talk=talk)
        call = await one_call(bot, CallerPlan(keys=[KeyPresses("7", 0.5)], tail_s=0.5))

        [message] = bot.of("dtmf")
        assert message["dtmf"]["digit"] == "7"
        assert report_of("plivo", call).keys_received == "12#"

    play(call())


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("{", "no JSON"),
        ('{"event": "media"}', "“media”"),
        ('{"event": "checkpoint", "name": "a"}', "streamId"),
        ('{"event": "clearAudio", "streamId": "other"}', "streamId"),
        ('{"event": "playAudio", "media": {"payload": "AAAA"}}', "nothing else is played"),
        ('{"event": "sendDTMF", "dtmf": "x"}', "keys"),
    ],
)
def test_mistakes_on_the_socket_are_told_and_end_nothing(message: str, words: str) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            bot.socket.send_text(message)

        bot = Bot(answer=answering(stream()), talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=1.0))

        assert words in call.log.problems[0]
        assert call.duration_s == pytest.approx(1.0)

    play(call())


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        (stream('bidirectional="true" ' + MULAW), "keepCallAlive"),
        (stream('keepCallAlive="true" ' + MULAW), "listens only"),
        (stream(KEPT), "contentType"),
        (stream(KEPT + ' contentType="audio/opus"'), "audio/opus"),
        (stream(f'{KEPT} {MULAW} extraHeaders="a=b&amp;c"'), "extraHeaders"),
        (stream(f'{KEPT} {MULAW} audioTrack="both"'), "audioTrack"),
        (stream(url="/stream"), "wss://"),
        ("<Talk/>", "<Talk>"),
    ],
)
def test_mistakes_in_the_document_are_told(inner: str, words: str) -> None:
    async def call() -> None:
        call = await one_call(Bot(answer=answering(inner)), CallerPlan(hang_up_at_s=1.0))

        assert any(words in sentence for sentence in call.log.problems), call.log.problems

    play(call())


def test_a_call_that_is_kept_alive_stays_up_until_it_is_hung_up_by_rest() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            await asyncio.sleep(1.0)
            bot.socket.close()

        bot = Bot(answer=answering(stream()), talk=talk)
        async with emulated("plivo", BASE, bot.site) as carrier, api(carrier) as http:
            call = carrier.inbound(BASE + "/answer", CallerPlan(tail_s=60))
            running = asyncio.ensure_future(call.run())
            await asyncio.sleep(5.0)
            assert call.status == "in-progress"
            path = f"/Call/{call.facts.call_id}/"
            assert (await http.delete(path)).status_code == 204
            await running
            assert (await http.delete(path)).status_code == 404
            refused = await http.delete(path, auth=("a", "b"))
            assert refused.status_code == 401

        assert call.end is not None
        assert call.end.by == "application"

    play(call())


def test_a_placed_call_rings_asks_its_answer_url_and_can_be_transferred() -> None:
    async def call() -> None:
        bot = Bot()

        async def answer(_bot: Bot, asked: Asked) -> Response:
            inner = "<Dial><Number>15550100009</Number></Dial>" if "else" in asked.url else stream()
            return Response(f"<Response>{inner}</Response>", media_type="application/xml")

        bot.answer = answer
        calls: list[PhoneCall] = []
        async with emulated("plivo", BASE, bot.site) as carrier, api(carrier) as http:
            carrier.on_call = calls.append
            carrier.plan_for = lambda _to: CallerPlan(hang_up_at_s=6.0)
            body = {"from": "1", "to": "2", "answer_url": BASE + "/a", "hangup_url": BASE + "/h"}
            made = await http.post("/Call/", json=body)
            assert made.status_code == 201
            call_id = made.json()["request_uuid"]
            await asyncio.sleep(3.0)
            moved = await http.post(f"/Call/{call_id}/", json={"aleg_url": BASE + "/else"})
            assert moved.status_code == 202
            await calls[0].over.wait()

        assert report_of("plivo", calls[0]).connected_to == "15550100009"
        assert bot.asked[-1].form["Event"] == "Hangup"
        assert bot.closed is not None

    play(call())


def test_busy_is_a_hangup_with_a_reason_before_anything_else() -> None:
    async def call() -> None:
        bot = Bot(answer=answering('<Hangup reason="busy"/>'))
        call = await one_call(bot, CallerPlan())

        assert (call.status, call.duration_s) == ("busy", 0)

    play(call())
