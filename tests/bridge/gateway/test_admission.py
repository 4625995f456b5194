"""Who is taken in, on a loop whose lateness the test decides."""

import asyncio
from collections import Counter

import pytest

from bridge.gateway.admission import Admission, AdmissionLimits
from bridge.gateway.drain import Drain
from bridge.gateway.loop_lag import LoopLag
from bridge.virtual import VirtualLoop, run_virtual


def stand_still(seconds: float) -> None:
    """Hold the loop up."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop._now_s += seconds


async def late_by(seconds: float, times: int) -> None:
    """Hold the loop up again and again, each time until so long after the next tick."""
    loop = asyncio.get_running_loop()
    for _ in range(times):
        stand_still((loop.time() // 0.02 + 1) * 0.02 + seconds - loop.time())
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the tick comes after us


@pytest.mark.parametrize(("n_live", "taken"), [(0, True), (2, True), (3, False), (4, False)])
def test_calls_are_taken_up_to_the_configured_number(n_live: int, taken: bool) -> None:
    admission = Admission(AdmissionLimits(max_calls=3))

    assert (admission.may_take(n_live) is None) is taken


def test_without_a_limit_and_a_measurement_everybody_is_taken() -> None:
    assert Admission().may_take(1_000_000) is None


def test_a_service_that_drains_takes_nobody_and_says_why() -> None:
    drain = Drain()
    admission = Admission(AdmissionLimits(max_calls=1), drain=drain)
    assert admission.may_take(0) is None

    drain.begin()

    assert admission.may_take(0) == "The server is going away and takes no new calls."
    assert admission.may_take(5) == "The server is going away and takes no new calls."
    assert admission.refused == Counter(draining=2)


@pytest.mark.parametrize(("late_s", "taken"), [(0.0, True), (0.038, True), (0.042, False)])
def test_calls_are_refused_when_the_loop_is_late(late_s: float, taken: bool) -> None:
    async def main() -> None:
        lag = LoopLag()
        lag.start()
        admission = Admission(lag=lag)
        await late_by(late_s, 100)

        assert (admission.may_take() is None) is taken
        assert lag.recent_s() == pytest.approx(late_s)
        lag.stop()

    run_virtual(main())


def test_a_hold_up_right_after_the_start_refuses_nobody() -> None:
    async def main() -> None:
        lag = LoopLag()
        lag.start()
        stand_still(0.2)
        await asyncio.sleep(0.1)

        assert Admission(lag=lag).may_take() is None
        lag.stop()

    run_virtual(main())


def test_one_short_hold_up_in_five_seconds_refuses_nobody_and_a_long_one_does() -> None:
    async def main() -> None:
        lag = LoopLag()
        lag.start()
        admission = Admission(lag=lag)
        await asyncio.sleep(5)
        stand_still(0.27)
        await asyncio.sleep(0.1)
        assert admission.may_take() is None

        await asyncio.sleep(5)
        stand_still(0.3)
        await asyncio.sleep(0.1)
        assert admission.may_take() == "The server is too busy to take another call."
        lag.stop()

    run_virtual(main())


def test_after_an_overload_calls_are_taken_again_only_when_the_loop_is_well_on_time() -> None:
    async def main() -> None:
        lag = LoopLag()
        lag.start()
        admission = Admission(lag=lag)
        await late_by(0.07, 300)
        assert admission.may_take() is not None

        await late_by(0.03, 300)  # in between: would be taken, had there been no overload
        assert admission.may_take() is not None
        assert Admission(lag=lag).may_take() is None

        await late_by(0.01, 300)
        assert admission.may_take() is None
        await late_by(0.03, 300)
        assert admission.may_take() is None
        assert admission.refused == Counter(overloaded=2)
        lag.stop()

    run_virtual(main())


def test_six_seconds_after_the_load_is_gone_calls_are_taken_again() -> None:
    async def main() -> None:
        lag = LoopLag()
        lag.start()
        admission = Admission(lag=lag)
        stand_still(60)
        await asyncio.sleep(0.1)
        assert admission.may_take() is not None

        await asyncio.sleep(5.5)
        assert admission.may_take() is None
        lag.stop()

    run_virtual(main())
