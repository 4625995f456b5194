"""Reframing: any chunks in, frames of one size out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.reframe import Reframer


@given(st.integers(1, 50), st.lists(st.integers(0, 120), max_size=30))
def test_frames_and_the_rest_are_the_chunks_in_order(n_samples: int, sizes: list[int]) -> None:
    stream = np.arange(sum(sizes), dtype=np.int16)
    reframer = Reframer(n_samples)

    frames = []
    at = 0
    for size in sizes:
        frames += reframer.push(stream[at : at + size])
        at += size
        assert reframer.pending == at % n_samples
    rest = reframer.flush()

    assert all(frame.size == n_samples for frame in frames)
    tail = [] if rest is None else [rest]
    assert np.array_equal(np.concatenate([stream[:0], *frames, *tail]), stream)


def test_flush_of_whole_frames_is_none() -> None:
    reframer = Reframer(4)
    reframer.push(np.zeros(8, np.int16))

    assert reframer.flush() is None


def test_flush_leaves_nothing_pending() -> None:
    reframer = Reframer(4)
    reframer.push(np.zeros(3, np.int16))
    reframer.flush()

    assert reframer.pending == 0


def test_rest_does_not_keep_a_large_chunk_alive() -> None:
    reframer = Reframer(4)
    chunk = np.zeros(7, np.int16)
    reframer.push(chunk)

    rest = reframer.flush()

    assert rest is not None
    assert not np.shares_memory(rest, chunk)


def test_frame_of_no_samples_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Reframer(0)
