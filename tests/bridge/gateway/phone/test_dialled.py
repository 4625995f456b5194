"""Carriers' webhooks about calls that the call service has placed: who is believed, and about which call."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from bridge.testing.caller import CallerPlan
from bridge.testing.carriers.telnyx.exchange import TEST_KEY
from bridge.virtual import run_virtual
from bridge.wire.signatures import telnyx
from tests.fakes.direct_calls import DirectWorld, direct_world
from tests.fakes.knocks import Webhook, plivo_webhook, twilio_webhook

CONNECTED = {"connection_id": "application-1"}


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


@dataclass
class Ringing:
    """A call that was dialled and rings."""

    here: DirectWorld
    call_id: str

    @property
    def placed_id(self) -> str:
        """The carrier's id."""
        return str(self.here.placed[0].facts.call_id)

    @property
    def path(self) -> str:
        return f"/carriers/{self.here.carrier.name}/status?call={self.call_id}"

    async def send(self, webhook: Webhook) -> httpx.Response:
        return await webhook.send(self.here.http)

    async def is_waiting(self) -> bool:
        await asyncio.sleep(0.1)
        return (await self.here.get(f"/api/calls/{self.call_id}"))["ended"] is None

    @property
    def answer_path(self) -> str:
        """The path of the answer URL that the carrier was given."""
        url: str = self.here.placed[0].facts.more["answer_url"]
        return url.removeprefix("https://bridge.example")


async def ringing(here: DirectWorld) -> Ringing:
    here.carrier.pick_up_s = 60.0
    created = (await here.dial(joinTimeout="120s")).json()
    await asyncio.sleep(1.0)
    return Ringing(here, created["callId"])


def busy(call_id: str) -> dict[str, str]:
    return {"CallSid": call_id, "CallStatus": "busy", "CallbackSource": "call-progress-events"}


def test_a_status_that_somebody_else_tells_ends_nothing() -> None:
    async def test() -> None:
        async with direct_world() as here:
            there = await ringing(here)
            forged = twilio_webhook(busy(there.placed_id), there.path, secret="another")

            assert (await there.send(forged)).status_code == 403
            assert await there.is_waiting()
            true = twilio_webhook(busy(there.placed_id), there.path)
            assert (await there.send(true)).status_code == 200
            assert not await there.is_waiting()

    play(test())


def test_a_status_of_another_phone_call_of_the_account_ends_nothing() -> None:
    async def test() -> None:
        async with direct_world() as here:
            there = await ringing(here)
            other = twilio_webhook(busy("CA-another"), there.path)

            assert (await there.send(other)).status_code == 200
            assert await there.is_waiting()

    play(test())


@pytest.mark.parametrize("query", ["", "?call=", "?call=nobody", "?call=%00", "?other=1"])
def test_a_status_that_names_no_call_of_ours_is_taken_and_ends_nothing(query: str) -> None:
    async def test() -> None:
        async with direct_world() as here:
            there = await ringing(here)
            webhook = twilio_webhook(busy(there.placed_id), f"/carriers/twilio/status{query}")

            assert (await there.send(webhook)).status_code == 200
            assert await there.is_waiting()

    play(test())


def test_a_status_that_tells_of_progress_ends_nothing() -> None:
    async def test() -> None:
        async with direct_world() as here:
            there = await ringing(here)
            for status in ("initiated", "ringing", "in-progress"):
                fields = {**busy(there.placed_id), "CallStatus": status}
                assert (await there.send(twilio_webhook(fields, there.path))).status_code == 200

            assert await there.is_waiting()

    play(test())


def test_a_stream_that_telnyx_could_not_open_ends_the_call_and_hangs_up_the_phone() -> None:
    async def test() -> None:
        async with direct_world(name="telnyx", table=CONNECTED) as here:
            there = await ringing(here)
            payload = {"call_control_id": there.placed_id, "failure_reason": "connection_failed"}
            data = {"event_type": "streaming.failed", "payload": payload}
            body = json.dumps({"data": data}).encode()
            now_s = here.carrier.world.clock().timestamp()
            headers = {
                "Content-Type": "application/json",
                **telnyx.sign_webhook(TEST_KEY, body, now_s),
            }
            assert (await there.send(Webhook("POST", there.path, body, headers))).status_code == 200

            assert not await there.is_waiting()
            assert here.placed[0].status == "canceled"
            [event] = await here.events(there.call_id, "phone_call_unanswered")
            assert event["text"] == "The carrier could not open the phone call's media stream."

    play(test())


def test_a_call_that_is_joined_goes_on_whatever_a_status_says() -> None:
    async def test() -> None:
        async with direct_world() as here:
            here.carrier.plan_for = lambda _to: CallerPlan(hang_up_at_s=20.0)
            created = (await here.dial()).json()
            await asyncio.sleep(3.0)
            there = Ringing(here, created["callId"])
            assert (await there.send(twilio_webhook(busy(there.placed_id), there.path))).is_success

            assert await there.is_waiting()
            await here.placed[0].over.wait()

    play(test())


# Plivo asks what to do


def picked_up(call_id: str) -> dict[str, str]:
    return {"CallUUID": call_id, "Event": "StartApp", "CallStatus": "in-progress"}


def test_plivo_is_told_the_media_socket_of_its_call_and_of_no_other() -> None:
    async def test() -> None:
        async with direct_world(name="plivo") as here:
            there = await ringing(here)
            path = there.answer_path
            _, _, token = path.rpartition("/")
            right = await there.send(plivo_webhook(picked_up(there.placed_id), "n1", path))
            wrong = path.replace(token, "x" * len(token))
            other = await there.send(plivo_webhook(picked_up(there.placed_id), "n2", wrong))
            nobody = path.replace(there.call_id, "nobody")
            none = await there.send(plivo_webhook(picked_up(there.placed_id), "n3", nobody))

            assert f"/calls/{there.call_id}/{token}/telephony</Stream>" in right.text
            assert f"status?call={there.call_id}" in right.text
            for refusal in (other, none):
                assert refusal.status_code == 200
                assert "<Stream" not in refusal.text
                assert "<Hangup" in refusal.text

    play(test())


@pytest.mark.parametrize("wrong", ["unsigned", "signed for another path", "signed before"])
def test_whoever_is_not_plivo_is_told_nothing(wrong: str) -> None:
    async def test() -> None:
        async with direct_world(name="plivo") as here:
            there = await ringing(here)
            webhook = plivo_webhook(picked_up(there.placed_id), "n1", there.answer_path)
            if wrong == "unsigned":
                webhook.headers = {"Content-Type": webhook.headers["Content-Type"]}
            elif wrong == "signed for another path":
                webhook.headers |= plivo_webhook(picked_up(there.placed_id), "n1").headers
            else:
                await there.send(webhook)
            answer = await there.send(webhook)

            assert answer.status_code == 403
            assert "telephony" not in answer.text

    play(test())


def test_a_call_that_is_over_is_hung_up_when_it_is_picked_up() -> None:
    async def test() -> None:
        async with direct_world(name="plivo") as here:
            there = await ringing(here)
            await here.phones.server.service.close()
            answer = await there.send(
                plivo_webhook(picked_up(there.placed_id), "n1", there.answer_path)
            )

            assert "<Hangup" in answer.text

    play(test())


def test_a_carrier_gets_no_socket_for_a_call_that_another_carrier_was_to_dial() -> None:
    async def test() -> None:
        both = {
            "plivo": {"auth_id": "MA1", "auth_token": "CANARY-TOKEN"},
            "twilio": {"account_sid": "AC" + 32 * "1", "auth_token": "CANARY-TOKEN"},
        }
        async with direct_world(name="plivo", carriers=both) as here:
            here.carrier.account = here.carrier.account.__class__("MA1", "CANARY-TOKEN")
            there = await ringing(here)
            path = there.answer_path.replace("/plivo/", "/twilio/")
            fields = {"CallSid": "CA1", "AccountSid": "AC" + 32 * "1", "CallStatus": "ringing"}
            answer = await there.send(twilio_webhook(fields, path))

            assert "<Stream" not in answer.text
            assert "<Reject" in answer.text

    play(test())


@pytest.mark.parametrize("status", ["busy", "in-progress"])
def test_a_request_at_plivo_may_have_an_id_of_its_own(status: str) -> None:
    async def test() -> None:
        options = {"requests": "own"}
        async with direct_world(name="plivo", options=options) as here:
            if status == "busy":
                here.carrier.turned_away = "busy"
            here.carrier.plan_for = lambda _to: CallerPlan(hang_up_at_s=3.0)
            created = (await here.dial(joinTimeout="90s")).json()
            await here.placed[0].over.wait()
            await asyncio.sleep(1.0)

            ended = await here.ended(created["callId"])
            assert ended["endReason"] == ("unjoined" if status == "busy" else "hangup")
            assert here.placed[0].log.problems == []

    play(test())


def test_a_request_at_plivo_with_an_id_of_its_own_is_cancelled_while_it_rings() -> None:
    async def test() -> None:
        async with direct_world(name="plivo", options={"requests": "own"}) as here:
            here.carrier.pick_up_s = None
            await here.dial(joinTimeout="10s")
            await asyncio.sleep(10.5)

            assert here.placed[0].status == "canceled"

    play(test())


def test_what_the_query_says_twice_is_read_once() -> None:
    async def test() -> None:
        async with direct_world() as here:
            there = await ringing(here)
            query = urlencode([("call", "nobody"), ("call", there.call_id)])
            webhook = twilio_webhook(busy(there.placed_id), f"/carriers/twilio/status?{query}")
            await there.send(webhook)

            assert await there.is_waiting()

    play(test())
