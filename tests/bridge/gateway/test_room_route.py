"""Who is let into the rooms of calls over WebRTC, and what the others are told; no connection comes about here."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI

from bridge.calls.records import CallRecord
from bridge.calls.rooms import MAX_JOINS
from bridge.gateway.media_route import Knock, UpgradeRefused
from bridge.gateway.room_route import ROOM_PATH, room_router, room_routes
from bridge.gateway.server import CallServer
from bridge.legs.webrtc.options import RtcOptions
from bridge.virtual import run_virtual
from bridge.wire.livekit.join_url import signal_url
from tests.fakes.call_world import Client
from tests.fakes.rtc import RtcWorld, rtc_world

ID = "0123abcd-0123-4567-89ab-0123456789ab"


def token_of(client: Client) -> str:
    return str(client.messages[0][1]["token"])


@asynccontextmanager
async def entered() -> AsyncIterator[tuple[RtcWorld, CallRecord, str]]:
    async with rtc_world() as world:
        record, client = await world.enter()
        yield world, record, token_of(client)


async def knocked(world: RtcWorld, target: str, **headers: str) -> UpgradeRefused | None:
    """Why a request is refused; None if it is not."""
    server = CallServer(world.service, FastAPI(), rooms=world.rooms, rtc=RtcOptions())
    [route] = room_routes(server)
    try:
        await route.admit(Knock(target, headers))
    except UpgradeRefused as refused:
        return refused
    return None


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        (f"/rooms/{ID}/rtc", True),
        (f"/rooms/{ID}/rtc/v1", True),
        (f"/rooms/{ID}/rtc/", False),
        (f"/rooms/{ID}/rtc/v2", False),
        (f"/rooms/{ID}/rtc/validate", False),
        (f"/rooms/{ID}", False),
        (f"/rooms/{ID[:-1]}/rtc", False),
        (f"/x/rooms/{ID}/rtc", False),
    ],
)
def test_signalling_is_spoken_at_two_addresses_of_a_room(path: str, matches: bool) -> None:
    assert (ROOM_PATH.fullmatch(path) is not None) is matches


@pytest.mark.parametrize("way", ["query", "header"])
@pytest.mark.parametrize("version", ["v0", "v1"])
def test_a_token_is_taken_from_the_query_or_the_header(way: str, version: str) -> None:
    async def call() -> None:
        async with entered() as (world, record, token):
            url = signal_url(
                f"ws://h/rooms/{record.call_id}",
                version,  # type: ignore[arg-type]
                token if way == "query" else "",
            ).removeprefix("ws://h")
            headers = {"authorization": f"Bearer {token}"} if way == "header" else {}
            if version == "v1":  # without an offer the library leaves the request out
                url += "&join_request=CgA"
            assert await knocked(world, url, **headers) is None

    run_virtual(call())


@pytest.mark.parametrize("token", ["wrong", "a.b.c"])
def test_a_wrong_token_is_401_whatever_the_room(token: str) -> None:
    async def call() -> None:
        async with entered() as (world, record, _):
            for room in (record.call_id, ID):
                refused = await knocked(world, f"/rooms/{room}/rtc?access_token={token}")
                assert refused is not None
                assert refused.status == 401
                assert refused.detail == "The token was not made by this server."

    run_virtual(call())


def test_the_token_of_an_ended_call_is_410_and_that_of_another_room_401() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            record, client = await world.enter()
            token = token_of(client)
            other, _ = await world.enter()
            foreign = await knocked(world, f"/rooms/{other.call_id}/rtc?access_token={token}")
            assert foreign is not None
            assert foreign.status == 401
            client.socket.close(1000)
            await world.ended(record)
            late = await knocked(world, f"/rooms/{record.call_id}/rtc/v1?access_token={token}")
            assert late is not None
            assert late.status == 410
            assert other.ended is None

    run_virtual(call())


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("&join_request=", 400),
        ("&join_request=%00", 400),
        ("&join_request=AAAA", 400),
        (f"&join_request={'A' * 65_537}", 413),
        ("&a=" * 100, 400),
    ],
)
def test_a_join_request_that_cannot_be_read_is_refused_before_the_upgrade(
    query: str, status: int
) -> None:
    async def call() -> None:
        async with entered() as (world, record, token):
            target = f"/rooms/{record.call_id}/rtc/v1?access_token={token}{query}"
            refused = await knocked(world, target)
            assert refused is not None
            assert refused.status == status
            assert refused.detail.endswith(".")
            assert token not in refused.detail
            assert record.ended is None

    run_virtual(call())


def test_who_joins_too_often_is_told_when_to_come_again() -> None:
    async def call() -> None:
        async with entered() as (world, record, token):
            target = f"/rooms/{record.call_id}/rtc?access_token={token}"
            for _ in range(MAX_JOINS):
                assert await knocked(world, target) is None
            refused = await knocked(world, target)
            assert refused is not None
            assert refused.status == 429
            assert refused.retry_after_s

    run_virtual(call())


@pytest.mark.parametrize("version", ["rtc", "rtc/v1"])
def test_pages_from_anywhere_may_ask_whether_a_token_opens_a_room(version: str) -> None:
    async def call() -> None:
        async with entered() as (world, record, token):
            app = FastAPI()
            app.include_router(room_router(world.rooms))
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://h") as http:
                url = f"/rooms/{record.call_id}/{version}/validate"
                right = await http.get(url, params={"access_token": token})
                by_header = await http.get(url, headers={"Authorization": f"Bearer {token}"})
                wrong = await http.get(url, params={"access_token": "x"})
                none = await http.get(url)
                asked = await http.options(url)

        assert (right.status_code, right.text) == (200, "success")
        assert by_header.status_code == 200
        assert wrong.status_code == 401
        assert wrong.json()["detail"] == "The token was not made by this server."
        assert none.status_code == 401
        assert none.json()["detail"] == "There is no token: send the one of the room_info."
        assert asked.status_code == 204
        assert "authorization" in asked.headers["Access-Control-Allow-Headers"]
        for answer in (right, wrong, asked):
            assert answer.headers["Access-Control-Allow-Origin"] == "*"

    run_virtual(call())


def test_a_server_without_rooms_has_no_such_addresses() -> None:
    async def call() -> None:
        async with rtc_world() as world:
            assert room_routes(CallServer(world.service, FastAPI())) == []
            await asyncio.sleep(0)

    run_virtual(call())
