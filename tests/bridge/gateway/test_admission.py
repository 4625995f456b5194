"""Who is taken in, on a loop whose lateness the test decides."""

import asyncio
from collections import Counter

import pytest

from bridge.gateway.admission import Admission, AdmissionLimits
from bridge.gateway.drain import Drain
from bridge.gateway.loop_lag import LoopLag
from bridge.gateway.memory import CALL_BYTES, Bound, MemoryRoom
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
    assert admission.may_take() is None  # one of another kind


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
        lag = LoopLag(settle_s=0)
        lag.start()
        admission = Admission(lag=lag)
        await late_by(late_s, 100)

        assert (admission.may_take() is None) is taken
        assert lag.recent_s() == pytest.approx(late_s)
        lag.stop()

    run_virtual(main())


@pytest.mark.parametrize(("held_s", "taken"), [(1.9, True), (2.5, False)])
def test_what_holds_the_loop_up_in_the_first_two_seconds_refuses_nobody(
    held_s: float, taken: bool
) -> None:
    async def main() -> None:
        lag = LoopLag()
        lag.start()
        stand_still(held_s)
        await asyncio.sleep(0.1)

        assert (Admission(lag=lag).may_take() is None) is taken
        assert lag.histogram.n >= held_s / 0.02
        lag.stop()

    run_virtual(main())


def test_one_short_hold_up_in_five_seconds_refuses_nobody_and_a_long_one_does() -> None:
    async def main() -> None:
        lag = LoopLag(settle_s=0)
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
        lag = LoopLag(settle_s=0)
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
        lag = LoopLag(settle_s=0)
        lag.start()
        admission = Admission(lag=lag)
        stand_still(60)
        await asyncio.sleep(0.1)
        assert admission.may_take() is not None

        await asyncio.sleep(5.5)
        assert admission.may_take() is None
        lag.stop()

    run_virtual(main())


def group(used_calls: float) -> Bound:
    """A memory group for a hundred calls, of which 85 may be."""
    return Bound("group", 100 * CALL_BYTES, int(used_calls * CALL_BYTES))


@pytest.mark.parametrize(("used", "n_taken"), [(0, 85), (80, 5), (84, 1), (84.5, 0), (100, 0)])
def test_calls_are_taken_as_far_as_the_memory_goes(used: float, n_taken: int) -> None:
    answers: list[str | None] = []
    memory = MemoryRoom(0.85, lambda: answers.count(None))
    memory.sampled([group(used)])
    admission = Admission(memory=memory)

    for _ in range(100):
        answers.append(admission.may_take())  # noqa: PERF401 - each counts those before it

    assert answers == [None] * n_taken + ["The server has no memory left for another call."] * (
        100 - n_taken
    )
    assert admission.refused["memory"] == 100 - n_taken


def test_calls_that_were_refused_for_memory_are_taken_again_when_there_is_room_for_some() -> None:
    memory = MemoryRoom(0.85)
    admission = Admission(memory=memory)
    for used, taken in ((85, False), (82, False), (81, True), (84, True), (84.5, False)):
        memory.sampled([group(used)])
        assert (admission.may_take() is None) is taken


def test_each_change_is_one_line_in_the_log_that_says_why(
    caplog: pytest.LogCaptureFixture,
) -> None:
    memory = MemoryRoom(0.85)
    admission = Admission(AdmissionLimits(max_calls=2), memory=memory)

    with caplog.at_level("INFO"):
        for n_live in (1, 2, None, 3, 1, 0):  # calls of another kind go on beside
            admission.may_take(n_live)
        for used in (86, 90, 10, 20):
            memory.sampled([group(used)])
            admission.may_take(0)
            admission.may_take()

    assert caplog.messages == [
        "! new phone calls are refused: 2 are up, phone.max_calls is 2",
        "= new phone calls are taken again: 1 are up",
        (
            "! new calls are refused: 90 of the 105 MB of its memory group are used (86 %), "
            "phone.memory_share is 0.85"
        ),
        "= new calls are taken again",
    ]


def test_a_late_loop_is_one_line_in_the_log_too(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        lag = LoopLag(settle_s=0)
        lag.start()
        admission = Admission(lag=lag)
        for late_s in (0.07, 0.07, 0.01, 0.01):
            await late_by(late_s, 300)
            admission.may_take()
        lag.stop()

    with caplog.at_level("INFO"):
        run_virtual(main())

    assert caplog.messages == [
        "! new calls are refused: the event loop is 70 ms late (p95 of 5 s), 40 ms may be",
        "= new calls are taken again",
    ]


def test_a_service_that_drains_has_said_so_already(caplog: pytest.LogCaptureFixture) -> None:
    drain = Drain()
    drain.begin()

    with caplog.at_level("INFO"):
        assert Admission(AdmissionLimits(max_calls=0), drain=drain).may_take(1) is not None

    assert caplog.messages == []
