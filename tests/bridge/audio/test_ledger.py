"""The ledger: what the far end has played, to the sample."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.ledger import EARLY_MAX_S, LATE_S, MARKS_KEPT, RUNS_KEPT, WAY_MAX_S, Ledger

START_S = 1_000_000.0
"""Instants of a monotonic clock are large."""


def ledger_with(n: int) -> Ledger:
    """A ledger at 8 kHz with ``n`` samples sent at `START_S`."""
    ledger = Ledger(8_000)
    ledger.sent(n, START_S)
    return ledger


def test_nothing_sent_means_nothing_played() -> None:
    ledger = Ledger(8_000)

    assert ledger.played(START_S) == 0
    assert ledger.ahead_ms(START_S) == 0.0
    assert ledger.playing_until_s is None


def test_play_out_starts_when_audio_is_sent() -> None:
    ledger = ledger_with(8_000)

    assert ledger.played(START_S) == 0
    assert ledger.played(START_S + 0.25) == 2_000
    assert ledger.ahead_ms(START_S + 0.25) == 750.0


def test_play_out_never_passes_what_was_sent() -> None:
    assert ledger_with(8_000).played(START_S + 10) == 8_000


def test_audio_sent_early_plays_after_what_is_playing() -> None:
    ledger = ledger_with(8_000)
    ledger.sent(8_000, START_S + 0.1)

    assert ledger.playing_until_s == START_S + 2
    assert ledger.time_of(8_000) == START_S + 1
    assert ledger.gaps.count == 0


def test_audio_sent_late_plays_after_a_gap() -> None:
    ledger = ledger_with(800)
    ledger.sent(800, START_S + 0.15)

    assert ledger.time_of(799) == START_S + 799 / 8_000
    assert ledger.time_of(800) == START_S + 0.15
    assert ledger.played(START_S + 0.2) == 1_200
    assert ledger.gaps.count == 1
    assert ledger.gaps.total_ms == pytest.approx(50)


def test_timer_jitter_makes_no_gap() -> None:
    ledger = Ledger(8_000)
    for frame in range(3_000):
        ledger.sent(160, START_S + frame * 0.02 + (frame % 7) * 0.0001)

    assert ledger.gaps.count == 0
    assert ledger.time_of(0) == START_S


def test_frame_exactly_in_time_after_ten_hours_makes_no_gap() -> None:
    ledger = Ledger(8_000)
    for frame in range(10 * 3600 * 50, 10 * 3600 * 50 + 100):
        ledger.sent(160, START_S + frame * 0.02)

    assert ledger.gaps.count == 0
    assert ledger.played(START_S + (10 * 3600 * 50 + 100) * 0.02) == 16_000


def test_time_of_a_sample_not_sent_is_none() -> None:
    assert ledger_with(160).time_of(160) is None


@pytest.mark.parametrize(
    ("position", "comes_at"), [(0, 0), (159, 159), (160, 160), (200, 160), (260, 160), (261, 161)]
)
def test_what_follows_samples_that_are_left_out_comes_as_much_sooner(
    position: int, comes_at: int
) -> None:
    assert ledger_with(160).without(100, position) == comes_at


def test_echoed_mark_proves_played_what_the_clock_only_supposed() -> None:
    ledger = ledger_with(8_000)
    ledger.mark("a")
    ledger.acknowledged("a", START_S + 1.1)

    heard = ledger.heard(START_S + 1.1)

    assert (heard.played_acknowledged, heard.played_interpolated) == (8_000, 0)


@pytest.mark.parametrize("early_s", [0.1, EARLY_MAX_S - 0.001])
def test_early_echo_moves_the_clock_on(early_s: float) -> None:
    ledger = ledger_with(4_000)
    ledger.mark("a")
    ledger.sent(4_000, START_S)
    now_s = START_S + 0.5 - early_s
    assert ledger.acknowledged("a", now_s)

    assert ledger.played(now_s) == 4_000
    assert ledger.time_of(4_000) == now_s
    assert ledger.time_of(3_999) == now_s
    assert ledger.played(now_s + 0.1) == 4_800
    assert ledger.playing_until_s == now_s + 0.5


def test_echo_earlier_than_anybody_can_play_proves_nothing() -> None:
    ledger = ledger_with(8_000)
    ledger.mark("a")

    assert not ledger.acknowledged("a", START_S + 1 - EARLY_MAX_S - 0.001)
    assert ledger.played_acknowledged == 0
    assert ledger.playing_until_s == START_S + 1


def test_echoes_that_always_come_at_once_do_not_move_the_clock_on_and_on() -> None:
    ledger = Ledger(8_000)
    for frame in range(50):
        now_s = START_S + max(0.0, frame * 0.02 - 0.2)
        ledger.sent(160, now_s)
        ledger.mark(str(frame))
        ledger.acknowledged(str(frame), now_s)

    assert START_S + 1 - EARLY_MAX_S <= (ledger.playing_until_s or 0) <= START_S + 1


def test_all_is_proven_when_what_is_not_flushed_is() -> None:
    ledger = ledger_with(8_000)
    assert not ledger.all_proven
    ledger.flush(START_S + 0.5)
    ledger.sent(800, START_S + 1)
    ledger.mark("a")
    assert not ledger.all_proven
    ledger.acknowledged("a", START_S + 1.1)

    assert ledger.all_proven


@pytest.mark.parametrize("late_s", [0.0, 0.25, WAY_MAX_S + LATE_S - 0.001])
def test_late_echo_does_not_move_the_clock_back(late_s: float) -> None:
    ledger = ledger_with(4_000)
    ledger.mark("a")
    ledger.sent(8_000, START_S)
    ledger.acknowledged("a", START_S + 0.5 + late_s)

    heard = ledger.heard(START_S + 0.5 + late_s)

    assert heard.played_acknowledged == 4_000
    assert heard.played_interpolated == pytest.approx(late_s * 8_000, abs=1)


def marked_with(way_s: float) -> Ledger:
    """Ten seconds sent, a mark after each; the echo of the first was ``way_s`` under way."""
    ledger = Ledger(8_000)
    for second in range(10):
        ledger.sent(8_000, START_S)
        ledger.mark(str(second))
    ledger.acknowledged("0", START_S + 1 + way_s)
    return ledger


@pytest.mark.parametrize("late_s", [-0.05, 0.0, LATE_S - 0.001])
def test_echo_that_is_no_later_than_jitter_makes_it_moves_nothing(late_s: float) -> None:
    ledger = marked_with(way_s=0.1)
    ledger.acknowledged("1", START_S + 2.1 + late_s)

    assert ledger.playing_until_s == START_S + 10


def test_echo_much_later_than_its_like_moves_the_clock_back() -> None:
    ledger = marked_with(way_s=0.1)
    assert ledger.played(START_S + 3.1) == 24_800
    ledger.acknowledged("1", START_S + 3.1)

    heard = ledger.heard(START_S + 3.1)
    assert (heard.played_acknowledged, heard.played_interpolated) == (16_000, 800)
    assert ledger.playing_until_s == pytest.approx(START_S + 11)
    assert ledger.time_of(15_999) == pytest.approx(START_S + 2, abs=0.001)
    assert ledger.time_of(16_000) == pytest.approx(START_S + 3)
    assert ledger.ahead_ms(START_S + 3.1) == pytest.approx(7_900)


def test_far_end_that_was_behind_and_caught_up_has_its_clock_back() -> None:
    ledger = marked_with(way_s=0.1)
    ledger.acknowledged("1", START_S + 3.1)
    ledger.acknowledged("2", START_S + 3.1)

    assert ledger.playing_until_s == pytest.approx(START_S + 10)
    assert ledger.played(START_S + 3.1) == 24_800


def test_echoes_in_step_with_a_clock_that_was_moved_back_leave_it_there() -> None:
    ledger = marked_with(way_s=0.1)
    for second in range(1, 6):
        ledger.acknowledged(str(second), START_S + second + 2.1)

    assert ledger.playing_until_s == pytest.approx(START_S + 11)


def test_audio_after_a_silence_is_not_late_because_the_audio_before_was() -> None:
    ledger = marked_with(way_s=0.1)
    ledger.acknowledged("9", START_S + 12.1)
    ledger.sent(8_000, START_S + 20)
    ledger.mark("10")
    ledger.acknowledged("10", START_S + 21.1)

    assert ledger.time_of(80_000) == START_S + 20
    assert ledger.playing_until_s == START_S + 21


def test_late_echo_takes_gaps_out_that_the_far_end_cannot_have_made() -> None:
    ledger = Ledger(8_000)
    ledger.sent(800, START_S)
    ledger.mark("a")
    ledger.sent(800, START_S + 0.15)
    ledger.sent(800, START_S + 0.3)
    ledger.acknowledged("a", START_S + 3)

    begin = START_S + 3 - WAY_MAX_S
    assert ledger.time_of(800) == pytest.approx(begin)
    assert ledger.playing_until_s == pytest.approx(begin + 0.2)


def test_mark_that_the_far_end_calls_flushed_proves_nothing() -> None:
    ledger = ledger_with(4_000)
    ledger.mark("a")
    ledger.mark("b")
    ledger.void("a")

    assert not ledger.acknowledged("a", START_S + 0.5)
    assert ledger.acknowledged("b", START_S + 0.5)


def test_far_end_that_cannot_be_cleared_plays_what_it_has() -> None:
    ledger = ledger_with(8_000)
    ledger.clearable = False

    assert ledger.flush(START_S + 0.25) == 0
    assert ledger.played(START_S + 1) == 8_000


@pytest.mark.parametrize(("busy_s", "begins_s"), [(0.4, 0.4), (-1.0, 0.0)])
def test_audio_waits_for_what_the_far_end_is_busy_with(busy_s: float, begins_s: float) -> None:
    ledger = Ledger(8_000)
    ledger.busy_until(START_S + busy_s)
    ledger.sent(800, START_S)

    assert ledger.time_of(0) == START_S + begins_s
    assert ledger.gaps.count == 0


def test_echo_of_a_later_mark_proves_the_earlier_ones() -> None:
    ledger = ledger_with(4_000)
    ledger.mark("a")
    ledger.sent(4_000, START_S)
    ledger.mark("b")
    ledger.acknowledged("b", START_S + 1)
    ledger.acknowledged("a", START_S + 1)

    assert ledger.played_acknowledged == 8_000


def test_echo_of_an_unknown_mark_proves_nothing() -> None:
    ledger = ledger_with(8_000)
    ledger.mark("a")
    ledger.acknowledged("b", START_S)

    assert ledger.heard(START_S).played_acknowledged == 0


def test_flush_ends_what_is_unplayed() -> None:
    ledger = ledger_with(8_000)

    assert ledger.flush(START_S + 0.25) == 6_000
    assert ledger.played(START_S + 10) == 2_000
    assert ledger.playing_until_s == START_S + 0.25


def test_flushed_samples_have_no_instant_and_played_ones_keep_theirs() -> None:
    ledger = ledger_with(8_000)
    ledger.flush(START_S + 0.25)
    ledger.sent(8_000, START_S + 3)

    assert ledger.time_of(1_999) == START_S + 1_999 / 8_000
    assert ledger.time_of(2_000) is None
    assert ledger.time_of(7_999) is None
    assert ledger.time_of(8_000) == START_S + 3


def test_flush_before_anything_was_played_leaves_no_end() -> None:
    ledger = ledger_with(8_000)

    assert ledger.flush(START_S) == 8_000
    assert ledger.playing_until_s is None


def test_flush_of_a_silent_far_end_flushes_nothing() -> None:
    assert ledger_with(8_000).flush(START_S + 1) == 0


def test_mark_echoed_after_a_flush_counts_as_flushed() -> None:
    ledger = ledger_with(8_000)
    ledger.mark("a")
    ledger.flush(START_S + 0.25)
    ledger.acknowledged("a", START_S + 0.3)

    heard = ledger.heard(START_S + 10)

    assert (heard.played_acknowledged, heard.played_interpolated) == (0, 2_000)
    assert heard.flushed == 6_000


def test_mark_sent_after_a_flush_proves_again() -> None:
    ledger = ledger_with(8_000)
    ledger.mark("a")
    ledger.flush(START_S + 0.25)
    ledger.sent(800, START_S + 0.5)
    ledger.mark("b")
    ledger.acknowledged("a", START_S + 0.3)
    ledger.acknowledged("b", START_S + 0.7)

    assert ledger.played_acknowledged == 2_800


def test_name_used_again_after_a_flush_is_taken_in_order() -> None:
    ledger = ledger_with(8_000)
    ledger.mark("a")
    ledger.flush(START_S + 0.25)
    ledger.sent(800, START_S + 0.5)
    ledger.mark("a")

    ledger.acknowledged("a", START_S + 0.51)
    assert ledger.played_acknowledged == 0

    ledger.acknowledged("a", START_S + 0.6)
    assert ledger.played_acknowledged == 2_800


def test_broken_far_end_loses_what_is_unplayed() -> None:
    ledger = ledger_with(8_000)
    ledger.mark("a")

    assert ledger.lose(START_S + 0.25) == 6_000
    ledger.acknowledged("a", START_S + 1)
    heard = ledger.heard(START_S + 1)
    assert (heard.lost, heard.played_interpolated, heard.played_acknowledged) == (6_000, 2_000, 0)


def test_gap_inside_a_segment_is_an_underrun() -> None:
    ledger = Ledger(8_000)
    ledger.begin_segment()
    ledger.sent(800, START_S)
    ledger.sent(800, START_S + 0.2)

    assert ledger.gaps.underruns == 1
    assert ledger.gaps.underrun_ms == pytest.approx(100)


def test_gap_between_segments_is_no_underrun() -> None:
    ledger = Ledger(8_000)
    for start_s in (START_S, START_S + 1):
        ledger.begin_segment()
        ledger.sent(800, start_s)
        ledger.end_segment()

    assert (ledger.gaps.count, ledger.gaps.underruns) == (1, 0)


def test_gap_after_the_end_of_a_segment_is_no_underrun() -> None:
    ledger = Ledger(8_000)
    ledger.begin_segment()
    ledger.sent(800, START_S)
    ledger.end_segment()
    ledger.sent(800, START_S + 1)

    assert ledger.gaps.underruns == 0


def test_gap_that_a_flush_leaves_in_a_segment_is_no_underrun() -> None:
    ledger = Ledger(8_000)
    ledger.begin_segment()
    ledger.sent(8_000, START_S)
    ledger.flush(START_S + 0.5)
    ledger.sent(800, START_S + 2)

    assert (ledger.gaps.count, ledger.gaps.underruns) == (1, 0)


def test_old_runs_are_forgotten_and_recent_ones_are_not() -> None:
    ledger = Ledger(8_000)
    for run in range(RUNS_KEPT + 1):
        ledger.sent(80, START_S + run)

    assert ledger.time_of(79) is None
    assert ledger.time_of(80) == START_S + 1
    assert ledger.played(START_S + 1_000) == 80 * (RUNS_KEPT + 1)


def test_far_end_that_never_echoes_costs_bounded_memory() -> None:
    ledger = Ledger(8_000)
    for number in range(10 * MARKS_KEPT):
        ledger.mark(str(number))

    assert len(ledger._marks) == MARKS_KEPT


def test_ledger_without_a_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="0 Hz"):
        Ledger(0)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sent", "mark", "ack", "ack", "flush", "lose", "begin", "end", "wait"]),
        st.integers(0, 3_000),
        st.one_of(st.floats(0, 0.4), st.floats(0, 3)),
    ),
    max_size=60,
)


def act(ledger: Ledger, step: str, n: int, now_s: float) -> None:
    match step:
        case "sent":
            ledger.sent(n, now_s)
        case "mark":
            ledger.mark(f"m{n % 5}")
        case "ack":
            ledger.acknowledged(f"m{n % 5}", now_s)
        case "flush":
            ledger.flush(now_s)
        case "lose":
            ledger.lose(now_s)
        case "begin":
            ledger.begin_segment()
        case "end":
            ledger.end_segment()
        case _:
            pass


@given(STEPS)
def test_every_sample_is_accounted_for_and_only_a_late_echo_takes_back_what_was_played(
    steps: list[tuple[str, int, float]],
) -> None:
    ledger = Ledger(8_000)
    now_s = START_S
    before = ledger.heard(now_s)
    for step, n, wait_s in steps:
        now_s += wait_s
        act(ledger, step, n, now_s)

        heard = ledger.heard(now_s)
        parts = (
            heard.played_acknowledged,
            heard.played_interpolated,
            heard.flushed,
            heard.lost,
            heard.ahead,
        )
        assert sum(parts) == heard.sent
        assert min(parts) >= 0
        played = heard.played_acknowledged + heard.played_interpolated
        if step != "ack":
            assert played >= before.played_acknowledged + before.played_interpolated
        assert heard.played_acknowledged >= before.played_acknowledged
        before = heard


@given(STEPS)
def test_instants_rise_with_positions_and_agree_with_what_was_played(
    steps: list[tuple[str, int, float]],
) -> None:
    ledger = Ledger(8_000)
    now_s = START_S
    for step, n, wait_s in steps:
        now_s += wait_s
        act(ledger, step, n, now_s)

    instants = [ledger.time_of(position) for position in range(0, ledger.sent_samples, 97)]
    known = [instant for instant in instants if instant is not None]
    assert all(earlier <= later for earlier, later in pairwise(known))
    until_s = ledger.playing_until_s
    assert not known or (until_s is not None and max(known) <= until_s)


@given(STEPS)
def test_gapless_play_out_ends_after_what_is_ahead(steps: list[tuple[str, int, float]]) -> None:
    ledger = Ledger(8_000)
    now_s = START_S
    for step, n, wait_s in steps:
        now_s += wait_s
        act(ledger, step, n, now_s)

    ahead_ms = ledger.ahead_ms(now_s)

    if ahead_ms:
        until_s = ledger.playing_until_s
        assert until_s is not None
        assert 1000 * (until_s - now_s) == pytest.approx(ahead_ms, abs=1.2)
