"""The Vonage emulator against bots written from Vonage's documents, in virtual time.

Source: developer.vonage.com, voice-api/concepts/websockets and webhook-reference (reference telephony section 5.1).
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpx
import numpy as np
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from fastapi.responses import JSONResponse, Response

from bridge.batch.caller import CallerTurn
from bridge.testing.caller import CallerPlan, KeyPresses
from bridge.testing.carriers.base import Account, World
from bridge.testing.carriers.vonage import Vonage
from bridge.testing.phone_call import PhoneCall
from bridge.testing.report import report_of
from bridge.virtual import run_virtual
from bridge_codecs.pcm import to_bytes
from tests.fakes.bot import BASE, STREAM_URL, Asked, Bot, tone
from tests.fakes.emulated import ACCOUNTS, emulated

ACCOUNT = ACCOUNTS["vonage"]


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def endpoint(rate_hz: int = 16_000, **more: Any) -> dict[str, Any]:
    found = {"type": "websocket", "uri": STREAM_URL, "content-type": f"audio/l16;rate={rate_hz}"}
    return {"action": "connect", "endpoint": [{**found, **more}]}


def answering(*actions: dict[str, Any]) -> Callable[[Bot, Asked], Awaitable[Response]]:
    async def answer(_bot: Bot, _asked: Asked) -> Response:
        return JSONResponse(list(actions))

    return answer


def vonage_bot(*actions: dict[str, Any], **given: Any) -> Bot:
    return Bot(
        answer=answering(*(actions or (endpoint(),))), starts_with="websocket:connected", **given
    )


async def one_call(bot: Bot, plan: CallerPlan, **world: Any) -> PhoneCall:
    world.setdefault("line_hz", 16_000)
    async with emulated("vonage", BASE, bot.site, **world) as carrier:
        call = carrier.inbound(BASE + "/answer", plan)
        await call.run()
    return call


def part(token: str, n: int) -> dict[str, Any]:
    text = token.split(".")[n]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return found


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_webhooks_are_signed_with_a_jwt_over_the_payloads_hash(method: str) -> None:
    async def call() -> None:
        bot = vonage_bot()
        await one_call(bot, CallerPlan(hang_up_at_s=0.5), options={"method": method})

        [asked] = bot.asked
        assert asked.method == method
        scheme, token = asked.headers["authorization"].split()
        text, _, signature = token.rpartition(".")
        digest = hmac.new(ACCOUNT.token.encode(), text.encode(), hashlib.sha256).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == signature
        assert scheme == "Bearer"
        claims = part(token, 1)
        assert claims["iss"] == "Vonage"
        if method == "POST":
            assert claims["payload_hash"] == hashlib.sha256(asked.body).hexdigest()
            assert asked.json["from"] == "15550100001"
        else:
            assert "from=15550100001" in asked.url

    play(call())


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 24_000])
def test_audio_goes_both_ways_in_frames_of_20_ms(rate_hz: int) -> None:
    async def call() -> None:
        said = tone(1.0, rate_hz=rate_hz)

        async def talk(bot: Bot) -> None:
            content, step = to_bytes(said), rate_hz // 25
            for at in range(0, len(content), step):
                bot.socket.send_bytes(content[at : at + step])

        bot = vonage_bot(endpoint(rate_hz, headers={"plan": "gold"}), talk=talk)
        plan = CallerPlan(turns=[CallerTurn("a", said)], tail_s=0.5)
        call = await one_call(bot, plan, line_hz=rate_hz)

        assert call.log.problems == []
        assert bot.messages[0]["plan"] == "gold"
        assert bot.messages[0]["content-type"] == f"audio/l16;rate={rate_hz}"
        assert {len(frame) for frame in bot.binary} == {rate_hz // 25}
        assert b"".join(bot.binary)[: 2 * said.size] == to_bytes(said)
        [stretch] = call.ear.stretches
        assert np.array_equal(call.ear.heard()[stretch.start : stretch.end], said)

    play(call())


def test_a_notify_comes_back_when_it_is_played_and_never_after_a_clear() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            for n in range(100):
                bot.socket.send_bytes(bytes(640))
                if n in (9, 99):
                    bot.send(action="notify", payload={"n": n})
            await asyncio.sleep(1.0)
            bot.send(action="clear")

        bot = vonage_bot(talk=talk)
        call = await one_call(bot, CallerPlan(keys=[KeyPresses("3", 1.5)], tail_s=0.5))

        assert [m["payload"] for m in bot.of("websocket:notify")] == [{"n": 9}]
        assert len(bot.of("websocket:cleared")) == 1
        assert bot.of("websocket:dtmf")[0]["digit"] == "3"
        [clear] = call.ear.clears
        assert call.ear.silence_after_ms(clear) <= 20.001

    play(call())


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (b"\0" * 320, "exactly one frame"),
        (b"\0" * 1_280, "exactly one frame"),
        ("{", "no JSON"),
        ('{"action": "dance"}', "“dance”"),
        ('{"action": "notify"}', "payload"),
    ],
)
def test_mistakes_on_the_socket_are_told(message: str | bytes, words: str) -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            if isinstance(message, bytes):
                bot.socket.send_bytes(message)
            else:
                bot.socket.send_text(message)

        call = await one_call(vonage_bot(talk=talk), CallerPlan(hang_up_at_s=1.0))

        assert words in call.log.problems[0]
        assert call.ear.n_heard == 0

    play(call())


def test_what_the_buffer_does_not_hold_is_lost_and_told() -> None:
    async def call() -> None:
        async def talk(bot: Bot) -> None:
            for _ in range(1_030):
                bot.socket.send_bytes(bytes(640))

        call = await one_call(vonage_bot(talk=talk), CallerPlan(tail_s=60, hang_up_at_s=25.0))

        assert "buffer" in call.log.problems[0]
        assert call.ear.n_heard == 1_024 * 320

    play(call())


def test_a_closed_socket_is_an_event_whose_answer_goes_on() -> None:
    async def call() -> None:
        async def answer(_bot: Bot, asked: Asked) -> Response:
            if asked.url.endswith("/event"):
                dial = {"type": "phone", "number": "15550100009"}
                return JSONResponse([{"action": "connect", "endpoint": [dial]}])
            action = {**endpoint(), "eventType": "synchronous", "eventUrl": [BASE + "/event"]}
            return JSONResponse([action])

        async def talk(bot: Bot) -> None:
            await asyncio.sleep(1.0)
            bot.socket.close()

        bot = Bot(answer=answer, talk=talk, starts_with="websocket:connected")
        call = await one_call(bot, CallerPlan(hang_up_at_s=3.0))

        assert bot.asked[-1].json["status"] == "disconnected"
        assert report_of("vonage", call).connected_to == "15550100009"

    play(call())


def keys() -> tuple[rsa.RSAPrivateKey, str]:
    private = rsa.generate_private_key(65_537, 2_048)
    pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, pem.decode()


def token(private: rsa.RSAPrivateKey, **claims: Any) -> str:
    def encoded(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    text = (
        f"{encoded(json.dumps({'alg': 'RS256'}).encode())}.{encoded(json.dumps(claims).encode())}"
    )
    signature = private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{encoded(signature)}"


def test_calls_are_placed_and_hung_up_with_a_token_of_the_application() -> None:
    # Made before the call: a key takes longer than a loop may be held up.
    (private, public), (strange, _) = keys(), keys()

    async def call() -> None:
        bot = vonage_bot()
        calls: list[PhoneCall] = []
        async with emulated("vonage", BASE, bot.site, line_hz=16_000) as plain:
            world: World = plain.world
            account = Account("app-1", "s", {"public_key": public})
            carrier = Vonage(world, account)
            carrier.on_call = calls.append
            carrier.plan_for = lambda _to: CallerPlan(tail_s=60)
            transport = httpx.ASGITransport(app=carrier.app)
            async with httpx.AsyncClient(
                transport=transport, base_url="https://api.nexmo.com"
            ) as http:
                http.headers["Authorization"] = "Bearer " + token(private, application_id="app-1")
                body = {
                    "to": [{"type": "phone", "number": "2"}],
                    "from": {"type": "phone", "number": "1"},
                    "ncco": [endpoint()],
                    "event_url": [BASE + "/event"],
                }
                made = await http.post("/v1/calls", json=body)
                assert made.status_code == 201
                url = f"/v1/calls/{made.json()['uuid']}"
                await asyncio.sleep(3.0)
                wrong = {"Authorization": "Bearer " + token(strange, application_id="app-1")}
                refused = await http.put(url, json={"action": "hangup"}, headers=wrong)
                assert refused.status_code == 401
                assert (await http.put(url, json={"action": "hangup"})).status_code == 204
                await calls[0].over.wait()
                assert (await http.put(url, json={"action": "hangup"})).status_code == 404
            await carrier.close()

        statuses = [asked.json["status"] for asked in bot.asked if asked.url.endswith("event")]
        assert statuses == ["ringing", "answered", "completed"]

    play(call())
