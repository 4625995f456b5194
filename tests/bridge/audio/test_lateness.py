"""How long a missing packet is waited for."""

import pytest

from bridge.audio.lateness import (
    PATIENCE_FIRST_S,
    PATIENCE_MAX_S,
    PATIENCE_MIN_S,
    WINDOW,
    Lateness,
)


def after(*late_s: float, times: int = WINDOW) -> Lateness:
    """What is measured of packets that come so late, over and over."""
    lateness = Lateness()
    lateness.restart(5.0)
    for n in range(times):
        lateness.add(5.0 + late_s[n % len(late_s)])
    return lateness


def test_a_stream_that_is_not_known_yet_is_given_some_time() -> None:
    assert Lateness().patience_s == PATIENCE_FIRST_S


@pytest.mark.parametrize(
    ("late_s", "patience_s"),
    [
        ([0.0], PATIENCE_MIN_S),
        ([0.0, 0.062], 0.07),
        ([0.0] * 199 + [0.15], PATIENCE_MIN_S),  # one in two hundred may be too late
        ([0.0] * 49 + [0.152], 0.16),  # one in fifty may not
        ([0.0, 3.0], PATIENCE_MAX_S),
    ],
)
def test_it_is_as_long_as_nearly_all_packets_need(late_s: list[float], patience_s: float) -> None:
    assert after(*late_s).patience_s == pytest.approx(patience_s)


def test_what_was_measured_is_forgotten_after_two_windows() -> None:
    lateness = after(0.0, 0.15)
    for _ in range(2 * WINDOW):
        lateness.add(5.0)
    assert lateness.patience_s == PATIENCE_MIN_S


def test_the_fastest_of_late_is_what_others_are_compared_with() -> None:
    lateness = after(0.0)
    lateness.add(4.9)
    assert lateness.base_s == 4.9
    for _ in range(2 * WINDOW):
        lateness.add(5.3)
    assert lateness.base_s == 5.3
