"""The answer URL and the status URL, over REST, in virtual time."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any
from urllib.parse import urlencode

import pytest

from bridge.gateway.phone.webhooks import plain_word
from bridge.virtual import run_virtual
from tests.fakes.knocks import (
    FORM,
    Webhook,
    plivo_webhook,
    status_of,
    stream_target,
    telnyx_webhook,
    twilio_call,
    twilio_knock,
    twilio_webhook,
)
from tests.fakes.phone_world import BASE, PhoneWorld, phone_world

STATUS = "/carriers/twilio/status"


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


async def told(world: PhoneWorld, **fields: str) -> int:
    webhook = twilio_webhook(twilio_call(**fields), STATUS)
    return (await webhook.send(world.http())).status_code


def test_the_answer_names_the_socket_and_the_status_url_under_the_public_address() -> None:
    async def test() -> None:
        async with phone_world() as world:
            response = await twilio_webhook(twilio_call()).send(world.http())

            assert response.headers["content-type"] == "text/xml; charset=utf-8"
            assert response.headers["cache-control"] == "no-store"
            assert '<Stream url="wss://bridge.example/carriers/twilio/media/' in response.text
            assert 'statusCallback="https://bridge.example/carriers/twilio/status"' in response.text

    play(test())


def test_without_a_public_url_the_address_of_the_request_is_taken() -> None:
    async def test() -> None:
        async with phone_world(server={}) as world:
            response = await twilio_webhook(twilio_call()).send(world.http())

            assert 'url="wss://bridge.example/carriers/twilio/media/' in response.text

    play(test())


@pytest.mark.parametrize("secret", ["another", "x"])
def test_a_webhook_of_somebody_else_is_refused_before_anything_is_spent(secret: str) -> None:
    async def test() -> None:
        async with phone_world() as world:
            for path in ("/carriers/twilio/answer", STATUS):
                webhook = twilio_webhook(twilio_call(), path, secret)
                response = await webhook.send(world.http())

                assert response.status_code == 403
                assert response.json() == {"detail": "This request is not signed as it must be."}
            assert world.records == []

    play(test())


def test_a_webhook_signed_for_one_call_is_none_for_another() -> None:
    async def test() -> None:
        async with phone_world() as world:
            webhook = twilio_webhook(twilio_call("CA1"))
            webhook.body = urlencode(twilio_call("CA2")).encode()

            assert (await webhook.send(world.http())).status_code == 403

    play(test())


def test_a_call_that_is_asked_about_twice_is_one_call() -> None:
    async def test() -> None:
        async with phone_world() as world:
            webhook = twilio_webhook(twilio_call())
            first = await stream_target(world, webhook)
            second = await stream_target(world, webhook)

            assert len(world.records) == 1
            assert await status_of(world, twilio_knock(second)) == 101
            assert await status_of(world, twilio_knock(first)) == 410
            third = await webhook.send(world.http())
            assert "<Reject" in third.text

    play(test())


@pytest.mark.parametrize(
    "path", ["/carriers/nobody/answer", "/carriers/plivo/answer", "/carriers/genesys/status"]
)
def test_a_carrier_that_is_not_there_or_asks_nothing_is_not_found(path: str) -> None:
    async def test() -> None:
        async with phone_world() as world:
            assert (await world.http().post(path)).status_code == 404

    play(test())


@pytest.mark.parametrize(("size", "status"), [(65_536, 403), (65_537, 413)])
def test_a_body_has_a_bound(size: int, status: int) -> None:
    async def test() -> None:
        async with phone_world() as world:
            webhook = Webhook(
                "POST", "/carriers/twilio/answer", b"x" * size, {"Content-Type": FORM}
            )

            assert (await webhook.send(world.http())).status_code == status

    play(test())


def test_a_webhook_that_says_nothing_of_use_is_400() -> None:
    async def test() -> None:
        async with phone_world() as world:
            response = await twilio_webhook({"From": "+1"}).send(world.http())

            assert response.status_code == 400
            assert response.json() == {
                "detail": "This is no webhook of this carrier: it has no CallSid."
            }

    play(test())


# What becomes of the call


def test_a_call_that_is_over_before_it_has_a_socket_is_ended_with_the_carriers_word() -> None:
    async def test() -> None:
        async with phone_world() as world:
            await stream_target(world, twilio_webhook(twilio_call()))

            assert await told(world, CallStatus="no-answer") == 200
            await world.settled()

            record = world.record
            assert record.end is not None
            assert record.end.reason == "no_socket"
            assert (record.status, world.desk.n_live) == ("no-answer", 0)

    play(test())


def test_a_stream_that_the_carrier_could_not_open_ends_the_call_and_is_logged_with_its_code() -> (
    None
):
    async def test() -> None:
        async with phone_world() as world:
            await stream_target(world, twilio_webhook(twilio_call()))

            refused = "31920 wss://bridge.example/carriers/twilio/media/CANARY"
            await told(world, StreamEvent="stream-error", StreamError=refused)
            await world.settled()

            assert world.record.end is not None
            assert "(31920 …)" in world.record.end.detail
            assert any("could not open its media socket (31920 …)" in line for line in world.lines)
            assert not any("CANARY" in line for line in world.lines)

    play(test())


def test_a_status_that_comes_after_the_end_is_kept_too() -> None:
    async def test() -> None:
        async with phone_world() as world:
            await stream_target(world, twilio_webhook(twilio_call()))
            await told(world, CallStatus="failed")
            await world.settled()
            await told(world, CallStatus="completed")

            assert world.record.status == "completed"
            assert await told(world, CallSid="CA-unknown", CallStatus="completed") == 200

    play(test())


def test_a_status_of_a_live_call_is_kept_and_ends_nothing() -> None:
    async def test() -> None:
        async with phone_world() as world:
            target = await stream_target(world, twilio_webhook(twilio_call()))
            assert await status_of(world, twilio_knock(target)) == 101
            await told(world, CallStatus="completed")

            assert (world.record.status, world.record.state) == ("completed", "live")

    play(test())


@pytest.mark.parametrize("over", [True, False])
def test_a_call_that_goes_on_may_be_sent_to_us_again_until_the_carrier_says_that_it_is_over(
    over: bool,
) -> None:
    async def test() -> None:
        async with phone_world() as world:
            goes_on = twilio_webhook(twilio_call(CallStatus="in-progress"))
            await stream_target(world, goes_on)
            await asyncio.sleep(61.0)
            if over:
                await told(world, CallStatus="completed")
            answer = await goes_on.send(world.http())

            assert ("<Reject" in answer.text) is over
            assert len(world.records) == (1 if over else 2)

    play(test())


def test_a_call_on_the_status_url_opens_nothing() -> None:
    async def test() -> None:
        async with phone_world() as world:
            response = await twilio_webhook(twilio_call(), STATUS).send(world.http())

            assert (response.status_code, response.text) == (200, "")
            assert world.records == []

    play(test())


@pytest.mark.parametrize(
    ("word", "kept"),
    [("no-answer", "no-answer"), ("+15550100001", ""), ("", ""), ("x" * 41, ""), ("a\nb", "")],
)
def test_only_a_word_of_a_carrier_gets_into_records_and_logs(word: str, kept: str) -> None:
    assert plain_word(word) == kept


# Carriers with ways of their own


def event(kind: str, **payload: str) -> bytes:
    told = {"call_control_id": "v3:1", "direction": "incoming", **payload}
    return json.dumps({"data": {"event_type": kind, "payload": told}}).encode()


def test_a_telnyx_call_that_cannot_be_answered_by_rest_is_ended() -> None:
    async def test() -> None:
        async with phone_world(name="telnyx", sites={}) as world:
            at_s = world.carrier.world.clock().timestamp()
            body = event("call.initiated")
            webhook = telnyx_webhook(body, at_s, "application/json")

            assert (await webhook.send(world.http())).status_code == 200
            await world.settled()  # the emulator knows no such call

            assert world.record.end is not None
            assert world.record.end.reason == "no_socket"

    play(test())


def test_a_plivo_call_that_is_sent_on_is_told_where() -> None:
    async def test() -> None:
        async with phone_world(name="plivo") as world:
            path = "/carriers/plivo/answer?transfer_to=%2B15550100099"
            response = await plivo_webhook({"CallUUID": "u1"}, "n1", path).send(world.http())

            assert "<Dial><Number>+15550100099</Number></Dial>" in response.text

    play(test())


def test_a_carrier_without_a_word_for_busy_gets_503() -> None:
    async def test() -> None:
        table = {"user": "u", "password": "CANARY-p"}
        async with phone_world(
            name="exotel", carriers={"exotel": table}, phone={"max_calls": 0}
        ) as world:
            response = await world.http().get(
                "/carriers/exotel/answer?CallSid=1", auth=("u", "CANARY-p")
            )

            assert (response.status_code, response.headers["retry-after"]) == (503, "5")

    play(test())


def test_the_dialplan_gets_a_uuid_for_an_audiosocket_and_only_with_a_key() -> None:
    async def test() -> None:
        key = "CANARY-api-key"
        server = {"public_url": BASE, "api_keys": [key]}
        async with phone_world(
            name="audiosocket", server=server, audiosocket={}, carriers={}
        ) as world:
            url = "/carriers/audiosocket/answer"
            assert (await world.http().post(url)).status_code == 401
            headers = {"X-API-Key": key}
            response = await world.http().post(f"{url}?from=1&to=2", headers=headers)

            assert response.status_code == 200
            assert world.record.carrier_call_id == response.text
            assert world.record.numbers.called == "2"
            await asyncio.sleep(61)
            assert world.record.end is not None
            assert world.record.end.reason == "no_socket"

    play(test())
