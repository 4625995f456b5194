"""The Telnyx emulator against bots written from Telnyx's documents, in virtual time.

Source: developers.telnyx.com, media streaming and call commands (reference telephony section 2).
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal

import httpx
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi.responses import Response

from bridge.batch.caller import CallerTurn
from bridge.testing.audio_codecs import CodecName, decoder, encoder
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.carriers.telnyx.exchange import Telnyx
from bridge.testing.phone_call import PhoneCall
from bridge.testing.report import report_of
from bridge.virtual import run_virtual
from tests.fakes.bot import BASE, STREAM_URL, Asked, Bot, tone
from tests.fakes.emulated import emulated

STREAM = {
    "stream_url": STREAM_URL,
    "stream_bidirectional_mode": "rtp",
    "stream_bidirectional_target_legs": "self",
}


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


class Api:
    """A Telnyx client of a test's own."""

    def __init__(self, carrier: Telnyx) -> None:
        transport = httpx.ASGITransport(app=carrier.app)
        headers = {"Authorization": f"Bearer {carrier.account.token}"}
        self.http = httpx.AsyncClient(
            transport=transport, base_url="https://api.telnyx.com", headers=headers
        )
        self.n = 0

    async def act(self, call_id: str, action: str, **fields: Any) -> httpx.Response:
        self.n += 1
        fields.setdefault("command_id", str(self.n))
        return await self.http.post(f"/v2/calls/{call_id}/actions/{action}", json=fields)


@asynccontextmanager
async def telnyx(bot: Bot, **world: Any) -> AsyncIterator[tuple[Telnyx, Api]]:
    async with emulated("telnyx", BASE, bot.site, **world) as carrier:
        assert isinstance(carrier, Telnyx)
        api = Api(carrier)
        async with api.http:
            yield carrier, api


def answering(bot: Bot, api: Api, **fields: Any) -> None:
    """Have the bot answer each call with a stream."""

    async def answer(bot: Bot, asked: Asked) -> Response:
        data = asked.json["data"]
        if data["event_type"] == "call.initiated" and data["payload"]["direction"] == "incoming":
            given = {**STREAM, **fields}
            bot.do(done(api.act(data["payload"]["call_control_id"], "answer", **given)))
        return Response(status_code=200)

    bot.answer = answer


async def done(asking: Coroutine[Any, Any, httpx.Response]) -> None:
    assert (await asking).status_code == 200


def say(bot: Bot, payload: bytes) -> None:
    bot.send(event="media", media={"payload": base64.b64encode(payload).decode()})


async def one_call(
    bot: Bot, plan: CallerPlan, fields: dict[str, Any] | None = None, **world: Any
) -> PhoneCall:
    async with telnyx(bot, **world) as (carrier, api):
        answering(bot, api, **(fields or {}))
        call = carrier.inbound(BASE + "/events", plan)
        await call.run()
    return call


def events(bot: Bot) -> list[str]:
    return [asked.json["data"]["event_type"] for asked in bot.asked]


def test_events_are_signed_with_ed25519_over_timestamp_and_body() -> None:
    async def call() -> None:
        bot = Bot()
        async with telnyx(bot) as (carrier, api):
            answering(bot, api)
            await carrier.inbound(BASE + "/events", CallerPlan(hang_up_at_s=1.0)).run()
            key = Ed25519PublicKey.from_public_bytes(base64.b64decode(carrier.public_key))

        for asked in bot.asked:
            at_s = asked.headers["telnyx-timestamp"]
            signature = base64.b64decode(asked.headers["telnyx-signature-ed25519"])
            key.verify(signature, f"{at_s}|".encode() + asked.body)
        assert events(bot) == [
            "call.initiated",
            "call.answered",
            "streaming.started",
            "streaming.stopped",
            "call.hangup",
        ]

    play(call())


def test_a_stream_starts_with_its_id_at_the_top_level_alone() -> None:
    async def call() -> None:
        bot = Bot()
        fields = {
            "stream_auth_token": "CANARY",
            "custom_parameters": [{"name": "plan", "value": "gold"}],
        }
        call = await one_call(bot, CallerPlan(hang_up_at_s=0.5), fields)

        connected, start, media, *_ = bot.messages
        assert connected["version"] == "1.0.0"
        assert bot.knocks[0].headers["x-telnyx-streaming-auth-token"] == "CANARY"
        assert (start["sequence_number"], media["sequence_number"]) == ("1", "2")
        assert start["stream_id"] == media["stream_id"]
        assert "stream_id" not in start["start"]
        assert start["start"]["call_control_id"] == call.facts.call_id
        assert start["start"]["custom_parameters"] == {"plan": "gold"}
        form = start["start"]["media_format"]
        assert form == {"encoding": "PCMU", "sample_rate": 8000, "channels": 1}
        assert media["media"]["chunk"] == "1"
        assert bot.messages[-1]["event"] == "stop"

    play(call())


@pytest.mark.parametrize("codec", ["PCMU", "PCMA", "G722", "OPUS", "L16"])
def test_every_codec_carries_a_tone_both_ways(codec: CodecName) -> None:
    async def call() -> None:
        back_hz = 16_000 if codec in ("OPUS", "L16", "G722") else 8_000

        async def talk(bot: Bot) -> None:
            encode = encoder(codec, back_hz, "big")
            said = tone(1.0, 440, rate_hz=back_hz)
            step = back_hz // 50
            for at in range(0, said.size, step):
                say(bot, encode(said[at : at + step]))

        bot = Bot(talk=talk)
        fields = {
            "stream_codec": codec,
            "stream_bidirectional_codec": codec,
            "stream_bidirectional_sampling_rate": back_hz,
        }
        plan = CallerPlan(turns=[CallerTurn("a", tone(1.0, 440))], tail_s=0.5)
        call = await one_call(bot, plan, fields)

        assert call.log.problems == []
        heard = call.ear.heard()[: call.ear.stretches[0].start + 8_000]
        assert peak_hz(heard[-6_000:], 8_000) == pytest.approx(440, abs=5)
        said_hz = bot.start["start"]["media_format"]["sample_rate"]
        decode = decoder(codec, said_hz, "big")
        pieces = [decode(base64.b64decode(m["media"]["payload"])) for m in bot.of("media")]
        assert peak_hz(np.concatenate(pieces)[: said_hz // 2], said_hz) == pytest.approx(440, abs=5)

    play(call())


def peak_hz(samples: np.ndarray[Any, np.dtype[np.int16]], rate_hz: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size)))
    return float(spectrum.argmax() * rate_hz / samples.size)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"stream_bidirectional_mode": "mp3"}, "left at mp3"),
        ({"stream_bidirectional_target_legs": "opposite"}, "left at opposite"),
    ],
)
def test_the_two_defaults_that_play_nothing_are_told(fields: dict[str, Any], words: str) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            say(bot, b"\x00" * 1_600)

        call = await one_call(Bot(talk=talk), CallerPlan(hang_up_at_s=1.0), fields)

        assert words in call.log.problems[0]
        assert not call.ear.heard().any()

    play(call())


def test_a_clear_returns_the_marks_that_wait() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            say(bot, b"\x10" * 24_000)
            bot.send(event="mark", mark={"name": "a"})
            await asyncio.sleep(1.0)
            bot.send(event="clear")

        bot = Bot(talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=2.0))

        assert [m["mark"] for m in bot.of("mark")] == [{"name": "a"}]
        [clear] = call.ear.clears
        assert bot.at("mark") == clear.at_s
        assert call.ear.silence_after_ms(clear) <= 20.001

    play(call())


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("{", 100003),
        ('{"event": "dance"}', 100003),
        ('{"event": "mark"}', 100003),
        ('{"event": "media", "media": {"payload": "?"}}', 100004),
        ('{"event": "media", "media": {"payload": "AAAA"}}', 100004),
    ],
)
def test_what_is_not_taken_is_answered_with_an_error_and_the_stream_goes_on(
    message: str, code: int
) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            bot.socket.send_text(message)
            await asyncio.sleep(0.5)
            bot.send(event="mark", mark={"name": "still here"})

        bot = Bot(talk=talk)
        call = await one_call(bot, CallerPlan(hang_up_at_s=2.0))

        assert bot.of("error")[0]["payload"]["code"] == code
        assert bot.of("mark")
        assert len(call.log.problems) == 1

    play(call())


def test_closing_the_socket_leaves_the_call_and_hangup_ends_it_only_once() -> None:
    async def call() -> None:
        bot = Bot()

        async with telnyx(bot) as (carrier, api):

            async def talk(bot: Bot) -> None:
                await asyncio.sleep(1.0)
                bot.socket.close()

            bot.talk = talk
            answering(bot, api)
            call = carrier.inbound(BASE + "/events", CallerPlan(tail_s=60))
            running = asyncio.ensure_future(call.run())
            await asyncio.sleep(3.0)
            assert call.status == "in-progress"
            hung_up = await api.act(call.facts.call_id, "hangup", command_id="same")
            assert hung_up.json() == {"data": {"result": "ok"}}
            await running
            again = await api.act(call.facts.call_id, "hangup", command_id="same")
            assert again.status_code == 200
            new = await api.act(call.facts.call_id, "hangup")
            assert (new.status_code, new.json()["errors"][0]["code"]) == (422, "90018")
            unknown = await api.act("v3:nobody", "hangup")
            assert unknown.status_code == 404

        assert call.end is not None
        assert call.end.by == "application"
        assert call.duration_s == pytest.approx(3.0, abs=0.05)

    play(call())


def test_a_transfer_ends_the_stream_and_keys_do_not() -> None:
    async def call() -> None:
        bot = Bot()
        async with telnyx(bot) as (carrier, api):
            answering(bot, api)
            call = carrier.inbound(BASE + "/events", CallerPlan(hang_up_at_s=5.0))
            running = asyncio.ensure_future(call.run())
            await asyncio.sleep(1.0)
            assert (await api.act(call.facts.call_id, "send_dtmf", digits="12")).status_code == 200
            await asyncio.sleep(0.5)
            assert bot.closed is None
            assert (await api.act(call.facts.call_id, "transfer", to="+1")).status_code == 200
            await running

        report = report_of("telnyx", call)
        assert (report.keys_received, report.connected_to) == ("12", "+1")
        assert bot.messages[-1]["event"] == "stop"

    play(call())


def test_a_rejected_call_was_never_answered() -> None:
    async def call() -> None:
        bot = Bot()
        async with telnyx(bot) as (carrier, api):

            async def answer(bot: Bot, asked: Asked) -> Response:
                data = asked.json["data"]
                if data["event_type"] == "call.initiated":
                    call_id = data["payload"]["call_control_id"]
                    bot.do(done(api.act(call_id, "reject", cause="USER_BUSY")))
                return Response()

            bot.answer = answer
            call = carrier.inbound(BASE + "/events", CallerPlan())
            await call.run()

        assert call.status == "busy"
        assert call.duration_s == 0

    play(call())


def test_a_call_that_nobody_answers_ends() -> None:
    async def call() -> None:
        bot = Bot()
        async with telnyx(bot) as (carrier, _):
            call = carrier.inbound(BASE + "/events", CallerPlan())
            await call.run()

        assert call.status == "no-answer"

    play(call())


def test_a_dialled_call_opens_its_stream_when_it_is_picked_up() -> None:
    async def call() -> None:
        bot = Bot()
        async with telnyx(bot) as (carrier, api):
            calls: list[PhoneCall] = []
            carrier.on_call = calls.append
            carrier.plan_for = lambda _to: CallerPlan(hang_up_at_s=1.0)
            body = {"to": "+2", "from": "+1", "connection_id": "c", "webhook_url": BASE + "/e"}
            made = await api.http.post("/v2/calls", json={**body, **STREAM})
            assert made.json()["data"]["call_control_id"] == calls[0].facts.call_id
            await calls[0].over.wait()

        assert bot.of("media")
        assert events(bot)[:2] == ["call.initiated", "call.answered"]

    play(call())


def test_on_a_bad_network_chunks_come_out_of_order_and_none_is_lost() -> None:
    async def call() -> None:
        bot = Bot()
        plan = CallerPlan(hang_up_at_s=10.0)
        await one_call(bot, plan, profile="hotel-wifi")

        chunks = [int(m["media"]["chunk"]) for m in bot.of("media")]
        assert chunks != sorted(chunks)
        missing = set(range(1, max(chunks) + 1)) - set(chunks)
        assert len(missing) <= 1

    play(call())


def test_keys_come_with_an_instant() -> None:
    async def call() -> None:
        bot = Bot()
        await one_call(bot, CallerPlan(keys=[KeyPresses("5", 0.5)], tail_s=0.5))

        [message] = bot.of("dtmf")
        assert message["dtmf"] == {"digit": "5"}
        assert message["occurred_at"].endswith("Z")

    play(call())


@pytest.mark.parametrize("byteorder", ["big", "little"])
def test_l16_in_the_wrong_byte_order_is_told(byteorder: Literal["big", "little"]) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            say(bot, encoder("L16", 16_000, byteorder)(tone(0.5, rate_hz=16_000)))

        fields = {
            "stream_bidirectional_codec": "L16",
            "stream_bidirectional_sampling_rate": 16_000,
        }
        call = await one_call(Bot(talk=talk), CallerPlan(hang_up_at_s=1.0), fields)

        assert bool(call.log.problems) == (byteorder == "little")

    play(call())


def test_texml_opens_the_stream_and_its_end_hangs_up() -> None:
    async def call() -> None:
        attributes = 'bidirectionalMode="rtp" bidirectionalCodec="PCMU" track="inbound_track"'
        document = (
            f'<Response><Connect><Stream url="{STREAM_URL}" {attributes}/></Connect></Response>'
        )

        async def answer(_bot: Bot, asked: Asked) -> Response:
            assert asked.form["From"] == "+15550100001"
            return Response(document, media_type="application/xml")

        async def talk(bot: Bot) -> None:
            say(bot, b"\x10" * 8_000)
            await asyncio.sleep(2.0)
            bot.socket.close()

        bot = Bot(answer=answer, talk=talk)
        async with emulated("telnyx-texml", BASE, bot.site) as carrier:
            call = carrier.inbound(BASE + "/texml", CallerPlan(tail_s=30))
            await call.run()

        assert call.log.problems == []
        assert call.end is not None
        assert call.end.by == "application"
        assert call.ear.n_heard == 8_000

    play(call())


@pytest.mark.parametrize("verb", ["", f"<Redirect>{BASE}/next</Redirect>"])
def test_texml_owns_a_call_that_call_control_has_transferred(verb: str) -> None:
    async def call() -> None:
        attributes = 'bidirectionalMode="rtp" bidirectionalCodec="PCMU" track="inbound_track"'
        stream = f'<Connect><Stream url="{STREAM_URL}" {attributes}/></Connect>'

        async def answer(_bot: Bot, asked: Asked) -> Response:
            verbs = "<Dial>+15550100099</Dial>" if asked.url.endswith("/next") else stream + verb
            return Response(f"<Response>{verbs}</Response>", media_type="application/xml")

        bot = Bot(answer=answer)
        async with emulated("telnyx-texml", BASE, bot.site) as carrier:
            assert isinstance(carrier, Telnyx)
            api, call_ = Api(carrier), carrier.inbound(BASE + "/texml", CallerPlan(hang_up_at_s=9))

            async def talk(bot: Bot) -> None:
                await asyncio.sleep(1.0)
                if not verb:
                    assert (await api.act(call_id, "transfer", to="+15550100099")).is_success
                await asyncio.sleep(1.0)
                bot.socket.close()

            bot.talk, call_id = talk, call_.facts.call_id
            await call_.run()

        assert call_.connected_to == "+15550100099"
        assert call_.end is not None
        assert call_.end.by == ("caller" if verb else "application")

    play(call())


def test_a_wrong_key_is_refused() -> None:
    async def call() -> None:
        bot = Bot()
        async with telnyx(bot) as (_, api):
            api.http.headers["Authorization"] = "Bearer wrong"
            refused = await api.act("v3:x", "hangup")

        assert refused.status_code == 401
        assert json.loads(refused.text)["errors"][0]["code"] == "10009"

    play(call())
