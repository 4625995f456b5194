"""The rhythm of progress tones, hop by hop: each length from both sides."""

from collections.abc import Iterable

import pytest

from bridge_codecs.progress_bank import Look
from bridge_codecs.progress_cadence import BUSY, DIAL, EUROPE, RINGBACK, Cadence

QUIET = Look(1e-9, None, None)


def on(tone: int, n: int, power: float = 0.01) -> list[Look]:
    return [Look(power, tone, None)] * n


def off(n: int, power: float = 1e-9) -> list[Look]:
    return [Look(power, None, None)] * n


def step(place: int, n: int) -> list[Look]:
    return [Look(0.01, None, place)] * n


def heard(looks: Iterable[Look]) -> list[str]:
    cadence = Cadence()
    return [found.tone for found in map(cadence.hear, [QUIET, *looks]) if found is not None]


@pytest.mark.parametrize(
    ("tone", "n", "kind"), [(DIAL, 25, "dial"), (RINGBACK, 25, "ringback"), (EUROPE, 50, "dial")]
)
def test_what_lasts_is_told_when_it_has_lasted_long_enough(tone: int, n: int, kind: str) -> None:
    assert heard(on(tone, n - 1)) == []
    assert heard(on(tone, 200)) == [kind]


@pytest.mark.parametrize("tone", [BUSY, EUROPE])
@pytest.mark.parametrize(
    ("n_on", "n_off", "kinds"),
    [
        (3, 6, []),
        (4, 6, ["congestion"]),
        (8, 8, ["congestion"]),
        (9, 9, []),
        (10, 10, ["busy"]),
        (16, 16, ["busy"]),
        (17, 16, []),
        (12, 18, []),
    ],
)
def test_bursts_and_gaps_tell_busy_from_congestion(
    tone: int, n_on: int, n_off: int, kinds: list[str]
) -> None:
    assert heard([*on(tone, n_on), *off(n_off), *on(tone, n_on)][: n_on + n_off + 3]) == kinds


@pytest.mark.parametrize(
    ("n_on", "n_off", "kinds"),
    [
        (19, 40, []),
        (20, 40, ["ringback"]),
        (38, 40, ["ringback"]),
        (39, 40, []),
        (25, 19, []),
        (25, 20, ["ringback"]),
    ],
)
def test_europe_rings_for_a_second_and_then_does_not(
    n_on: int, n_off: int, kinds: list[str]
) -> None:
    assert heard([*on(EUROPE, n_on), *off(n_off)]) == kinds


def test_a_gap_with_another_sound_in_it_is_none() -> None:
    assert heard([*on(EUROPE, 25), *off(30, power=0.003)]) == []
    assert heard([*on(EUROPE, 25), *off(30, power=0.002)]) == ["ringback"]


def test_bursts_of_different_loudness_do_not_belong_together() -> None:
    assert heard([*on(BUSY, 12), *off(12), *on(BUSY, 12, power=0.03)]) == []
    assert heard([*on(BUSY, 12), *off(12), *on(BUSY, 12, power=0.02)]) == ["busy"]


def test_a_burst_may_lack_one_window_and_not_two() -> None:
    assert heard([*on(DIAL, 12), QUIET, *on(DIAL, 12)]) == ["dial"]
    assert heard([*on(DIAL, 12), QUIET, QUIET, *on(DIAL, 12)]) == []


@pytest.mark.parametrize(
    ("looks", "kinds"),
    [
        ([*step(0, 8), *step(1, 8), *step(2, 4)], []),
        ([*step(0, 8), *step(1, 8), *step(2, 5)], ["sit"]),
        ([*step(0, 5), QUIET, QUIET, *step(1, 11), *step(2, 8)], ["sit"]),
        ([*step(0, 4), *step(1, 8), *step(2, 8)], []),
        ([*step(0, 12), *step(1, 8), *step(2, 8)], []),
        ([*step(0, 8), *off(3), *step(1, 8), *step(2, 8)], []),
        ([*step(1, 8), *step(2, 8)], []),
        ([*step(0, 8), *step(2, 8)], []),
    ],
)
def test_special_information_climbs_three_steps(looks: list[Look], kinds: list[str]) -> None:
    assert heard(looks) == kinds


def test_the_same_tone_within_seven_seconds_is_the_same_one() -> None:
    ring = on(RINGBACK, 50)

    assert heard([*ring, *off(150), *ring]) == ["ringback"]
    assert heard([*ring, *off(155), *ring]) == ["ringback", "ringback"]


def test_a_tone_begins_within_the_hop_before_by_what_is_in_there() -> None:
    cadence = Cadence()

    *_, found = (cadence.hear(look) for look in [QUIET, *off(1, power=0.0025), *on(DIAL, 25)])

    assert found is not None
    assert found.start == pytest.approx(1.75)
