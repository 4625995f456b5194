"""Who may open a media socket: the matrix of promise S7, carrier by carrier."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from bridge.gateway.media_route import Knock, UpgradeRefused
from bridge.virtual import run_virtual
from bridge.wire.signatures import plivo, telnyx
from tests.fakes.emulated import ACCOUNTS
from tests.fakes.knocks import (
    NUMBERS,
    SOCKETS,
    Webhook,
    admitted,
    basic_knock,
    genesys_knock,
    knock,
    open_socket,
    plivo_webhook,
    secret_knock,
    status_of,
    stream_target,
    telnyx_webhook,
    twilio_call,
    twilio_knock,
    twilio_webhook,
    vonage_webhook,
)
from tests.fakes.phone_world import PhoneWorld, phone_world

TAKEN = 101


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def now_s(world: PhoneWorld) -> float:
    return world.carrier.world.clock().timestamp()


async def twilio_target(world: PhoneWorld) -> str:
    return await stream_target(world, twilio_webhook(twilio_call()))


# Twilio: our token once, and Twilio's signature over the wss URL

TwilioKnock = Callable[[str], Knock]
WRONG: dict[str, TwilioKnock] = {
    "none": knock,
    "wrong secret": lambda target: twilio_knock(target, secret="another"),
    "other url": lambda target: twilio_knock(target, url=f"{SOCKETS}/elsewhere"),
    "other host": lambda target: twilio_knock(target, url=f"wss://other.example{target}"),
    "over https": lambda target: twilio_knock(target, url=f"https://bridge.example{target}"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_twilio_socket_with_a_wrong_signature_is_refused_and_the_right_one_still_opens(
    wrong: str,
) -> None:
    async def test() -> None:
        async with phone_world() as world:
            target = await twilio_target(world)

            assert await status_of(world, WRONG[wrong](target)) == 403
            assert world.record.state == "waiting"
            assert await status_of(world, twilio_knock(target)) == TAKEN

    play(test())


@pytest.mark.parametrize(
    "url", ["wss://bridge.example:443{}", "wss://bridge.example{}", "wss://bridge.example{}/"]
)
def test_a_signature_over_any_spelling_of_the_url_opens(url: str) -> None:
    async def test() -> None:
        async with phone_world() as world:
            target = await twilio_target(world)

            assert await status_of(world, twilio_knock(target, url=url.format(target))) == TAKEN

    play(test())


def test_a_twilio_socket_opens_once_and_a_replay_is_refused() -> None:
    async def test() -> None:
        async with phone_world() as world:
            knocked = twilio_knock(await twilio_target(world))

            assert await status_of(world, knocked) == TAKEN
            assert await status_of(world, knocked) == 410
            assert len(world.records) == 1

    play(test())


def test_of_two_sockets_that_knock_at_once_one_is_taken() -> None:
    async def test() -> None:
        async with phone_world() as world:
            knocked = twilio_knock(await twilio_target(world))
            one = await admitted(world, knocked)
            with pytest.raises(UpgradeRefused) as refused:
                await admitted(world, knocked)

            assert refused.value.status == 409
            open_socket(one)

    play(test())


def test_a_token_is_good_for_its_time_and_no_longer() -> None:
    async def test() -> None:
        async with phone_world(phone={"token_s": 30}) as world:
            target = await twilio_target(world)
            await asyncio.sleep(29.0)
            assert await status_of(world, twilio_knock(target)) == TAKEN

        async with phone_world(phone={"token_s": 30}) as world:
            target = await twilio_target(world)
            await asyncio.sleep(31.0)
            assert await status_of(world, twilio_knock(target)) == 410
            assert world.record.end is not None
            assert world.record.end.reason == "no_socket"

    play(test())


@pytest.mark.parametrize("token", ["-", "x" * 64, "x" * 128])
def test_a_token_that_is_none_of_ours_opens_nothing(token: str) -> None:
    async def test() -> None:
        async with phone_world() as world:
            for carrier in ("twilio", "telnyx", "nobody"):
                target = f"/carriers/{carrier}/media/{token}"
                assert await status_of(world, twilio_knock(target)) in (403, 404)
            assert world.records == []

    play(test())


def test_a_token_of_one_carrier_opens_nothing_at_another() -> None:
    async def test() -> None:
        carriers = {
            "twilio": {"auth_token": ACCOUNTS["twilio"].token},
            "plivo": {"auth_token": "x"},
        }
        async with phone_world(carriers=carriers) as world:
            target = (await twilio_target(world)).replace("twilio", "plivo")

            assert await status_of(world, knock(target)) == 403

    play(test())


def test_a_wrong_public_url_is_named_in_the_log_with_the_one_that_fits() -> None:
    async def test() -> None:
        async with phone_world(server={"public_url": "https://other.example"}) as world:
            response = await twilio_webhook(twilio_call()).send(world.http())

            assert response.status_code == 403
            [line] = world.lines
            assert line == (
                "! twilio: a webhook is refused: "
                "the signature fits https://bridge.example…: public_url is wrong"
            )

    play(test())


# Telnyx, Plivo, Vonage: our token, and what the carrier has besides


async def telnyx_target(world: PhoneWorld, *, rest: bool) -> str:
    """The media socket's path, for TeXML or, taken from the request to Telnyx, for Call Control."""
    if not rest:
        body = b"CallSid=v3%3A1&From=%2B1555&To=%2B1556&CallStatus=ringing"
        return await stream_target(world, telnyx_webhook(body, now_s(world)))
    payload = {"call_control_id": "v3:1", "direction": "incoming", "from": "+1", "to": "+2"}
    event = {"data": {"event_type": "call.initiated", "payload": payload}}
    asked: list[str] = []
    carrier = world.desk.carrier("telnyx")
    assert carrier is not None

    async def answer(call_id: str, to: Any) -> None:
        asked.append(to.url)

    carrier.answer_by_rest = answer  # type: ignore[method-assign]
    webhook = telnyx_webhook(json.dumps(event).encode(), now_s(world), "application/json")
    response = await webhook.send(world.http())
    assert (response.status_code, response.text) == (200, "")
    await asyncio.sleep(0.1)
    return asked[0].removeprefix(SOCKETS)


@pytest.mark.parametrize(
    ("rest", "token", "status"),
    [
        (True, "CANARY-stream-token", TAKEN),
        (True, "another", 403),
        (True, "", 403),
        (False, "", TAKEN),
    ],
)
def test_a_telnyx_socket_brings_the_token_that_the_stream_was_asked_for_with(
    rest: bool, token: str, status: int
) -> None:
    async def test() -> None:
        async with phone_world(name="telnyx") as world:
            target = await telnyx_target(world, rest=rest)
            headers = telnyx.sign_upgrade(token) if token else {}

            assert await status_of(world, knock(target, headers)) == status

    play(test())


PLIVO_CALL = {"CallUUID": "u1", "Event": "StartApp", "Direction": "inbound", **NUMBERS}


@pytest.mark.parametrize(
    ("secret", "status"), [("", TAKEN), (ACCOUNTS["plivo"].token, TAKEN), ("another", 403)]
)
def test_a_plivo_socket_that_is_signed_is_signed_right(secret: str, status: int) -> None:
    async def test() -> None:
        async with phone_world(name="plivo") as world:
            target = await stream_target(world, plivo_webhook(PLIVO_CALL, "n1"))
            headers = plivo.sign_upgrade(secret, SOCKETS + target, "n2") if secret else {}

            assert await status_of(world, knock(target, headers)) == status

    play(test())


def test_a_vonage_socket_needs_our_token_alone_and_once() -> None:
    async def test() -> None:
        async with phone_world(name="vonage") as world:
            query = {"uuid": "u1", "from": "1", "to": "2"}
            target = await stream_target(world, vonage_webhook(query, now_s(world)))

            assert await status_of(world, knock(target[:-1] + "A")) == 403
            assert await status_of(world, knock(target)) == TAKEN
            assert await status_of(world, knock(target)) == 410

    play(test())


# Webhooks that come twice

Replayed = Callable[[PhoneWorld], Webhook]
REPLAYED: dict[str, Replayed] = {
    "telnyx": lambda world: telnyx_webhook(b"CallSid=v3%3A1&To=%2B1", now_s(world)),
    "plivo": lambda _world: plivo_webhook(PLIVO_CALL, "n1"),
    "vonage": lambda world: vonage_webhook({"uuid": "u1"}, now_s(world)),
}


@pytest.mark.parametrize("name", REPLAYED)
def test_a_webhook_whose_signature_has_come_before_is_refused(name: str) -> None:
    async def test() -> None:
        async with phone_world(name=name) as world:
            webhook = REPLAYED[name](world)
            statuses = [(await webhook.send(world.http())).status_code for _ in range(2)]

            assert statuses == [200, 403]

    play(test())


# Those that bring a call up by their socket

Knocking = Callable[[PhoneWorld], Awaitable[list[int]]]


async def statuses(world: PhoneWorld, *knocks: Knock) -> list[int]:
    return [await status_of(world, each) for each in knocks]


@pytest.mark.parametrize("name", ["exotel", "asterisk", "audio_fork", "audio_stream"])
def test_an_exchanges_socket_opens_with_the_configured_secret_alone(name: str) -> None:
    async def test() -> None:
        async with phone_world(name=name) as world:
            assert await statuses(
                world, secret_knock(name, "-"), secret_knock(name, "x" * 18), secret_knock(name)
            ) == [403, 403, TAKEN]
            assert len(world.records) == 1

    play(test())


def test_an_exchanges_socket_opens_with_the_configured_credentials_alone() -> None:
    async def test() -> None:
        async with phone_world(name="jambonz") as world:
            assert await statuses(
                world,
                knock("/carriers/jambonz/media/-"),
                basic_knock(password="another"),
                basic_knock(user="another"),
                basic_knock(),
            ) == [403, 403, 403, TAKEN]

    play(test())


def test_secret_and_credentials_are_both_asked_for_where_both_are_configured() -> None:
    async def test() -> None:
        table = {"secret": "s" * 20, "user": "jambonz", "password": "CANARY-password"}
        async with phone_world(name="jambonz", carriers={"jambonz": table}) as world:
            headers = basic_knock().headers
            assert await statuses(
                world,
                basic_knock(),
                secret_knock("jambonz", "s" * 20),
                knock(f"/carriers/jambonz/media/{'s' * 20}", headers),
            ) == [403, 403, TAKEN]

    play(test())


@pytest.mark.parametrize(("age_s", "status"), [(9, TAKEN), (11, 403), (-2, TAKEN), (-5, 403)])
def test_a_genesys_signature_is_good_for_a_moment_and_once(age_s: int, status: int) -> None:
    async def test() -> None:
        async with phone_world(name="genesys") as world:
            knocked = genesys_knock(now_s(world) - age_s)

            assert await status_of(world, knocked) == status
            assert await status_of(world, knocked) == 403

    play(test())


def test_a_genesys_signature_over_anything_else_is_refused() -> None:
    async def test() -> None:
        async with phone_world(name="genesys") as world:
            at_s = now_s(world)
            assert await statuses(
                world,
                knock("/carriers/genesys/media/-"),
                genesys_knock(at_s, secret="YW5vdGhlcg=="),
                genesys_knock(at_s, target="/carriers/genesys/media/other"),
            ) == [403, 403, 403]
            assert world.records == []

    play(test())


# Insecure


def test_insecure_takes_what_nobody_signed_and_says_so_each_time() -> None:
    async def test() -> None:
        async with phone_world(phone={"insecure": True}, carriers={}) as world:
            target = await stream_target(world, Webhook("GET", "/carriers/twilio/answer?CallSid=1"))

            assert await status_of(world, knock(target)) == TAKEN
            assert await status_of(world, knock("/carriers/plivo/media/-")) == TAKEN
            assert [record.unchecked for record in world.records] == [True, True]
            assert sum("UNCHECKED" in line for line in world.lines) == 3

    play(test())


@pytest.mark.parametrize("insecure", [True, False])
def test_a_service_that_checks_nothing_says_so_when_it_starts(
    insecure: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with phone_world(phone={"insecure": insecure}):
            pass

    play(test())

    assert ("ANYBODY" in caplog.text) == insecure


# Limits


def test_a_socket_that_brings_a_call_is_told_when_to_come_again_where_none_is_taken() -> None:
    async def test() -> None:
        async with phone_world(name="asterisk", phone={"max_calls": 1}) as world:
            assert await status_of(world, secret_knock("asterisk")) == TAKEN
            with pytest.raises(UpgradeRefused) as refused:
                await admitted(world, secret_knock("asterisk"))

            assert (refused.value.status, refused.value.retry_after_s) == (503, 5)

    play(test())


def test_a_flood_of_refusals_is_ten_lines_a_second_and_a_count() -> None:
    async def test() -> None:
        async with phone_world() as world:
            for _ in range(50):
                await status_of(world, knock("/carriers/twilio/media/-"))
            assert len(world.lines) == 10
            await asyncio.sleep(1.0)
            await status_of(world, knock("/carriers/twilio/media/-"))

            assert world.lines[10] == "! 40 more such lines were left out"

    play(test())


def test_a_carrier_that_is_not_configured_is_told_in_the_log_and_a_name_of_nobodys_is_not() -> None:
    async def test() -> None:
        async with phone_world() as world:
            for name in ("plivo", "nobody"):
                assert await status_of(world, knock(f"/carriers/{name}/media/-")) == 404
                answer = await world.http().post(f"/carriers/{name}/answer")
                assert answer.status_code == 404

            assert [line for line in world.lines if "the configuration" in line] == [
                "! plivo: a media socket is refused: the configuration has no [carriers.plivo]",
                "! plivo: a webhook is refused: the configuration has no [carriers.plivo]",
            ]

    play(test())
