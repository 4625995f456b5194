"""Two sides of a call on one time axis."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.stereo import StereoAligner
from bridge_codecs.pcm import Int16


def level(value: int, n: int) -> Int16:
    return np.full(n, value, np.int16)


def test_right_stands_where_it_was_placed() -> None:
    aligner = StereoAligner(1_000)
    aligner.left(level(1, 10))
    aligner.right(level(2, 3), at=4)

    stereo = aligner.drain()

    assert stereo.dtype == np.int16
    assert stereo[:, 0].tolist() == [1] * 10
    assert stereo[:, 1].tolist() == [0, 0, 0, 0, 2, 2, 2, 0, 0, 0]


def test_drain_goes_as_far_as_left_has_come() -> None:
    aligner = StereoAligner(1_000)
    aligner.right(level(2, 6), at=0)
    aligner.left(level(1, 4))

    assert aligner.drain().tolist() == [[1, 2]] * 4
    aligner.left(level(1, 4))
    assert aligner.drain().tolist() == [[1, 2], [1, 2], [1, 0], [1, 0]]


def test_piece_that_overlaps_the_last_one_is_pushed_to_its_end() -> None:
    aligner = StereoAligner(1_000)
    aligner.left(level(1, 6))
    aligner.right(level(2, 3), at=0)
    aligner.right(level(3, 2), at=1)

    assert aligner.drain()[:, 1].tolist() == [2, 2, 2, 3, 3, 0]


def test_piece_for_a_position_already_drained_begins_now() -> None:
    aligner = StereoAligner(1_000)
    aligner.left(level(1, 5))
    aligner.drain()
    aligner.right(level(2, 2), at=1)
    aligner.left(level(1, 3))

    assert aligner.drain()[:, 1].tolist() == [2, 2, 0]


def test_cut_drops_what_lies_after_it() -> None:
    aligner = StereoAligner(1_000)
    aligner.left(level(1, 4))
    aligner.right(level(2, 8), at=0)
    aligner.cut_right(2)
    aligner.right(level(3, 1), at=3)

    assert aligner.drain()[:, 1].tolist() == [2, 2, 0, 3]


def test_cut_before_the_drained_position_takes_all_that_is_left() -> None:
    aligner = StereoAligner(1_000)
    aligner.left(level(1, 4))
    aligner.right(level(2, 8), at=0)
    aligner.drain()
    aligner.cut_right(1)
    aligner.left(level(1, 2))

    assert aligner.drain()[:, 1].tolist() == [0, 0]


def test_cut_behind_everything_placed_changes_nothing() -> None:
    aligner = StereoAligner(1_000)
    aligner.right(level(2, 2), at=0)
    aligner.cut_right(5)

    assert aligner.finish()[:, 1].tolist() == [2, 2]


def test_finish_pads_left_to_the_end_of_right() -> None:
    aligner = StereoAligner(1_000)
    aligner.left(level(1, 2))
    aligner.right(level(2, 3), at=1)

    assert aligner.finish().tolist() == [[1, 0], [1, 2], [0, 2], [0, 2]]
    assert aligner.finish().shape == (0, 2)


def test_right_up_to_the_bound_is_kept_and_beyond_is_dropped() -> None:
    aligner = StereoAligner(1_000, max_ms=10)
    aligner.right(level(2, 10), at=0)
    assert aligner.dropped == 0

    aligner.right(level(3, 2), at=10)
    assert aligner.dropped == 2
    assert aligner.finish()[:, 1].tolist() == [2] * 10


def test_right_placed_far_ahead_costs_no_memory() -> None:
    aligner = StereoAligner(8_000)
    before = aligner.nbytes
    aligner.right(level(2, 160), at=10**12)

    assert aligner.dropped == 160
    assert aligner.nbytes == before


def test_when_nobody_drains_the_oldest_positions_give_way() -> None:
    aligner = StereoAligner(1_000, max_ms=10)
    aligner.right(level(2, 10), at=0)
    aligner.left(level(1, 8))
    aligner.left(level(3, 25))

    assert aligner.position == 33
    assert aligner.dropped == 23
    assert aligner.drain().tolist() == [[3, 0]] * 10


def test_aligner_that_can_hold_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot align"):
        StereoAligner(8_000, max_ms=0)


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["left", "right", "right", "cut", "drain"]),
        st.integers(0, 40),
        st.integers(0, 300),
    ),
    max_size=60,
)


@given(ACTS)
def test_recording_is_what_a_plain_model_says(acts: list[tuple[str, int, int]]) -> None:
    aligner = StereoAligner(1_000)
    left: list[int] = []
    right: dict[int, int] = {}
    right_end = drained = 0
    parts = []
    for value, (act, n, at) in enumerate(acts, start=1):
        match act:
            case "left":
                aligner.left(level(value, n))
                left += [value] * n
            case "right":
                aligner.right(level(value, n), at)
                if n:
                    start = max(at, right_end, drained)
                    right |= dict.fromkeys(range(start, start + n), value)
                    right_end = start + n
            case "cut":
                aligner.cut_right(at)
                keep = max(at, drained)
                right = {place: what for place, what in right.items() if place < keep}
                right_end = min(right_end, keep)
            case _:
                parts.append(aligner.drain())
                drained = len(left)
    parts.append(aligner.finish())

    stereo = np.concatenate(parts)

    end = max(len(left), right_end)
    assert stereo[:, 0].tolist() == left + [0] * (end - len(left))
    assert stereo[:, 1].tolist() == [right.get(place, 0) for place in range(end)]


def test_a_drain_may_hold_back_the_latest_samples() -> None:
    aligner = StereoAligner(8_000)
    aligner.left(np.arange(100, dtype=np.int16))

    assert aligner.drain(hold=100).shape == (0, 2)
    assert aligner.drain(hold=60).shape == (40, 2)
    aligner.right(np.ones(10, np.int16), at=50)
    assert aligner.right_end == 60
    rest = aligner.finish()
    assert np.array_equal(rest[:, 0], np.arange(40, 100))
    assert np.flatnonzero(rest[:, 1]).tolist() == list(range(10, 20))
