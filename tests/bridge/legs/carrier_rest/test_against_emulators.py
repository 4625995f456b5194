"""Our clients, documents and checks against the carrier emulators: two readings of the same vendors' pages."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi.responses import Response

from bridge.legs.carrier_rest import exotel, plivo, telnyx, twilio
from bridge.legs.phone_line import CarrierApi, CarrierApiError, OutgoingCall
from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.base import Carrier
from bridge.testing.carriers.telnyx.exchange import Telnyx
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from bridge.wire.answers import plivo_xml, twiml
from bridge.wire.answers.answer import Answer
from bridge.wire.signatures import plivo as plivo_signatures
from bridge.wire.signatures import telnyx as telnyx_signatures
from bridge.wire.signatures import twilio as twilio_signatures
from bridge.wire.signatures.request import SignedRequest
from tests.fakes.bot import BASE, STREAM_URL, Asked, Bot
from tests.fakes.emulated import ACCOUNTS, emulated

STREAM_TOKEN = "CANARY-stream-token"
ANSWER_URL = f"{BASE}/answer?route=a%20b"
STATUS_URL = f"{BASE}/status"
OVER = CallerPlan(hang_up_at_s=30.0)


def make_api(carrier: Carrier, http: httpx.AsyncClient) -> CarrierApi:
    account = ACCOUNTS[carrier.name]
    if carrier.name == "twilio":
        return twilio.TwilioApi(
            http, account.account_id, account.token, resume_url=f"{BASE}/resume"
        )
    if carrier.name == "telnyx":
        return telnyx.TelnyxApi(
            http, account.token, connection_id="app-1", stream_auth_token=STREAM_TOKEN
        )
    if carrier.name == "plivo":
        return plivo.PlivoApi(http, account.account_id, account.token, transfer_url=ANSWER_URL)
    return exotel.ExotelApi(http, account.account_id, account.more["key"], account.token)


def webhook_wrong(carrier: Carrier, request: SignedRequest) -> str | None:
    token = ACCOUNTS[carrier.name].token
    if carrier.name == "twilio":
        return twilio_signatures.check_webhook(token, request, BASE)
    if carrier.name == "plivo":
        return plivo_signatures.check_webhook(token, request, BASE)
    if isinstance(carrier, Telnyx):
        now_s = carrier.world.clock().timestamp()
        return telnyx_signatures.check_webhook(carrier.public_key, request, now_s)
    return None


def upgrade_wrong(carrier: Carrier, request: SignedRequest) -> str | None:
    token = ACCOUNTS[carrier.name].token
    if carrier.name == "twilio":
        return twilio_signatures.check_upgrade(token, request, BASE)
    if carrier.name == "plivo":
        return plivo_signatures.check_upgrade(token, request, BASE)
    if carrier.name == "telnyx":
        return telnyx_signatures.check_upgrade(STREAM_TOKEN, request)
    return None


def as_request(asked: Asked) -> SignedRequest:
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return SignedRequest(asked.method, asked.url.removeprefix(BASE), headers, asked.body)


def said(answer: Answer) -> Response:
    return Response(answer.body, media_type=answer.content_type)


def document(carrier_name: str, asked: Asked) -> Response:
    """What the answer URL says: a stream, or for a transfer whom to call."""
    if "transfer_to=" in asked.url:
        return said(plivo_xml.transfer("+15550100009"))
    if carrier_name == "plivo" and "/answer" in asked.url:
        return said(plivo_xml.stream(STREAM_URL, status_url=STATUS_URL))
    if "/resume" in asked.url:
        return said(twiml.stream(STREAM_URL))
    return Response(status_code=200)


@asynccontextmanager
async def placed(name: str) -> AsyncIterator[tuple[CarrierApi, PhoneCall, Bot, Carrier]]:
    """A call that we placed, with its stream open."""

    async def answer(_bot: Bot, asked: Asked) -> Response:
        return document(name, asked)

    bot, calls = Bot(answer), list[PhoneCall]()
    async with emulated(name, BASE, bot.site) as carrier:
        carrier.on_call = calls.append
        carrier.plan_for = lambda _to: OVER
        transport = httpx.ASGITransport(app=carrier.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://api.test") as http:
            api = make_api(carrier, http)
            call_id = await api.place(
                OutgoingCall(
                    to="+15550100003",
                    from_="+15550100002",
                    stream_url=STREAM_URL,
                    status_url=STATUS_URL,
                    answer_url=ANSWER_URL,
                )
            )
            assert call_id == calls[0].facts.call_id
            await asyncio.wait_for(bot.started.wait(), 20)
            yield api, calls[0], bot, carrier


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


@pytest.mark.parametrize("name", ["twilio", "telnyx", "plivo", "exotel"])
def test_a_call_is_placed_and_everything_that_comes_of_it_is_signed_rightly(name: str) -> None:
    async def run() -> None:
        async with placed(name) as (_, call, bot, carrier):
            assert call.status == "in-progress"
            [knock] = bot.knocks
            assert upgrade_wrong(carrier, SignedRequest("GET", knock.target, knock.headers)) is None
            await call.over.wait()
            await asyncio.sleep(1)
            webhooks = [as_request(asked) for asked in bot.asked]
            assert [webhook_wrong(carrier, request) for request in webhooks] == [None] * len(
                webhooks
            )
            assert len(webhooks) >= (1 if name == "exotel" else 2)
            assert call.log.problems == []

    play(run())


@pytest.mark.parametrize("name", ["twilio", "telnyx", "plivo"])
def test_a_call_is_hung_up_and_may_be_hung_up_again(name: str) -> None:
    async def run() -> None:
        async with placed(name) as (api, call, _, _):
            line = api.line(call.facts.call_id)
            await line.hang_up()
            await asyncio.wait_for(call.over.wait(), 5)
            assert call.end is not None
            assert call.end.by == "application"
            await line.hang_up()
            with pytest.raises(CarrierApiError, match="refused to transfer"):
                await line.transfer("+15550100009")

    play(run())


@pytest.mark.parametrize("name", ["twilio", "telnyx", "plivo"])
def test_a_call_is_transferred(name: str) -> None:
    async def run() -> None:
        async with placed(name) as (api, call, bot, _):
            await api.line(call.facts.call_id).transfer("+15550100009")
            await asyncio.sleep(2)
            assert bot.closed is not None
            assert call.log.problems == []

    play(run())


@pytest.mark.parametrize("name", ["twilio", "telnyx", "plivo"])
def test_keys_are_pressed(name: str) -> None:
    async def run() -> None:
        async with placed(name) as (api, call, bot, _):
            await api.line(call.facts.call_id).send_digits("1w#")
            await asyncio.sleep(5)
            assert call.status == "in-progress"
            # Twilio ends the stream for it and opens another one.
            assert len(bot.knocks) == (2 if name == "twilio" else 1)

    play(run())
