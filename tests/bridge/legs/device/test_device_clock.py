"""A device's clock against the loop's: drift, steps, other rates."""

import random

import pytest

from bridge.legs.device.device_clock import MAX_PPM, DeviceClock

RATE_HZ = 48_000
BLOCK = 480


def run(
    clock: DeviceClock,
    seconds: float,
    ppm: float,
    late_s: float = 0.0,
    *,
    start: tuple[int, float] = (0, 100.0),
) -> tuple[int, float]:
    """Callbacks of a device that is off by ``ppm``, each late by up to ``late_s``."""
    wobble = random.Random(7)
    position, now_s = start
    for _ in range(round(seconds * (1 + ppm * 1e-6) * RATE_HZ / BLOCK)):
        clock.saw(position, now_s + late_s * wobble.random())
        position += BLOCK
        now_s += BLOCK / (RATE_HZ * (1 + ppm * 1e-6))
    return position, now_s


@pytest.mark.parametrize("ppm", [-1000.0, -200.0, 0.0, 55.5, 200.0, 1000.0])
def test_a_drift_is_measured_exactly_where_callbacks_are_punctual(ppm: float) -> None:
    clock = DeviceClock(RATE_HZ)
    run(clock, 30, ppm)
    assert clock.drift_ppm == pytest.approx(ppm, abs=0.2)


@pytest.mark.parametrize("ppm", [-200.0, 0.0, 200.0])
def test_a_drift_is_measured_to_2_ppm_in_90_s_through_late_callbacks(ppm: float) -> None:
    clock = DeviceClock(RATE_HZ)
    run(clock, 92, ppm, late_s=0.004)
    assert clock.drift_ppm == pytest.approx(ppm, abs=2)


def test_no_drift_is_told_before_there_is_enough_to_tell_it_from() -> None:
    clock = DeviceClock(RATE_HZ)
    run(clock, 9.9, 200)
    assert clock.drift_ppm == 0
    run(clock, 1, 200, start=(RATE_HZ * 10, 110.0))
    assert clock.drift_ppm != 0


def test_instants_follow_the_earliest_callbacks() -> None:
    clock = DeviceClock(RATE_HZ)
    position, now_s = run(clock, 60, 200, late_s=0.004)
    assert clock.at(position) == pytest.approx(now_s, abs=0.0003)


def test_a_device_that_skipped_is_followed_within_two_windows() -> None:
    clock = DeviceClock(RATE_HZ)
    position, now_s = run(clock, 20, 100)
    position, now_s = run(clock, 6, 100, start=(position, now_s + 0.05))
    assert clock.steps == 1
    assert clock.at(position) == pytest.approx(now_s, abs=0.0005)
    assert clock.drift_ppm == pytest.approx(100, abs=1)


def test_a_device_that_lost_time_is_followed_within_a_second() -> None:
    clock = DeviceClock(RATE_HZ)
    position, now_s = run(clock, 20, 100)
    position, now_s = run(clock, 1.1, 100, start=(position, now_s + 0.1))
    assert clock.steps == 1
    assert clock.at(position) == pytest.approx(now_s, abs=0.0005)


def test_callbacks_that_are_late_only_for_a_moment_move_nothing() -> None:
    clock = DeviceClock(RATE_HZ)
    position, now_s = run(clock, 20, 0)
    for k in range(40):  # the machine was busy for 0.4 s
        clock.saw(position + k * BLOCK, now_s + 0.4)
    position, now_s = run(clock, 2, 0, start=(position + 40 * BLOCK, now_s + 0.4))
    assert clock.steps == 0
    assert clock.at(position) == pytest.approx(now_s, abs=0.0005)


def test_a_step_of_jitter_is_no_step() -> None:
    clock = DeviceClock(RATE_HZ)
    run(clock, 60, 0, late_s=0.0045)
    assert clock.steps == 0


@pytest.mark.parametrize(
    ("factor", "other"), [(1.0, False), (1.01, False), (0.919, True), (2.0, True)]
)
def test_another_rate_is_noticed_within_5_seconds_and_a_great_drift_is_not_one(
    factor: float, *, other: bool
) -> None:
    clock = DeviceClock(RATE_HZ)
    run(clock, 5, (factor - 1) * 1e6)
    assert clock.other_rate is other


def test_a_device_that_stalls_again_and_again_runs_at_no_other_rate() -> None:
    clock, stalls = DeviceClock(RATE_HZ), random.Random(5)
    place = (0, 100.0)
    for _ in range(60):
        position, now_s = run(clock, 0.5, 0, start=place)
        place = (position, now_s + 0.15 * stalls.random())
    assert not clock.other_rate


@pytest.mark.parametrize("lost", [0.05, 0.065, 0.12])
def test_a_device_that_loses_as_much_all_the_time_on_a_busy_machine_runs_at_no_other_rate(
    lost: float,
) -> None:
    clock = DeviceClock(RATE_HZ)
    run(clock, 30, -lost * 1e6, late_s=0.004)
    assert not clock.other_rate


def test_another_rate_is_noticed_through_late_callbacks() -> None:
    clock = DeviceClock(RATE_HZ)
    run(clock, 10, (44_100 / RATE_HZ - 1) * 1e6, late_s=0.004)
    assert clock.other_rate


def test_a_drift_is_limited() -> None:
    clock = DeviceClock(RATE_HZ)
    run(clock, 20, 1_500)
    assert clock.drift_ppm == MAX_PPM
