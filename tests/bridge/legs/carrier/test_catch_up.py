"""Which of an agent's frames are left out when the carrier is behind, and how many."""

import numpy as np
import pytest

from bridge.legs.carrier.catch_up import BEHIND_S, KEPT_MS, NEAR_S, QUIET_PEAK, CatchUp
from bridge.legs.carrier.figures import CarrierFigures
from bridge_codecs.pcm import Int16

RATE_HZ = 8_000
FRAME = 160
LEAD_S = 0.3


def frame(peak: int) -> Int16:
    return np.resize(np.array([peak, -peak, 0, 0], np.int16), FRAME)


def behind(seconds: float) -> tuple[CatchUp, CarrierFigures]:
    figures = CarrierFigures()
    catch_up = CatchUp(RATE_HZ, figures)
    catch_up.waits(seconds, 0.0)
    return catch_up, figures


@pytest.mark.parametrize(
    ("over_s", "is_behind"), [(BEHIND_S - 0.01, False), (BEHIND_S + 0.01, True)]
)
def test_a_carrier_is_behind_when_it_has_much_more_than_we_keep_ahead(
    over_s: float, is_behind: bool
) -> None:
    catch_up = CatchUp(RATE_HZ, CarrierFigures())
    catch_up.waits(LEAD_S + over_s, LEAD_S)

    assert bool(catch_up.behind) is is_behind


@pytest.mark.parametrize(("peak", "n_left_out"), [(QUIET_PEAK, 15), (QUIET_PEAK + 1, 0), (0, 15)])
def test_of_a_pause_the_first_tenth_of_a_second_stays(peak: int, n_left_out: int) -> None:
    catch_up, figures = behind(10)

    left_out = [catch_up.leaves_out(frame(peak)) for _ in range(20)]

    assert left_out == [False] * (20 - n_left_out) + [True] * n_left_out
    assert figures.agent_pauses_left_out_ms == 20 * n_left_out


@pytest.mark.parametrize(
    ("frame_ms", "kept_ms"), [(20, KEPT_MS), (30, 120), (KEPT_MS, KEPT_MS), (200, 200), (400, 400)]
)
def test_some_of_a_pause_stays_however_long_the_frames_are(frame_ms: int, kept_ms: int) -> None:
    catch_up, _ = behind(10)
    quiet = np.zeros(RATE_HZ * frame_ms // 1000, np.int16)

    left_out = [catch_up.leaves_out(quiet) for _ in range(2_000 // frame_ms)]

    n_kept = left_out.index(True)
    assert n_kept * frame_ms == kept_ms
    assert all(left_out[n_kept:])


def test_each_pause_keeps_its_own() -> None:
    catch_up, _ = behind(10)
    for _ in range(20):
        catch_up.leaves_out(frame(0))

    assert not catch_up.leaves_out(frame(3_000))
    assert [catch_up.leaves_out(frame(0)) for _ in range(6)] == [False] * 5 + [True]


def test_the_pause_in_which_it_falls_behind_again_keeps_its_own_too() -> None:
    catch_up, _ = behind(0.6)
    while catch_up.behind:
        catch_up.leaves_out(frame(0))
    catch_up.waits(2.0, 0.0)

    assert [catch_up.leaves_out(frame(0)) for _ in range(6)] == [False] * 5 + [True]


def test_falling_further_behind_in_a_pause_keeps_no_more_of_it() -> None:
    catch_up, _ = behind(0.6)
    for _ in range(6):
        catch_up.leaves_out(frame(0))
    catch_up.waits(2.0, 0.0)

    assert catch_up.leaves_out(frame(0))


def test_the_largest_negative_sample_is_no_silence() -> None:
    catch_up, _ = behind(10)
    loud = np.full(FRAME, -32_768, np.int16)

    assert not any(catch_up.leaves_out(loud) for _ in range(20))


def test_no_more_is_left_out_than_there_is_to_catch_up() -> None:
    catch_up, figures = behind(0.6)
    n = 0
    while catch_up.behind:
        catch_up.leaves_out(frame(0))
        n += 1

    assert n == 5 + 30
    assert figures.agent_pauses_left_out_ms == 600


@pytest.mark.parametrize(("ahead_s", "left"), [(NEAR_S, 0), (NEAR_S + 0.1, 1_600), (5.0, 8_000)])
def test_a_carrier_that_has_little_left_to_play_is_level_again(ahead_s: float, left: int) -> None:
    catch_up, _ = behind(1.0)
    catch_up.ran_dry(ahead_s)

    assert catch_up.behind == left
