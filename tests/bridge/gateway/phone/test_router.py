"""What the desk tells by REST: the calls, to whoever has a key."""

from collections.abc import Coroutine
from typing import Any

import pytest

from bridge.brains.base import Greeting, HangUp
from bridge.virtual import run_virtual
from tests.fakes.call_world import ActingBrain
from tests.fakes.phone_world import BASE, phone_world

KEY = "CANARY-api-key"
KEYED = {"public_url": BASE, "api_keys": [KEY]}


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def brief() -> ActingBrain:
    return ActingBrain(lambda cue: [HangUp("Bye.")] if isinstance(cue, Greeting) else [])


def test_calls_are_shown_newest_first_one_by_one_and_as_many_as_asked_for() -> None:
    async def test() -> None:
        async with phone_world(brief()) as world:
            for _ in range(3):
                await world.call()
            http = world.http()
            listed = (await http.get("/carriers/calls")).json()["results"]
            few = (await http.get("/carriers/calls?limit=2")).json()["results"]

            assert [call["id"] for call in listed] == [record.id for record in world.records]
            assert few == listed[:2]
            one = await http.get(f"/carriers/calls/{listed[0]['id']}")
            assert one.json() == listed[0]
            assert one.headers["cache-control"] == "no-store"
            assert listed[0]["endReason"] == "agent_hangup"

    play(test())


@pytest.mark.parametrize(
    ("limit", "status"), [("0", 400), ("1", 200), ("1000", 200), ("1001", 400)]
)
def test_a_list_has_a_bound(limit: str, status: int) -> None:
    async def test() -> None:
        async with phone_world() as world:
            response = await world.http().get(f"/carriers/calls?limit={limit}")

            assert response.status_code == status

    play(test())


@pytest.mark.parametrize("path", ["/carriers/calls", "/carriers/calls/x"])
def test_nothing_is_told_without_a_key(path: str) -> None:
    async def test() -> None:
        async with phone_world(server=KEYED) as world:
            http = world.http()

            assert (await http.get(path)).status_code == 401
            assert (await http.get(path, headers={"X-API-Key": "another"})).status_code == 401
            status = (await http.get(path, headers={"X-API-Key": KEY})).status_code
            assert status == (404 if path.endswith("x") else 200)

    play(test())


def test_a_gateway_with_keys_uses_one_of_them_for_its_own_ai_calls() -> None:
    async def test() -> None:
        async with phone_world(brief(), server=KEYED) as world:
            await world.call()

            assert world.record.end is not None
            assert world.record.end.reason == "agent_hangup"

    play(test())
