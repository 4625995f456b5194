"""Promise S7 as a table: every carrier's media socket, asked for in every wrong way and in the right one.

Only what is right opens. Before that no AI call is made and, on real sockets, no frame is read.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from bridge.gateway.media_route import Knock
from bridge.virtual import run_virtual
from bridge.wire.signatures import plivo, telnyx, twilio
from tests.fakes.emulated import ACCOUNTS
from tests.fakes.knocks import (
    SOCKETS,
    Webhook,
    basic_knock,
    genesys_knock,
    knock,
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
from tests.fakes.phone_house import answered, house, knocked, signed, start_frame
from tests.fakes.phone_world import SECRET, TABLES, PhoneWorld, phone_world
from tests.fakes.raw_websocket import BINARY, TEXT, frame

TAKEN = 101
OTHER = "https://other.example"
Knocks = dict[str, Knock]
Rows = Callable[[PhoneWorld], Awaitable[tuple[Knocks, Knock]]]
"""The wrong knocks by what is wrong, and the right one."""


def now_s(world: PhoneWorld) -> float:
    return world.carrier.world.clock().timestamp()


def tampered(target: str) -> str:
    """A token with another last character, and another one in its middle."""
    middle = len(target) - 20
    other = "A" if target[middle] != "A" else "B"
    return target[:middle] + other + target[middle + 1 :]


def of_another_host(elsewhere: Knock) -> Knocks:
    """An upgrade that was signed for another host, brought to ours in every way that names that host."""
    host = OTHER.removeprefix("https://")
    ways: dict[str, dict[str, str]] = {
        "as it is": {},
        "by Host": {"host": host},
        "by X-Forwarded-Host": {"x-forwarded-host": host},
        "by Forwarded": {"forwarded": f"host={host}"},
        "by X-Original-Host": {"x-original-host": host},
    }
    return {
        f"a signature of another host, {way}": replace(
            elsewhere, headers={**elsewhere.headers, **headers}
        )
        for way, headers in ways.items()
    }


async def token_knocks(
    webhook: Callable[[int], Awaitable[str]], put: Callable[[str], Knock]
) -> tuple[Knocks, Knock]:
    """For carriers whose sockets bring a token of ours; `webhook` has a call answered, `put` knocks rightly."""
    old = await webhook(1)
    await asyncio.sleep(61.0)
    target = await webhook(2)
    elsewhere = "plivo" if "/plivo/" not in target else "vonage"
    carrier = target.split("/")[2]
    wrong = {
        "no token": put(target.rpartition("/")[0] + "/-"),
        "a wrong token": put(tampered(target)),
        "a token cut short": put(target[:-1]),
        "another carrier's address": put(target.replace(carrier, elsewhere)),
        "another address": put(target.replace("/media/", "/media/x")),
        "an old token": put(old),
    }
    return wrong, put(target)


async def twilio_rows(world: PhoneWorld) -> tuple[Knocks, Knock]:
    async def target(n: int) -> str:
        return await stream_target(world, twilio_webhook(twilio_call(f"CA{n}")))

    wrong, right = await token_knocks(target, twilio_knock)
    path = right.target
    wrong["no signature"] = knock(path)
    wrong["a wrong signature"] = twilio_knock(path, secret="another")
    wrong["a signature of another address"] = twilio_knock(path, url=f"{SOCKETS}/elsewhere")
    elsewhere = twilio_knock(path, url=f"{OTHER.replace('https', 'wss')}{path}")
    return {**wrong, **of_another_host(elsewhere)}, right


def texml_call(world: PhoneWorld, n: int) -> Webhook:
    body = f"CallSid=v3%3A{n}&From=%2B1555&To=%2B1556&CallStatus=ringing".encode()
    return telnyx_webhook(body, now_s(world))


def call_control_call(world: PhoneWorld, n: int) -> Webhook:
    payload = {"call_control_id": f"v3:{n}", "direction": "incoming", "from": "1", "to": "2"}
    event = {"data": {"event_type": "call.initiated", "payload": payload}}
    return telnyx_webhook(json.dumps(event).encode(), now_s(world), "application/json")


def plivo_call(n: int, **more: str) -> Webhook:
    call = {"CallUUID": f"u{n}", "Event": "StartApp", "Direction": "inbound", "To": "1556", **more}
    return plivo_webhook(call, f"n{n}")


def vonage_call(world: PhoneWorld, n: int) -> Webhook:
    return vonage_webhook({"uuid": f"u{n}", "from": "1", "to": "2"}, now_s(world))


async def telnyx_rows(world: PhoneWorld) -> tuple[Knocks, Knock]:
    async def target(n: int) -> str:
        return await stream_target(world, texml_call(world, n))

    return await token_knocks(target, knock)


async def telnyx_rest_rows(world: PhoneWorld) -> tuple[Knocks, Knock]:
    """A call that was answered by REST: the stream brings what it was asked for with, too."""
    targets: list[str] = []
    carrier = world.desk.carrier("telnyx")
    assert carrier is not None

    async def answer_by_rest(_call_id: str, to: object) -> None:
        targets.append(getattr(to, "url").removeprefix(SOCKETS))  # noqa: B009

    carrier.answer_by_rest = answer_by_rest  # type: ignore[method-assign, assignment]

    async def target(n: int) -> str:
        answer = await call_control_call(world, n).send(world.http())
        assert answer.status_code == 200
        await asyncio.sleep(0.1)
        return targets[-1]

    def put(path: str, token: str = "CANARY-stream-token") -> Knock:
        return knock(path, telnyx.sign_upgrade(token))

    wrong, right = await token_knocks(target, put)
    wrong["no stream token"] = knock(right.target)
    wrong["a wrong stream token"] = put(right.target, "another")
    return wrong, right


async def plivo_rows(world: PhoneWorld) -> tuple[Knocks, Knock]:
    async def target(n: int) -> str:
        return await stream_target(world, plivo_call(n))

    wrong, right = await token_knocks(target, knock)
    header = {"X-Plivo-Signature-V3": "bm90aGluZw==", "X-Plivo-Signature-V3-Nonce": "n9"}
    wrong["a wrong signature"] = knock(right.target, header)
    url = f"{OTHER.replace('https', 'wss')}{right.target}"
    signed_elsewhere = plivo.sign_upgrade(ACCOUNTS["plivo"].token, url, "n8")
    return {**wrong, **of_another_host(knock(right.target, signed_elsewhere))}, right


async def vonage_rows(world: PhoneWorld) -> tuple[Knocks, Knock]:
    async def target(n: int) -> str:
        return await stream_target(world, vonage_call(world, n))

    return await token_knocks(target, knock)


async def genesys_rows(world: PhoneWorld) -> tuple[Knocks, Knock]:
    at_s = now_s(world)
    other = "/carriers/genesys/media/other"
    wrong = {
        "no signature": knock("/carriers/genesys/media/-"),
        "a wrong signature": genesys_knock(at_s, nonce="a" * 22, secret="YW5vdGhlcg=="),
        "a signature of another address": genesys_knock(at_s, nonce="b" * 22, target=other),
        "an old signature": genesys_knock(at_s - 11, nonce="c" * 22),
        "a signature of the future": genesys_knock(at_s + 6, nonce="d" * 22),
    }
    elsewhere = genesys_knock(at_s, nonce="e" * 22, host=OTHER.removeprefix("https://"))
    return {**wrong, **of_another_host(elsewhere)}, genesys_knock(at_s)


def secret_rows(name: str) -> Rows:
    async def rows(_world: PhoneWorld) -> tuple[Knocks, Knock]:
        wrong = {
            "no secret": secret_knock(name, "-"),
            "a wrong secret": secret_knock(name, "x" * len(SECRET)),
            "a secret cut short": secret_knock(name, SECRET[:-1]),
            "a secret and more": secret_knock(name, SECRET + "x"),
            "another carrier's address": secret_knock("twilio"),
            "the secret in the query": knock(f"/carriers/{name}/media/-?{SECRET}"),
        }
        return wrong, secret_knock(name)

    return rows


async def jambonz_rows(_world: PhoneWorld) -> tuple[Knocks, Knock]:
    wrong = {
        "no credentials": knock("/carriers/jambonz/media/-"),
        "a wrong password": basic_knock(password="another"),
        "a wrong user": basic_knock(user="another"),
        "no password": basic_knock(password=""),
        "garbage": knock("/carriers/jambonz/media/-", {"Authorization": "Basic \u00ff%%%"}),
        "the password alone": knock("/carriers/jambonz/media/CANARY-password"),
    }
    return wrong, basic_knock()


MATRIX: dict[str, Rows] = {
    "twilio": twilio_rows,
    "telnyx-texml": telnyx_rows,
    "telnyx": telnyx_rest_rows,
    "plivo": plivo_rows,
    "vonage": vonage_rows,
    "genesys": genesys_rows,
    "exotel": secret_rows("exotel"),
    "asterisk": secret_rows("asterisk"),
    "audio_fork": secret_rows("audio_fork"),
    "audio_stream": secret_rows("audio_stream"),
    "jambonz": jambonz_rows,
}
ONCE = frozenset({"twilio", "telnyx-texml", "telnyx", "plivo", "vonage", "genesys"})
"""Carriers whose right knock is right only once."""


def test_every_carrier_with_a_media_address_is_in_the_matrix() -> None:
    assert {name.partition("-")[0] for name in MATRIX} == set(TABLES)


@pytest.mark.parametrize("name", MATRIX)
def test_only_what_is_right_opens_and_what_was_wrong_makes_no_call(name: str) -> None:
    async def test() -> None:
        carriers = {each: TABLES[each] for each in ("twilio", "plivo", "vonage")}
        carriers[name.partition("-")[0]] = TABLES[name.partition("-")[0]]
        async with phone_world(name=name, carriers=carriers) as world:
            wrong, right = await MATRIX[name](world)
            statuses = {what: await status_of(world, knocked) for what, knocked in wrong.items()}

            assert set(statuses.values()) <= {403, 404, 410}, statuses
            assert all(record.state != "live" for record in world.records)
            assert not world.server.service.open_ids
            assert await status_of(world, right) == TAKEN
            if name in ONCE:
                assert await status_of(world, right) in (403, 409, 410)
            await asyncio.sleep(0)
            assert sum(record.state == "live" for record in world.records) == 1

    run_virtual(test())


WEBHOOKS: dict[str, Callable[[PhoneWorld], Webhook]] = {
    "twilio": lambda _: twilio_webhook(twilio_call("CA1")),
    "telnyx-texml": lambda world: texml_call(world, 1),
    "telnyx": lambda world: call_control_call(world, 1),
    "plivo": lambda _: plivo_call(1),
    "vonage": lambda world: vonage_call(world, 1),
}
"""What is signed when a call comes in."""
UNSIGNED = MATRIX.keys() - WEBHOOKS.keys() - {"genesys"}
"""Carriers that sign nothing: whoever has heard their secret has it."""
LATER_S = (2.0, 62.0, 301.0, 601.0, 86_000.0)
"""When the call is up, over, its signature out of date, a dated one forgotten; and almost a day later."""


def test_every_carrier_that_signs_has_a_row_of_old_requests() -> None:
    assert {"exotel", "asterisk", "audio_fork", "audio_stream", "jambonz"} == UNSIGNED


@pytest.mark.parametrize("name", WEBHOOKS)
def test_an_old_webhook_replayed_opens_nothing(name: str) -> None:
    async def test() -> None:
        async with phone_world(name=name) as world:
            webhook, started_s = WEBHOOKS[name](world), now_s(world)
            assert (await webhook.send(world.http())).status_code == 200
            assert len(world.records) == 1
            for later_s in LATER_S:
                await asyncio.sleep(started_s + later_s - now_s(world))
                if later_s > LATER_S[0]:
                    assert world.desk.n_live == 0
                answer = await webhook.send(world.http())

                if later_s > LATER_S[0]:
                    assert "/media/" not in answer.text
                assert len(world.records) == 1, later_s
            assert not world.server.service.open_ids

    run_virtual(test())


@pytest.mark.parametrize("status", ["ringing", "in-progress", ""])
def test_a_nonce_of_plivos_comes_once_in_a_day_whatever_the_call_does(status: str) -> None:
    async def test() -> None:
        async with phone_world(name="plivo") as world:
            first = plivo_call(1, **({"CallStatus": status} if status else {}))
            await stream_target(world, first)
            for wait_s in (601.0, 85_000.0):
                await asyncio.sleep(wait_s)
                assert (await first.send(world.http())).status_code == 403
            other = plivo_webhook(dict(parse_qsl(first.body.decode())), "another")
            again = await other.send(world.http())
            assert ("/media/" in again.text) is (status == "in-progress")

    run_virtual(test())


@pytest.mark.parametrize("name", ["twilio", "plivo"])
@pytest.mark.parametrize("header", ["", "host", "x-forwarded-host", "forwarded"])
def test_a_webhook_signed_for_another_host_opens_nothing(name: str, header: str) -> None:
    async def test() -> None:
        async with phone_world(name=name) as world:
            webhook = WEBHOOKS[name](world)
            fields = dict(parse_qsl(webhook.body.decode()))
            url = OTHER + webhook.target
            if name == "twilio":
                signature = twilio.sign_webhook(ACCOUNTS[name].token, url, fields.items())
            else:
                signature = plivo.sign_webhook(ACCOUNTS[name].token, url, "n1", fields.items())
            webhook.headers |= signature
            if header:
                host = OTHER.removeprefix("https://")
                webhook.headers[header] = f"host={host}" if header == "forwarded" else host

            assert (await webhook.send(world.http())).status_code == 403
            assert not world.records

    run_virtual(test())


def test_an_old_upgrade_of_genesys_replayed_opens_nothing() -> None:
    async def test() -> None:
        async with phone_world(name="genesys") as world:
            right = genesys_knock(now_s(world))
            assert await status_of(world, right) == TAKEN
            for wait_s in (1.0, 20.0, 601.0):
                await asyncio.sleep(wait_s)
                assert await status_of(world, right) == 403
            assert len(world.records) == 1

    run_virtual(test())


async def test_no_frame_behind_a_request_that_is_refused_is_read(tmp_path: Path) -> None:
    async with house(tmp_path) as here:
        url = await answered(here.url)
        bomb = frame(TEXT, b"[" * 60_000) + frame(BINARY, bytes(60_000))
        behind = start_frame() + 5 * bomb
        for headers in ([], ["X-Twilio-Signature: bm90aGluZw=="], [signed(url + "x")]):
            head, socket = await knocked(url, *headers, frames=behind)
            assert head.startswith(b"HTTP/1.1 403 "), head
            assert await socket.reader.read() != b""  # what was wrong, and the end
            await socket.leave()
        assert here.record.state == "waiting"
        assert here.record.figures.frames_in == 0
        assert not here.record.figures.ignored
        assert not here.server.service.open_ids

        head, socket = await knocked(url, signed(url), frames=start_frame())
        assert head.startswith(b"HTTP/1.1 101 "), head
        async with asyncio.timeout(5):
            while "joined" not in here.record.stages:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
        await socket.leave()
        await here.over()
