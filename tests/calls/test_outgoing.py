"""Phone calls that the call server dials through the carriers of its configuration, from the request to the hang-up."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from bridge.testing.call_parts import Status
from bridge.testing.caller import CallerPlan
from bridge.testing.phone_call import PhoneCall
from bridge.virtual import run_virtual
from tests.fakes.direct_calls import FROM, TO, DirectWorld, direct_world
from tests.fakes.phone_talk import GOODBYE, GREETING, Receptionist, caller_plan, spoken_s

TABLES: dict[str, dict[str, object]] = {
    "twilio": {},
    "telnyx": {"connection_id": "application-1"},
    "plivo": {},
}
TOOLS = [{"toolName": "playDtmfSounds"}]
every_carrier = pytest.mark.parametrize("name", TABLES)


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def world(name: str, brain: Any = None, **more: Any) -> Any:
    return direct_world(brain, name=name, table={**TABLES[name], **more.pop("table", {})}, **more)


async def answered(here: DirectWorld, plan: CallerPlan, **body: Any) -> tuple[Any, PhoneCall]:
    """Dial, and let the call go to its end."""
    here.carrier.plan_for = lambda _to: plan
    created = await here.dial(**body)
    assert created.status_code == 201, created.text
    [phone] = here.placed
    await phone.over.wait()
    await asyncio.sleep(1.0)
    return await here.ended(created.json()["callId"]), phone


@every_carrier
def test_a_dialled_call_is_answered_and_goes_to_its_goodbye(name: str) -> None:
    async def call() -> None:
        brain = Receptionist()
        async with world(name, brain) as here:
            ended, phone = await answered(here, caller_plan(), selectedTools=TOOLS)

            assert phone.log.problems == []
            assert (phone.facts.to_number.lstrip("+"), phone.facts.from_number.lstrip("+")) == (
                TO.lstrip("+"),
                FROM.lstrip("+"),
            )
            assert ended["joinUrl"] is None
            assert ended["endReason"] == "agent_hangup"
            context = ended["requestContext"]
            assert context["phoneCallId"] == phone.facts.call_id
            assert [context[key].lstrip("+") for key in ("to", "from")] == [
                TO.lstrip("+"),
                FROM.lstrip("+"),
            ]
            assert brain.heard == ["hello", "stop", "12#"]
            rate_hz = phone.ear.rate_hz
            heard_s = [(each.end - each.start) / rate_hz for each in phone.ear.stretches]
            assert 0 <= heard_s[0] - spoken_s(GREETING) <= 0.03
            assert 0 <= heard_s[-1] - spoken_s(GOODBYE) <= 0.03
            assert not phone.ear.holes()
            assert phone.status == "completed"
            assert phone.end is not None
            assert phone.end.by == "application"
            assert "REST" in phone.end.how
            assert (await here.figures(ended["callId"]))["callerAudioLostMs"] == 0
            assert await here.events(ended["callId"], "phone_call_unanswered") == []

    play(call())


@pytest.mark.parametrize(
    ("name", "rate_hz", "table"),
    [
        ("telnyx", 16_000, {"codec": "L16", "rate_hz": 16_000}),
        ("telnyx", 16_000, {"codec": "L16", "rate_hz": 16_000, "l16_byteorder": "little"}),
        ("plivo", 16_000, {"content_type": "audio/x-l16;rate=16000"}),
    ],
)
def test_a_dialled_call_has_the_audio_that_is_configured(
    name: str, rate_hz: int, table: dict[str, object]
) -> None:
    async def call() -> None:
        brain = Receptionist()
        options = {"byteorder": "little"} if "l16_byteorder" in table else {}
        async with world(name, brain, line_hz=rate_hz, options=options, table=table) as here:
            _, phone = await answered(here, caller_plan(rate_hz), selectedTools=TOOLS)

            assert phone.log.problems == []
            assert brain.heard == ["hello", "stop", "12#"]
            heard_s = [(each.end - each.start) / rate_hz for each in phone.ear.stretches]
            assert 0 <= heard_s[0] - spoken_s(GREETING) <= 0.03

    play(call())


SENTENCES = {
    "busy": "The called phone was busy.",
    "no-answer": "Nobody answered the phone.",
    "failed": "The carrier could not put the phone call through.",
}


@every_carrier
@pytest.mark.parametrize("status", ["busy", "failed"])
def test_a_phone_that_does_not_ring_ends_the_call_at_once_and_the_call_says_why(
    name: str, status: Status
) -> None:
    async def call() -> None:
        async with world(name) as here:
            here.carrier.turned_away = status
            created = (await here.dial(joinTimeout="90s")).json()
            await asyncio.sleep(0.5)

            ended = await here.ended(created["callId"])
            assert ended["endReason"] == "unjoined"
            [event] = await here.events(created["callId"], "phone_call_unanswered")
            assert event["text"] == SENTENCES[status]
            assert here.placed[0].log.problems == []

    play(call())


@every_carrier
def test_nobody_picks_up_and_the_call_ends_when_the_carrier_gives_up(name: str) -> None:
    async def call() -> None:
        async with world(name) as here:
            here.carrier.pick_up_s = None
            created = (await here.dial(joinTimeout="90s")).json()
            await asyncio.sleep(29.0)
            waiting = await here.get(f"/api/calls/{created['callId']}")
            await asyncio.sleep(2.0)

            ended = await here.ended(created["callId"])
            assert waiting["ended"] is None
            assert ended["endReason"] == "unjoined"
            [event] = await here.events(created["callId"], "phone_call_unanswered")
            assert event["text"] == SENTENCES["no-answer"]

    play(call())


@every_carrier
def test_a_phone_that_rings_longer_than_the_join_timeout_is_hung_up_at_once(name: str) -> None:
    async def call() -> None:
        async with world(name) as here:
            here.carrier.pick_up_s = None
            created = (await here.dial(joinTimeout="20s")).json()
            [phone] = here.placed
            await asyncio.sleep(19.9)
            rang = phone.status
            await asyncio.sleep(0.3)

            ended = await here.ended(created["callId"])
            assert (rang, phone.status) == ("ringing", "canceled")
            assert ended["endReason"] == "unjoined"
            [event] = await here.events(created["callId"], "phone_call_unanswered")
            assert event["text"] == "The phone call had no media stream within 20 s."

    play(call())


@every_carrier
def test_what_rings_is_hung_up_when_the_server_stops(name: str) -> None:
    async def call() -> None:
        async with world(name) as here:
            here.carrier.pick_up_s = None
            created = (await here.dial(joinTimeout="90s")).json()
            [phone] = here.placed
            await asyncio.sleep(1.0)
            await here.phones.server.service.close()
            await asyncio.sleep(0.1)

            assert phone.status == "canceled"
            assert (await here.ended(created["callId"]))["endReason"] == "system_error"

    play(call())


@every_carrier
def test_a_caller_who_hangs_up_ends_a_dialled_call(name: str) -> None:
    async def call() -> None:
        async with world(name) as here:
            ended, phone = await answered(here, CallerPlan(hang_up_at_s=3.0))

            assert ended["endReason"] == "hangup"
            assert phone.end is not None
            assert phone.end.by == "caller"

    play(call())


def test_a_carrier_that_will_not_place_the_call_is_a_502_and_an_ended_call() -> None:
    async def call() -> None:
        async with world("telnyx", table={"connection_id": None}) as here:
            answer = await here.dial()

            assert answer.status_code == 502
            assert "connection_id" in answer.json()["detail"]
            [listed] = (await here.get("/api/calls"))["results"]
            assert listed["endReason"] == "unjoined"
            [event] = await here.events(listed["callId"], "phone_call_unanswered")
            assert event["text"] == answer.json()["detail"].rstrip(".")

    play(call())


def test_additional_parameters_reach_the_carrier() -> None:
    async def call() -> None:
        async with world("telnyx", table={"connection_id": None}) as here:
            answer = await here.dial(more={"connection_id": "another", "client_state": "c3RhdGU="})

            assert answer.status_code == 201
            assert here.placed[0].facts.more["connection_id"] == "another"

    play(call())


@pytest.mark.parametrize("name", ["Url", "Twiml", "To", "StatusCallback", "FallbackUrl"])
def test_additional_parameters_do_not_say_whom_to_call_or_what_to_do(name: str) -> None:
    async def call() -> None:
        async with world("twilio") as here:
            answer = await here.dial(more={name: "https://elsewhere.example"})

            assert answer.status_code == 502
            assert here.placed == []

    play(call())


def test_numbers_are_dialled_as_they_were_checked() -> None:
    async def call() -> None:
        async with world("twilio") as here:
            await here.dial(to="+1 (555) 010-0042")

            assert here.placed[0].facts.to_number == "+15550100042"

    play(call())


# Limits


def refused(answer: Any) -> str:
    assert answer.status_code == 400
    [sentence] = answer.json()["medium"]
    assert TO not in sentence
    return str(sentence)


@pytest.mark.parametrize(
    ("outgoing", "to", "sentence"),
    [
        ({}, TO, "outgoing.enabled"),
        ({"enabled": True, "prefixes": ["+1556"]}, TO, "outgoing.prefixes"),
        ({"enabled": True, "prefixes": ["+"]}, "15550100042", "+15550100"),
        ({"enabled": True, "prefixes": ["+"]}, "sip:a@b.example", "+15550100"),
        ({"enabled": True, "prefixes": ["+"]}, f"{TO}<{TO}", "+15550100"),
    ],
)
def test_a_call_that_may_not_be_placed_is_refused_in_one_sentence_and_leaves_no_record(
    outgoing: dict[str, object], to: str, sentence: str
) -> None:
    async def call() -> None:
        async with world("twilio", outgoing=outgoing) as here:
            assert sentence in refused(await here.dial(to=to))
            assert (await here.get("/api/calls"))["results"] == []
            assert here.placed == []

    play(call())


def test_so_many_calls_at_once_and_no_more_until_one_has_ended() -> None:
    async def call() -> None:
        outgoing = {"enabled": True, "prefixes": ["+1"], "max_calls": 2}
        async with world("twilio", outgoing=outgoing) as here:
            here.carrier.plan_for = lambda _to: CallerPlan(hang_up_at_s=3.0)
            both = [await here.dial(), await here.dial()]
            third = await here.dial()
            for phone in here.placed:
                await phone.over.wait()
            await asyncio.sleep(1.0)
            later = await here.dial()

            assert [each.status_code for each in both] == [201, 201]
            assert "outgoing.max_calls" in refused(third)
            assert later.status_code == 201

    play(call())


def test_of_calls_asked_for_at_the_same_instant_no_more_are_placed_than_may_be() -> None:
    async def call() -> None:
        outgoing = {"enabled": True, "prefixes": ["+1"], "max_calls": 3}
        async with world("plivo", outgoing=outgoing) as here:
            answers = await asyncio.gather(*(here.dial() for _ in range(20)))

            assert sorted(each.status_code for each in answers) == [201] * 3 + [400] * 17
            assert len(here.placed) == 3

    play(call())


def test_so_many_calls_a_day_then_429_until_a_day_has_gone_by() -> None:
    async def call() -> None:
        outgoing = {"enabled": True, "prefixes": ["+1"], "max_per_day": 2}
        async with world("twilio", outgoing=outgoing) as here:
            here.carrier.turned_away = "busy"
            first, second = await here.dial(), await here.dial()
            await asyncio.sleep(3_600.0)
            third = await here.dial()
            await asyncio.sleep(86_400.0 - 3_601.0)
            still = await here.dial()
            await asyncio.sleep(2.0)
            next_day = await here.dial()

            assert (first.status_code, second.status_code) == (201, 201)
            assert third.status_code == 429
            assert "outgoing.max_per_day" in third.json()["detail"]
            assert 82_700 < int(third.headers["Retry-After"]) <= 82_801
            assert still.status_code == 429
            assert next_day.status_code == 201

    play(call())


def test_calls_that_are_not_dialled_have_no_such_limits() -> None:
    async def call() -> None:
        async with world("twilio", outgoing={}) as here:
            assert (await here.create({"twilio": {}})).status_code == 201

    play(call())


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"carriers": {}}, "carriers.twilio"),
        ({"carriers": {"twilio": {"auth_token": "CANARY-TOKEN"}}}, "no credentials"),
        ({"server": {}}, "server.public_url is not set"),
        ({"server": {"public_url": "https://127.0.0.1:8080"}}, "cannot reach"),
        ({"server": {"public_url": "https://10.0.0.7"}}, "cannot reach"),
        ({"server": {"public_url": "https://localhost"}}, "cannot reach"),
        ({"server": {"public_url": "http://bridge.example"}}, "https://"),
        ({"server": {"public_url": "ws://bridge.example"}}, "https://"),
    ],
)
def test_a_server_that_a_carrier_cannot_reach_places_no_calls_and_says_what_is_missing(
    tables: dict[str, Any], sentence: str
) -> None:
    async def call() -> None:
        async with direct_world(name="twilio", **tables) as here:
            assert sentence in refused(await here.dial())
            assert here.placed == []

    play(call())
