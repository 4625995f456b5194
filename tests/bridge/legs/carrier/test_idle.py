import asyncio
from collections.abc import Coroutine

import pytest

from bridge.virtual import run_virtual
from tests.bridge.legs.carrier.plain_call import noise, running_call


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


@pytest.mark.parametrize("idle_s", [5.0, 60.0])
def test_a_carrier_that_sends_nothing_is_gone_after_the_limit(idle_s: float) -> None:
    async def call() -> None:
        call = await running_call(media_idle_s=idle_s)
        await call.hear_live(noise(1))
        await asyncio.sleep(idle_s - 0.1)
        call.say("mark m9")
        said = call.now
        ended = await call.task

        assert ended.reason == "connection_error"
        assert call.now - said == pytest.approx(idle_s, abs=0.001)
        await call.leg.hang_up()

    run(call())
