"""The carrier's REST API is slow, refuses or says garbage when a call is to be ended: the call ends all the same.

In time (the API's deadline is 5 s), with a sentence in the log where the carrier did not do as it was asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.responses import StreamingResponse

from bridge.brains.base import Greeting, HangUp
from bridge.legs.carrier_rest.rest import ANSWER_S
from bridge.testing.caller import CallerPlan
from bridge.testing.network import Site
from bridge.virtual import run_virtual
from tests.fakes.call_world import ActingBrain
from tests.fakes.phone_world import TABLES, PhoneWorld, phone_world

API = "https://api.broken.example"
GOODBYE = "Goodbye then."
GOODBYE_S = 12 * 0.06
RECORDING_S = 2.7
Answer = Callable[[], Awaitable[Response]]


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


async def slow() -> Response:
    await asyncio.sleep(6.0)
    return JSONResponse({})


async def never() -> Response:
    await asyncio.Event().wait()
    return JSONResponse({})


async def drip() -> Response:
    async def body() -> Any:
        while True:
            yield b" "
            await asyncio.sleep(1.0)

    return StreamingResponse(body(), media_type="application/json")


def answers(status: int, content: str = "{}", **headers: str) -> Answer:
    async def answer() -> Response:
        return PlainTextResponse(content, status, headers)

    return answer


async def elsewhere() -> Response:
    return RedirectResponse("https://elsewhere.example/")


def broken_api(answer: Answer, asked: list[float]) -> Site:
    app = FastAPI()

    async def take() -> Response:
        asked.append(asyncio.get_running_loop().time())
        return await answer()

    methods = ["GET", "POST", "PUT", "DELETE"]
    app.add_api_route("/{path:path}", take, methods=methods, response_model=None)
    return Site(app)


def world_with(answer: Answer, name: str = "twilio", **tables: Any) -> tuple[Any, list[float]]:
    """A world in which the carrier's API is this; and when it was asked."""
    asked: list[float] = []
    table = {**TABLES[name], "api_url": API}
    goodbye = ActingBrain(lambda cue: [HangUp(GOODBYE)] if isinstance(cue, Greeting) else [])
    world = phone_world(
        goodbye, name=name, sites={API: broken_api(answer, asked)}, carriers={name: table}, **tables
    )
    return world, asked


def complaints(world: PhoneWorld) -> list[str]:
    return [line for line in world.lines if "did not hang up" in line or "not hung up" in line]


NO_SUCH_CALL = '{"code": 20404, "message": "The requested resource was not found", "status": 404}'
HANG_UPS: dict[str, tuple[Answer, str]] = {
    "slow": (slow, "Twilio did not answer in time when asked to hang up"),
    "silent": (never, "Twilio did not answer in time when asked to hang up"),
    "dripping": (drip, "Twilio did not answer in time when asked to hang up"),
    "500": (answers(500), "Twilio refused to hang up (500)"),
    "503": (answers(503, '{"message": "busy"}'), "Twilio refused to hang up (503): busy"),
    "401": (
        answers(401, '{"code": 20003, "message": "Authenticate"}'),
        "Twilio refused to hang up (401): Authenticate",
    ),
    "403 and garbage": (answers(403, "<html>\x00\xff[[" * 99), "Twilio refused to hang up (403)"),
    "granted in garbage": (answers(200, "<html>[[[[" * 999), ""),
    "a redirect": (elsewhere, "Twilio refused to hang up (307)"),
    "over already": (answers(404, NO_SUCH_CALL), ""),
    "over already, still kept": (answers(400, '{"code": 21220}'), ""),
}


@pytest.mark.parametrize("how", HANG_UPS)
def test_a_call_ends_in_time_though_the_carriers_api_does_not_hang_it_up(how: str) -> None:
    async def test() -> None:
        answer, sentence = HANG_UPS[how]
        made, asked = world_with(answer)
        async with made as world:
            call = await world.call()

            record = world.record
            assert record.end is not None
            assert record.end.reason == "agent_hangup"
            heard = [(each.end - each.start) / 8_000 for each in call.ear.stretches]
            assert heard == [pytest.approx(GOODBYE_S, abs=0.03)]
            assert 1 <= len(asked) <= 2
            assert record.stages["ended"] <= GOODBYE_S + ANSWER_S + 0.5
            told = complaints(world)
            assert len(told) == bool(sentence)
            assert all(line.endswith(sentence) for line in told)
            assert record.not_hung_up == sentence
            [end] = world.ends
            assert end["notHungUp"] == sentence
            assert world.desk.n_live == 0

    play(test())


def test_nobody_at_the_address_of_the_api_is_told_without_the_address() -> None:
    async def test() -> None:
        table = {**TABLES["twilio"], "api_url": "https://nobody.example"}
        goodbye = ActingBrain(lambda cue: [HangUp(GOODBYE)] if isinstance(cue, Greeting) else [])
        async with phone_world(goodbye, carriers={"twilio": table}) as world:
            await world.call()

            [told] = complaints(world)
            assert "Twilio cannot be reached to hang up" in told
            assert "nobody.example" not in told
            assert told.endswith(world.record.not_hung_up)
            assert world.record.stages["ended"] <= GOODBYE_S + 1.0

    play(test())


@pytest.mark.parametrize("how", ["slow", "500", "401"])
def test_a_call_that_is_never_answered_by_the_carriers_api_is_given_up(how: str) -> None:
    async def test() -> None:
        made, asked = world_with(HANG_UPS[how][0], "telnyx")
        async with made as world:
            call = world.ring(CallerPlan(hang_up_at_s=2.0))
            running = asyncio.create_task(call.run())
            await asyncio.sleep(1.0)
            await world.settled()

            record = world.record
            assert record.end is not None
            assert record.end.reason == "no_socket"
            assert "Telnyx" in record.end.detail
            assert "answer" in record.end.detail
            assert "hang up" in record.not_hung_up
            assert record.stages["ended"] <= 2 * ANSWER_S + 0.5
            assert len(asked) >= 2  # to answer, and to hang up after all
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    play(test())


@pytest.mark.parametrize("how", ["slow", "500", "over already"])
def test_a_caller_whom_the_api_does_not_send_elsewhere_is_hung_up_in_time(how: str) -> None:
    async def test() -> None:
        routes = [{"call": {"model": "nobody"}}]
        phone = {"fallback": {"transfer_to": "+15550100099"}}
        made, asked = world_with(HANG_UPS[how][0], routes=routes, phone=phone)
        async with made as world:
            call = await world.call()

            record = world.record
            assert record.end is not None
            assert (record.end.reason, record.fallback) == ("ai_failed", "hung up")
            assert call.connected_to == ""
            heard_s = call.ear.stretches[-1].end / call.ear.rate_hz
            assert heard_s >= RECORDING_S
            assert record.stages["ended"] <= heard_s + 2 * ANSWER_S + 0.5
            assert any("could not be sent elsewhere" in line for line in world.lines)
            assert len(asked) >= 2

    play(test())


@pytest.mark.parametrize("n_calls", [1, 20])
def test_a_service_that_stops_waits_for_a_slow_api_no_longer_than_its_deadline(
    n_calls: int,
) -> None:
    async def test() -> None:
        made, asked = world_with(never)
        async with made as world:
            calls = [world.ring() for _ in range(n_calls)]
            running = [asyncio.create_task(call.run()) for call in calls]
            await asyncio.sleep(0.3)
            loop = asyncio.get_running_loop()
            began_s = loop.time()
            await world.desk.close()

            assert loop.time() - began_s <= ANSWER_S + 0.5
            assert len(asked) == n_calls
            assert world.desk.n_live == 0
            assert {record.end.reason for record in world.records if record.end} == {"system_error"}
            await asyncio.gather(*running)

    play(test())
