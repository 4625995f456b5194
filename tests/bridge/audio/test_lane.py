"""Lanes: bounded, ordered, never waiting, every sample accounted for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.lane import Lane, WhenFull
from bridge_codecs.pcm import Int16


def ramp(n: int, start: int = 0) -> Int16:
    """Samples that tell their own position."""
    return np.arange(start, start + n, dtype=np.int16)


def lane(when_full: WhenFull = "drop_oldest", max_ms: float = 100) -> Lane:
    """A lane of one sample per millisecond."""
    return Lane(1_000, max_ms, when_full)


def test_pull_gives_exactly_what_was_asked_for() -> None:
    full = lane()
    full.push(ramp(50))

    assert full.pull(20).tolist() == list(range(20))


def test_pull_gives_nothing_when_less_than_a_frame_is_inside() -> None:
    short = lane()
    short.push(ramp(19))

    assert short.pull(20).size == 0
    assert short.depth_samples == 19


def test_pull_gives_the_rest_at_the_end_of_a_segment() -> None:
    ended = lane()
    ended.push(ramp(25))
    ended.end_segment()

    assert [ended.pull(20).size, ended.pull(20).tolist()] == [20, list(range(20, 25))]


def test_pull_does_not_cross_a_segment_end() -> None:
    two = lane()
    two.push(ramp(5))
    two.end_segment()
    two.push(ramp(20, start=5))

    assert [two.pull(20).size, two.pull(20).size] == [5, 20]


def test_segment_that_ends_with_a_whole_frame_leaves_no_empty_pull_in_the_way() -> None:
    exact = lane()
    exact.push(ramp(20))
    exact.end_segment()
    exact.pull(20)
    exact.push(ramp(30))

    assert exact.pull(20).size == 20


def test_segment_end_in_an_empty_lane_changes_nothing() -> None:
    empty = lane()
    empty.end_segment()
    empty.push(ramp(10))

    assert empty.pull(20).size == 0


def test_drop_oldest_keeps_the_newest_samples() -> None:
    full = lane("drop_oldest", max_ms=10)
    full.push(ramp(8))
    full.push(ramp(5, start=8))

    assert full.pull(10).tolist() == list(range(3, 13))
    assert full.stats.dropped == 3


def test_drop_newest_keeps_the_oldest_samples() -> None:
    full = lane("drop_newest", max_ms=10)
    full.push(ramp(8))
    full.push(ramp(5, start=8))

    assert full.pull(10).tolist() == list(range(10))
    assert full.stats.dropped == 3


def test_a_lane_filled_to_its_bound_drops_nothing() -> None:
    full = lane(max_ms=10)
    full.push(ramp(10))

    assert full.stats.dropped == 0
    assert full.depth_ms == 10.0


def test_one_push_larger_than_the_bound_keeps_its_newest_part() -> None:
    small = lane("drop_oldest", max_ms=10)
    small.push(ramp(3))
    small.push(ramp(25, start=3))

    assert small.pull(10).tolist() == list(range(18, 28))
    assert small.stats.dropped == 18


def test_segment_end_that_was_dropped_with_its_samples_is_forgotten() -> None:
    full = lane("drop_oldest", max_ms=10)
    full.push(ramp(4))
    full.end_segment()
    full.push(ramp(10, start=4))

    assert full.pull(20).size == 0
    assert full.pull(10).tolist() == list(range(4, 14))


def test_segment_end_behind_dropped_samples_stays_in_its_place() -> None:
    full = lane("drop_oldest", max_ms=10)
    full.push(ramp(6))
    full.end_segment()
    full.push(ramp(6, start=6))

    assert full.pull(20).tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("when_full", ["drop_oldest", "drop_newest"])
def test_of_the_opening_nothing_is_dropped_and_after_it_the_bound_holds(
    when_full: WhenFull,
) -> None:
    opening = Lane(1_000, 10, when_full, opening_ms=50)
    for start in range(0, 50, 5):
        opening.push(ramp(5, start=start))
    assert (opening.depth_samples, opening.stats.dropped) == (50, 0)

    opening.push(ramp(1, start=50))
    kept = opening.pull_padded(opening.depth_samples).tolist()
    assert kept == list(range(41, 51) if when_full == "drop_oldest" else range(50))
    assert opening.stats.overflows == 1


def test_segment_is_open_from_its_first_samples_to_its_end_or_a_clear() -> None:
    any_lane = lane()
    seen = [any_lane.segment_open]
    any_lane.push(ramp(5))
    seen.append(any_lane.segment_open)
    any_lane.end_segment()
    seen.append(any_lane.segment_open)
    any_lane.push(ramp(5))
    any_lane.clear()
    seen.append(any_lane.segment_open)

    assert seen == [False, True, False, False]


def test_clear_empties_the_lane_and_says_how_much_it_dropped() -> None:
    full = lane()
    full.push(ramp(30))
    full.end_segment()

    assert full.clear() == 30
    assert full.stats.cleared == 30
    full.push(ramp(5))
    assert full.pull(20).size == 0


def test_pull_padded_fills_up_with_zeros() -> None:
    short = lane()
    short.push(np.ones(3, np.int16))

    assert short.pull_padded(5).tolist() == [1, 1, 1, 0, 0]
    assert (short.stats.pulled, short.stats.padded) == (3, 2)


def test_pull_padded_crosses_segment_ends() -> None:
    two = lane()
    two.push(ramp(3))
    two.end_segment()
    two.push(ramp(3, start=3))

    assert two.pull_padded(6).tolist() == list(range(6))
    two.push(ramp(3))
    assert two.pull(5).size == 0


def test_on_ready_is_called_once_for_a_push_and_may_pull() -> None:
    ready = lane()
    calls: list[int] = []
    ready.on_ready = lambda: calls.append(ready.pull(20).size)
    ready.push(ramp(20))

    assert calls == [20]


def test_on_ready_is_not_called_when_nothing_fits() -> None:
    full = lane("drop_newest", max_ms=10)
    full.push(ramp(10))
    calls: list[None] = []
    full.on_ready = lambda: calls.append(None)
    full.push(ramp(5))
    full.push(ramp(0))

    assert calls == []


def test_on_ready_is_called_once_for_a_segment_end_that_frees_samples() -> None:
    ended = Lane(48_000, 1_000, "drop_newest", source_hz=8_000)
    ended.push(ramp(150))
    calls: list[None] = []
    ended.on_ready = lambda: calls.append(None)
    ended.end_segment()
    ended.end_segment()

    assert len(calls) == 1


def test_on_ready_is_called_for_the_end_of_a_segment_that_has_been_pulled_already() -> None:
    ended = lane()
    ended.push(ramp(20))
    ended.pull(20)
    calls: list[None] = []
    ended.on_ready = lambda: calls.append(None)
    ended.end_segment()
    ended.end_segment()

    assert len(calls) == 1


def test_lane_resamples_to_the_rate_of_the_sink() -> None:
    wide = Lane(48_000, 1_000, "drop_newest", source_hz=8_000)
    wide.push(ramp(160))

    assert wide.depth_samples == 960
    assert wide.depth_ms == 20.0


def test_segment_end_brings_out_what_the_resampler_held_back() -> None:
    wide = Lane(48_000, 1_000, "drop_newest", source_hz=8_000)
    wide.push(np.full(160, 10_000, np.int16))
    wide.end_segment()

    whole = wide.pull(4_800)

    assert whole.size > 960
    assert whole[955] > 9_000


def test_old_audio_does_not_ring_into_the_new_after_a_clear() -> None:
    wide = Lane(48_000, 1_000, "drop_newest", source_hz=8_000)
    wide.push(np.full(160, 30_000, np.int16))
    wide.clear()
    wide.push(np.zeros(160, np.int16))

    assert not wide.pull(960).any()


def test_new_segment_does_not_begin_with_the_end_of_the_old_one() -> None:
    wide = Lane(48_000, 1_000, "drop_newest", source_hz=8_000)
    wide.push(np.full(160, 30_000, np.int16))
    wide.end_segment()
    wide.pull_padded(wide.depth_samples)
    wide.push(np.zeros(160, np.int16))

    assert not wide.pull(960).any()


def test_samples_that_are_not_int16_are_refused() -> None:
    with pytest.raises(TypeError, match="int16"):
        lane().push(np.ones(3, np.float32))


@pytest.mark.parametrize(("rate_hz", "max_ms"), [(0, 100), (1_000, 0), (1_000, 0.5)])
def test_lane_that_can_hold_nothing_is_refused(rate_hz: int, max_ms: float) -> None:
    with pytest.raises(ValueError, match="cannot hold"):
        Lane(rate_hz, max_ms, "drop_oldest")


ACTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["push", "pull", "padded"]), st.integers(0, 150)),
        st.tuples(st.sampled_from(["clear", "end"]), st.just(0)),
    ),
    max_size=80,
)


@given(ACTS, st.sampled_from(["drop_oldest", "drop_newest"]))
def test_bound_order_and_counts_hold_whatever_happens(
    acts: list[tuple[str, int]], when_full: WhenFull
) -> None:
    any_lane = lane(when_full)
    pushed = 0
    last = -1
    for act, n in acts:
        taken: list[int] = []
        match act:
            case "push":
                any_lane.push(ramp(n, start=pushed))
                pushed += n
            case "pull":
                taken = any_lane.pull(n).tolist()
                assert len(taken) <= n
            case "padded":
                n_real = min(n, any_lane.depth_samples)
                taken = any_lane.pull_padded(n).tolist()
                assert len(taken) == n
                assert not any(taken[n_real:])
                taken = taken[:n_real]
            case "clear":
                any_lane.clear()
            case _:
                any_lane.end_segment()
        for position in taken:
            assert position > last
            last = position

        stats = any_lane.stats
        assert any_lane.depth_samples <= 100
        assert stats.pushed == pushed
        gone = stats.pulled + stats.dropped + stats.cleared
        assert stats.pushed == gone + any_lane.depth_samples


@given(ACTS)
def test_resampling_lane_accounts_for_every_sample(acts: list[tuple[str, int]]) -> None:
    wide = Lane(16_000, 20, "drop_oldest", source_hz=8_000)
    for act, n in acts:
        match act:
            case "push":
                wide.push(ramp(n))
            case "pull":
                wide.pull(n)
            case "padded":
                wide.pull_padded(n)
            case "clear":
                wide.clear()
            case _:
                wide.end_segment()

        stats = wide.stats
        assert wide.depth_samples <= 320
        gone = stats.pulled + stats.dropped + stats.cleared
        assert stats.pushed == gone + wide.depth_samples


# The straight way


class Taker:
    """Takes frames of three samples."""

    def __init__(self) -> None:
        self.offered: list[list[int]] = []

    def __call__(self, frame: Int16) -> bool:
        self.offered.append(frame.tolist())
        return frame.size == 3


def test_a_frame_that_finds_the_lane_empty_is_taken_without_being_put_in() -> None:
    straight, taker = Lane(8_000, 100, "drop_oldest"), Taker()
    straight.on_frame = taker
    straight.push(ramp(3, 1))

    assert taker.offered == [[1, 2, 3]]
    assert straight.depth_samples == 0
    assert (straight.stats.pushed, straight.stats.pulled) == (3, 3)
    assert straight.segment_open


def test_what_is_not_taken_goes_into_the_lane() -> None:
    straight, ready = Lane(8_000, 100, "drop_oldest"), list[int]()
    straight.on_frame = Taker()
    straight.on_ready = lambda: ready.append(straight.depth_samples)
    straight.push(ramp(2, 1))

    assert ready == [2]
    assert (straight.stats.pushed, straight.stats.pulled) == (2, 0)


def test_nothing_overtakes_what_is_inside() -> None:
    straight, taker = Lane(8_000, 100, "drop_oldest"), Taker()
    straight.push(ramp(2, 1))
    straight.on_frame = taker
    straight.push(ramp(3, 3))

    assert taker.offered == []
    assert straight.pull(5).tolist() == [1, 2, 3, 4, 5]


def test_frames_are_offered_at_the_lanes_rate() -> None:
    straight, taker = Lane(24_000, 100, "drop_oldest", source_hz=8_000), Taker()
    straight.on_frame = taker
    straight.push(ramp(1))

    assert [len(frame) for frame in taker.offered] == [3]
