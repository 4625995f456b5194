import asyncio
from collections.abc import Coroutine

import pytest

from bridge.virtual import run_virtual
from tests.bridge.legs.carrier.plain_call import noise, opened_call
from tests.fakes.legs import HandRecorder


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


def test_both_sides_are_recorded_where_the_caller_heard_them() -> None:
    async def call() -> None:
        recorder = HandRecorder()
        call = await opened_call()
        call.leg.recorder = recorder
        call.hear(noise(1))
        call.run()
        await asyncio.sleep(0.01)
        assert recorder.caller == 8_000
        call.speak(0.06)
        await asyncio.sleep(0.5)
        call.speak(1)
        assert [n for n, _ in recorder.agent[:4]] == [160] * 4
        assert [at for _, at in recorder.agent[1:3]] == [None, None]
        assert [at for _, at in recorder.agent[:4:3]] == pytest.approx([0, 0])

        await asyncio.sleep(0.1)
        call.clear()
        assert recorder.cuts == [pytest.approx(0.3, abs=0.02)]
        call.speak(1)
        await call.over()
        assert recorder.cuts[1:] == [pytest.approx(0.3, abs=0.02)]

    run(call())
