"""The ring under lane and recorder: first in, first out, memory with use."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.ring import SHRINK_FACTOR, START_MS, Ring

ACTS = st.lists(
    st.tuples(st.sampled_from(["write", "read", "skip", "cut"]), st.integers(0, 400)), max_size=60
)


@given(ACTS)
def test_ring_does_what_a_list_does(acts: list[tuple[str, int]]) -> None:
    ring = Ring(100, 1_000)
    model: list[int] = []
    head = count = 0
    for act, size in acts:
        n = min(size, 1_000 - len(model) if act == "write" else len(model))
        match act:
            case "write":
                fresh = [(count + k) % 30_000 for k in range(n)]
                count += n
                ring.write(np.array(fresh, np.int16))
                model += fresh
            case "read":
                assert ring.read(n).tolist() == model[:n]
                model = model[n:]
                head += n
            case "skip":
                ring.skip(n)
                model = model[n:]
                head += n
            case _:
                ring.cut(n)
                model = model[: len(model) - n]

        assert (ring.depth, ring.head, ring.tail) == (len(model), head, head + len(model))

    assert ring.read(ring.depth).tolist() == model


def test_what_was_read_in_parts_is_a_copy() -> None:
    ring = Ring(8_000, 8_000)
    ring.write(np.ones(20, np.int16))
    taken = ring.read(10)

    ring.write(np.full(ring.nbytes // 2 - 10, 2, np.int16))

    assert taken.tolist() == [1] * 10


def test_a_frame_that_is_taken_whole_passes_without_a_copy() -> None:
    ring = Ring(8_000, 8_000)
    frame = np.ones(160, np.int16)
    ring.write(frame)

    assert ring.read(160) is frame


def test_a_ring_that_only_passes_frames_on_holds_no_memory() -> None:
    ring = Ring(8_000, 8_000)
    for _ in range(3):
        ring.write(np.ones(160, np.int16))
        ring.read(160)

    assert ring.nbytes == 0


def test_memory_grows_with_use_only() -> None:
    ring = Ring(8_000, 32 * 8_000)
    ring.write(np.ones(160, np.int16))
    ring.write(np.ones(160, np.int16))

    assert ring.nbytes == 2 * 8 * START_MS


def test_memory_never_exceeds_the_bound() -> None:
    ring = Ring(8_000, 32 * 8_000)
    for _ in range(32):
        ring.write(np.zeros(8_000, np.int16))

    assert ring.nbytes == 2 * 32 * 8_000


def test_a_ring_that_ran_dry_gives_its_memory_back() -> None:
    ring = Ring(8_000, 32 * 8_000)
    n = (SHRINK_FACTOR + 1) * 8 * START_MS
    ring.write(np.zeros(n, np.int16))
    ring.read(1)
    ring.read(n - 1)

    assert ring.nbytes == 2 * 8 * START_MS


def test_skip_beyond_the_content_moves_the_positions_on() -> None:
    ring = Ring(8_000, 8_000)
    ring.write(np.ones(10, np.int16))
    ring.skip(25)

    assert (ring.depth, ring.head, ring.tail) == (0, 25, 25)


def test_writing_up_to_the_bound_is_allowed() -> None:
    ring = Ring(100, 50)
    ring.write(np.zeros(50, np.int16))

    assert ring.depth == 50


def test_writing_beyond_the_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="bound of 50"):
        Ring(100, 50).write(np.zeros(51, np.int16))
