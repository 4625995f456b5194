"""An hour of phone calls at every carrier, one after another: nothing is left over, and memory stays flat."""

import asyncio
import os
from pathlib import Path

import pytest

from bridge.batch.caller import CallerTurn
from bridge.testing.caller import CallerPlan
from bridge.virtual import run_virtual
from tests.calls.test_carriers import ONE_OF_EACH, Setup, tables_of
from tests.fakes.bot import tone
from tests.fakes.phone_world import phone_world
from tests.fakes.steady import live_objects

CALLS = 50
CALL_S = 72.0
WARM_UP = 25
ROOM_PER_CALL_BYTES = 200_000
RECORDS = (
    "bridge.calls.",
    "bridge.gateway.phone.record.",
    "bridge.gateway.phone.carriers.base.PhoneNumbers",
    "bridge.legs.carrier.figures.",
    "bridge.legs.brain.host.AgentFirst",
    "bridge.audio.endpoint.VadSettings",
    "bridge.wire.messages.enabled.",
)
"""What is kept of calls that are over, each within a bound of its own."""


def plan(line_hz: int) -> CallerPlan:
    """Speaks now and then; the call lasts as long as it may."""
    turns = [CallerTurn(str(n), tone(1.0, rate_hz=line_hz)) for n in range(6)]
    return CallerPlan(turns=turns, tail_s=CALL_S, hang_up_at_s=CALL_S)


def rss_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("setup", ONE_OF_EACH, ids=lambda setup: setup.carrier)
def test_an_hour_of_calls_leaves_nothing_behind(setup: Setup) -> None:
    async def hour() -> None:
        loop = asyncio.get_running_loop()
        tasks: list[int] = []
        objects, rss = [], []
        async with phone_world(
            name=setup.name, line_hz=setup.line_hz, options=setup.options, **tables_of(setup)
        ) as here:
            for n in range(CALLS):
                call = here.ring(plan(setup.line_hz))
                await call.run()
                await here.settled()
                assert call.ear.n_heard
                here.carrier.calls.clear()
                here.lines.clear()
                del call
                tasks.append(len(asyncio.all_tasks(loop)))
                if n in (WARM_UP, CALLS - 1):
                    objects.append(await loop.run_in_executor(None, live_objects))
                    rss.append(rss_bytes())
            assert loop.time() >= CALLS * CALL_S
        assert len(set(tasks)) == 1
        grown = {name: count for name, count in (objects[1] - objects[0]).items() if count > 2}
        assert [name for name in grown if not name.startswith(RECORDS)] == []
        assert rss[1] - rss[0] < (CALLS - WARM_UP) * ROOM_PER_CALL_BYTES

    run_virtual(hour())
