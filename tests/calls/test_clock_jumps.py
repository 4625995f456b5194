"""The wall clock is set while calls go on: none of them notices (promise R20)."""

import asyncio
from datetime import datetime, timedelta

import pytest

from bridge.clock import VirtualClock
from bridge.testing.caller import CallerPlan
from bridge.virtual import run_virtual
from tests.fakes.call_world import ActingBrain
from tests.fakes.phone_world import PhoneWorld, phone_world

N_CALLS = 20
JUMPS_S = (3_600.0, -3_600.0, 86_400.0, -86_400.0)


class WallClock:
    """The wall clock of a world; somebody sets it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.offset_s = 0.0
        true = VirtualClock.__call__

        def now(clock: VirtualClock) -> datetime:
            return true(clock) + timedelta(seconds=self.offset_s)

        monkeypatch.setattr(VirtualClock, "__call__", now)


async def calls(world: PhoneWorld, wall: WallClock, jumps_s: tuple[float, ...]) -> list[float]:
    """Twenty calls, one after another, each for 5 s; how long each was, by its own record."""

    async def one(index: int) -> None:
        await asyncio.sleep(index / 5 + 0.1)
        await world.ring(CallerPlan(hang_up_at_s=5.0, tail_s=60.0)).run()

    async def meddle() -> None:
        for jump_s in jumps_s:
            await asyncio.sleep(1.37)
            wall.offset_s += jump_s

    await asyncio.gather(meddle(), *(one(index) for index in range(N_CALLS)))
    await world.settled()
    assert [record.end and record.end.reason for record in world.records] == ["hangup"] * N_CALLS
    return [record.stages["ended"] for record in world.records]


async def billed_s(world: PhoneWorld) -> list[float | None]:
    """How long the AI calls were, by the records of the call server."""
    service = world.server.service
    return [(await service.get(record.ai_call_id)).duration_s for record in world.records]


def test_twenty_calls_go_on_and_are_as_long_as_they_were_when_the_clock_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def run(jumps_s: tuple[float, ...]) -> tuple[list[float], list[float | None]]:
        wall = WallClock(monkeypatch)
        async with phone_world(ActingBrain(lambda _cue: ())) as world:
            lasted_s = await calls(world, wall, jumps_s)
            return lasted_s, await billed_s(world)

    undisturbed, undisturbed_ai = run_virtual(run(()))
    disturbed, disturbed_ai = run_virtual(run(JUMPS_S))

    assert disturbed == pytest.approx(undisturbed, abs=0.05)
    assert disturbed_ai == pytest.approx(undisturbed_ai, abs=0.05)
    assert min(disturbed) > 4


@pytest.mark.parametrize("jump_s", JUMPS_S)
def test_a_clock_that_is_set_between_the_answer_and_the_socket_costs_no_call(
    monkeypatch: pytest.MonkeyPatch, jump_s: float
) -> None:
    async def main() -> None:
        wall = WallClock(monkeypatch)
        async with phone_world(ActingBrain(lambda _cue: ())) as world:
            expect = world.desk.expect

            def set_the_clock(*args: object, **kwargs: object) -> object:
                wall.offset_s = jump_s
                return expect(*args, **kwargs)  # type: ignore[arg-type]

            monkeypatch.setattr(world.desk, "expect", set_the_clock)
            await world.call(CallerPlan(hang_up_at_s=3.0))

            assert world.record.end is not None
            assert world.record.end.reason == "hangup"

    run_virtual(main())
