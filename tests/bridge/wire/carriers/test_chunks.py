"""The order of a caller's audio: what follows comes at once, what is missing is silence, what is late is dropped."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.carriers.base import AudioIn, AudioMissing, CarrierEvent, CarrierWarning, Ignored
from bridge.wire.carriers.chunks import (
    MAX_MISSING_MS,
    MISFITS,
    RESTART_CHUNKS,
    WAIT_MS,
    ChunkOrder,
)

BYTES_PER_MS = 8
LATE = Ignored("late", "a chunk came again, or too late")


def ms_of(payload: bytes) -> float:
    return len(payload) / BYTES_PER_MS


def frame(number: int, ms: int = 20) -> bytes:
    return number.to_bytes(4, "big") * (ms * BYTES_PER_MS // 4)


def put(order: ChunkOrder, *numbers: int, ms: int = 20) -> list[CarrierEvent]:
    """Chunks with these numbers, each with the timestamp that belongs to it."""
    return [event for n in numbers for event in order.put(n, n * ms, frame(n, ms))]


def heard(events: list[CarrierEvent]) -> list[int | float]:
    """Numbers of the chunks heard, and as floats the ms of silence between them."""
    found: list[int | float] = []
    for event in events:
        if isinstance(event, AudioIn):
            found.append(int.from_bytes(event.payload[:4], "big"))
        elif isinstance(event, AudioMissing):
            found.append(event.ms)
    return found


# In order


@pytest.mark.parametrize("patience", [1, 5])
def test_chunks_in_order_come_out_at_once(patience: int) -> None:
    order = ChunkOrder(ms_of, patience)

    for number in range(7, 30):
        assert put(order, number) == [AudioIn(frame(number))]


def test_chunks_without_numbers_are_taken_to_be_in_order() -> None:
    order = ChunkOrder(ms_of, patience=5)

    for number in range(3):
        assert order.put(None, None, frame(number)) == [AudioIn(frame(number))]


def test_a_number_that_is_left_out_once_does_not_stop_the_others() -> None:
    order = ChunkOrder(ms_of)

    put(order, 1, 2)

    assert order.put(None, 40, frame(3)) == [AudioIn(frame(3))]
    assert heard(put(order, 3)) == [3]


def test_a_dropped_chunk_is_not_heard_and_not_missing() -> None:
    order = ChunkOrder(ms_of)

    put(order, 1)

    assert order.put(2, 40, frame(2), dropped=True) == []
    assert put(order, 3) == [AudioIn(frame(3))]


# What is missing


def test_a_gap_becomes_silence_of_its_length() -> None:
    order = ChunkOrder(ms_of)

    assert heard(put(order, 1, 2, 6, 7)) == [1, 2, 60.0, 6, 7]


def test_a_gap_without_timestamps_is_as_long_as_its_chunks() -> None:
    order = ChunkOrder(ms_of)

    order.put(1, None, frame(1))

    assert heard(order.put(4, None, frame(4))) == [40.0, 4]


def test_timestamps_that_make_no_sense_do_not_make_silence() -> None:
    order = ChunkOrder(ms_of)

    order.put(1, 0, frame(1))

    assert heard(order.put(3, 10**9, frame(3))) == [20.0, 3]


@pytest.mark.parametrize(
    ("clock_ms", "ms"), [(19, 40), (20, 20), (30, 30), (80, 80), (81, 40), (-5, 40)]
)
def test_timestamps_are_believed_from_half_to_twice_of_what_the_numbers_say(
    clock_ms: int, ms: float
) -> None:
    order = ChunkOrder(ms_of)

    order.put(1, 1_000, frame(1))

    assert heard(order.put(4, 1_020 + clock_ms, frame(4)))[0] == ms


@pytest.mark.parametrize(("missing", "ms"), [(99, 1_980.0), (100, 2_000.0), (101, MAX_MISSING_MS)])
def test_silence_for_one_gap_is_bounded(missing: int, ms: float) -> None:
    order = ChunkOrder(ms_of)

    put(order, 1)

    assert heard(put(order, 2 + missing))[0] == ms


# What is late


def test_a_repeated_chunk_and_one_from_before_are_late() -> None:
    order = ChunkOrder(ms_of)

    put(order, 1, 2, 3)

    assert put(order, 3) == [LATE]
    assert put(order, 1) == [LATE]
    assert heard(put(order, 4)) == [4]


def test_a_held_chunk_that_comes_again_is_late() -> None:
    order = ChunkOrder(ms_of, patience=5)

    assert put(order, 1, 3, 3)[1:] == [LATE]


def test_stragglers_never_come_through_while_newer_chunks_do() -> None:
    order = ChunkOrder(ms_of)
    put(order, 1_000)

    for number in range(1, 200):
        assert put(order, number) == [LATE]
        assert heard(put(order, 1_000 + number)) == [1_000 + number]


@pytest.mark.parametrize("back", [RESTART_CHUNKS, RESTART_CHUNKS + 1])
def test_a_carrier_that_counts_anew_is_heard_again_after_a_while(back: int) -> None:
    order = ChunkOrder(ms_of)
    put(order, 10**6)

    events = put(order, *range(1, back + 1))

    assert events[:RESTART_CHUNKS] == [LATE] * RESTART_CHUNKS
    assert heard(events) == list(range(RESTART_CHUNKS + 1, back + 1))


def test_late_chunks_are_counted_anew_after_one_in_order() -> None:
    order = ChunkOrder(ms_of)
    put(order, 1_000)
    put(order, *range(1, 30), 1_001, *range(30, 30 + RESTART_CHUNKS))

    assert heard(put(order, 30 + RESTART_CHUNKS)) == [30 + RESTART_CHUNKS]
    assert put(order, 1_002)[-1] == AudioIn(frame(1_002))


# What comes too early


def test_a_missing_chunk_is_waited_for_until_five_have_come_after_it() -> None:
    order = ChunkOrder(ms_of, patience=5)

    assert heard(put(order, 1, 3, 4, 5, 6)) == [1]
    assert heard(put(order, 2)) == [2, 3, 4, 5, 6]
    assert heard(put(order, 8, 9, 10, 11)) == []
    assert heard(put(order, 12)) == [20.0, 8, 9, 10, 11, 12]
    assert put(order, 7) == [LATE]


@pytest.mark.parametrize(("ms", "waits"), [(49, True), (50, False)])
def test_long_chunks_are_not_held_back_for_more_than_a_tenth_of_a_second(
    ms: int, waits: bool
) -> None:
    order = ChunkOrder(ms_of, patience=5)
    assert WAIT_MS == 2 * 50

    events = put(order, 1, 3, 4, ms=ms)

    assert (heard(events) == [1]) is waits


def test_at_the_end_what_is_held_comes_out() -> None:
    order = ChunkOrder(ms_of, patience=5)

    put(order, 1, 3, 6)

    assert heard(order.flush()) == [20.0, 3, 40.0, 6]
    assert order.flush() == []


@given(st.integers(0, 2**32), st.floats(0, 0.3))
def test_whatever_is_lost_and_swapped_order_is_kept_and_time_is_accounted_for(
    seed: int, loss: float
) -> None:
    source = random.Random(seed)
    kept = [0, *(n for n in range(1, 60) if source.random() >= loss)]
    swapped = sorted(kept, key=lambda n: n + source.uniform(0, 4) * (n > 0))
    order = ChunkOrder(ms_of, patience=5)

    events = [*put(order, *swapped), *order.flush()]
    numbers = [n for n in heard(events) if isinstance(n, int)]
    total_ms = sum(20 if isinstance(n, int) else n for n in heard(events))

    assert numbers == sorted(numbers)
    assert len(numbers) + events.count(LATE) == len(kept)
    assert total_ms == (max(kept) + 1) * 20


@given(st.lists(st.tuples(st.none() | st.integers(0, 12), st.none() | st.integers(0, 300))))
def test_any_numbers_end_in_events_and_little_is_held(
    chunks: list[tuple[int | None, int | None]],
) -> None:
    order = ChunkOrder(ms_of, patience=5)

    for number, timestamp in chunks:
        for event in order.put(number, timestamp, frame(1)):
            assert isinstance(event, AudioIn | AudioMissing | Ignored | CarrierWarning)
        assert len(order.flush()) <= 2 * 5


# Pieces that are not as long as they say


def warnings(steps_ms: list[int], frame_ms: int = 20) -> int:
    """How many warnings chunks of 20 ms give whose timestamps are so far apart."""
    order, timestamp, events = ChunkOrder(ms_of), 0, []
    for number, step_ms in enumerate([0, *steps_ms]):
        timestamp += step_ms
        events += order.put(number, timestamp, frame(number, frame_ms))
    return sum(isinstance(event, CarrierWarning) for event in events)


@pytest.mark.parametrize("step_ms", [10, 13, 31, 40])
def test_three_pieces_in_a_row_of_another_length_than_their_time_are_told_of_once(
    step_ms: int,
) -> None:
    assert warnings([step_ms] * (MISFITS - 1)) == 0
    assert warnings([step_ms] * MISFITS) == 1
    assert warnings([step_ms] * 100) == 1


@pytest.mark.parametrize("step_ms", [14, 19, 20, 21, 30])
def test_timestamps_that_are_a_little_off_are_fine(step_ms: int) -> None:
    assert warnings([step_ms] * 100) == 0


def test_misfits_must_come_in_a_row_and_in_the_same_direction() -> None:
    assert warnings([40, 40, 20] * 30) == 0
    assert warnings([40, 40, 5] * 30) == 0
    assert warnings([40, 0] * 30) == 0


def test_a_gap_is_no_misfit() -> None:
    order = ChunkOrder(ms_of)

    events = put(order, *range(0, 100, 3))

    assert not any(isinstance(event, CarrierWarning) for event in events)
