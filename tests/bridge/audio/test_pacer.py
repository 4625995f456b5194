"""The pacer: absolute deadlines, no drift, no burst after a freeze."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.pacer import EARLY_S, STALL_S, Pacer

START_S = 1_000_000.0


def started(frame_ms: float = 20, ahead_ms: float = 0) -> Pacer:
    """A pacer whose first frame shall play at `START_S`."""
    pacer = Pacer(frame_ms, ahead_ms)
    pacer.start(START_S)
    return pacer


def test_nothing_is_due_before_the_start() -> None:
    pacer = Pacer(20)

    assert pacer.due(START_S) == 0
    assert pacer.next_due_s == inf


def test_first_frame_is_due_at_the_start() -> None:
    assert started().due(START_S) == 1


def test_frames_ahead_are_due_at_once() -> None:
    assert started(ahead_ms=200).due(START_S) == 11


def test_nothing_more_is_due_until_the_next_frame() -> None:
    pacer = started()
    pacer.sent()

    assert pacer.due(START_S + 0.019) == 0
    assert pacer.due(pacer.next_due_s) == 1


def test_timer_that_fires_a_little_early_finds_its_frame_due() -> None:
    pacer = started()
    pacer.sent()

    assert pacer.due(pacer.next_due_s - 0.9 * EARLY_S) == 1
    assert pacer.due(pacer.next_due_s - 1.1 * EARLY_S) == 0


def test_deadlines_are_exact_after_ten_hours() -> None:
    pacer = started()
    pacer.sent(10 * 3600 * 50)

    assert pacer.next_due_s == START_S + 36_000


def test_short_delay_is_caught_up() -> None:
    pacer = started()
    pacer.sent()

    assert pacer.due(START_S + 0.1) == 5
    assert pacer.stalls == 0


def test_freeze_just_below_the_limit_is_caught_up() -> None:
    assert started().due(START_S + STALL_S - 0.01) == 50


@pytest.mark.parametrize("ahead_ms", [0, 200, 400])
def test_freeze_above_the_limit_makes_no_burst(ahead_ms: float) -> None:
    pacer = started(ahead_ms=ahead_ms)
    pacer.sent(pacer.due(START_S))

    assert pacer.due(pacer.next_due_s + STALL_S + 0.01) == ahead_ms / 20 + 1
    assert pacer.stalls == 1


def test_filling_a_large_far_buffer_is_no_freeze() -> None:
    pacer = started(ahead_ms=30_000)

    assert pacer.due(START_S + 0.001) == 1_501
    assert pacer.stalls == 0


def test_resync_gives_up_what_was_missed() -> None:
    pacer = started()
    pacer.sent(3)
    pacer.resync(START_S + 0.5)

    assert pacer.due(START_S + 0.5) == 1


@pytest.mark.parametrize(("frame_ms", "ahead_ms"), [(0, 0), (-20, 0), (20, -1), (float("nan"), 0)])
def test_bad_pace_is_refused(frame_ms: float, ahead_ms: float) -> None:
    with pytest.raises(ValueError, match="bad pace"):
        Pacer(frame_ms, ahead_ms)


@given(st.lists(st.floats(0, 0.9), max_size=50), st.sampled_from([0.0, 60.0, 400.0]))
def test_as_many_frames_as_time_has_passed_however_late_the_timer(
    delays_s: list[float], ahead_ms: float
) -> None:
    pacer = started(ahead_ms=ahead_ms)
    n_sent = pacer.due(START_S)
    pacer.sent(n_sent)
    now_s = START_S
    for delay_s in delays_s:
        now_s += delay_s
        n_due = pacer.due(now_s)
        pacer.sent(n_due)
        n_sent += n_due

        assert n_sent == int((now_s - START_S + ahead_ms / 1000 + EARLY_S) / 0.02) + 1 or (
            abs(now_s + EARLY_S - pacer.next_due_s) < 1e-6
        )
