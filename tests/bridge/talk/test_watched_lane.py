"""A watched lane behaves as a lane, and shows what passes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.lane import Lane
from bridge.talk.watched_lane import WatchedLane
from bridge_codecs.pcm import Int16

_STEPS = st.lists(
    st.tuples(st.sampled_from(("push", "pull", "padded", "end", "clear")), st.integers(0, 50)),
    max_size=40,
)


@given(_STEPS)
def test_it_gives_what_a_lane_gives_and_shows_just_that(steps: list[tuple[str, int]]) -> None:
    plain, watched = Lane(8_000, 10, "drop_newest"), WatchedLane(8_000, 10, "drop_newest")
    come: list[Int16] = []
    gone: list[Int16] = []
    taken: list[Int16] = []
    watched.on_come, watched.on_gone = come.append, gone.append
    at = 1
    for what, n in steps:
        match what:
            case "push":
                samples = np.arange(at, at + n, dtype=np.int16)
                at += n
                plain.push(samples)
                watched.push(samples)
            case "pull":
                taken.append(watched.pull(n))
                assert np.array_equal(plain.pull(n), taken[-1])
            case "padded":
                padded = watched.pull_padded(n)
                taken.append(padded[padded > 0])
                assert np.array_equal(plain.pull_padded(n), padded)
            case "end":
                plain.end_segment()
                watched.end_segment()
            case "clear":
                assert plain.clear() == watched.clear()

    assert sum(each.size for each in come) == at - 1
    assert np.array_equal(np.concatenate([*gone, []]), np.concatenate([*taken, []]))
    assert plain.stats == watched.stats
