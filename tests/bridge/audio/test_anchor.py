"""Which packet is too far ahead of its time, early in a call and late."""

import pytest

from bridge.audio.anchor import FAST, LEAP_S, WINDOW_S, Anchor

PACKET_S = 0.02


def lived(seconds: float, ppm: float = 0.0) -> tuple[Anchor, float, float]:
    """An anchor of a stream that has lasted so long, its transit by now, and the time."""
    anchor, now_s, transit_s = Anchor(), 100.0, 7.0
    anchor.restart(transit_s, now_s)
    for _ in range(round(seconds / PACKET_S)):
        now_s += PACKET_S
        transit_s -= PACKET_S * ppm * 1e-6
        assert not anchor.is_leap(transit_s, transit_s, now_s)
    return anchor, transit_s, now_s


@pytest.mark.parametrize("seconds", [0.0, 10.0, 600.0])
@pytest.mark.parametrize("ppm", [-9_000, -200, 200, 9_000])
def test_what_is_believed_does_not_grow_with_the_call(seconds: float, ppm: float) -> None:
    anchor, transit_s, now_s = lived(seconds, ppm)
    most_s = LEAP_S + 2 * FAST * WINDOW_S
    assert anchor.is_leap(transit_s - most_s - 0.01, transit_s, now_s)
    least_s = LEAP_S - FAST * WINDOW_S
    assert not anchor.is_leap(transit_s - least_s + 0.01, transit_s, now_s)


def test_no_clock_is_followed_faster_than_clocks_are() -> None:
    with pytest.raises(AssertionError):
        lived(600.0, ppm=2 * FAST * 1e6)


def test_a_sender_that_is_slow_and_then_leaps_has_leapt() -> None:
    anchor, transit_s, now_s = lived(600.0, ppm=-9_000)
    assert anchor.is_leap(7.0, transit_s, now_s)
    assert transit_s - 7.0 > LEAP_S
