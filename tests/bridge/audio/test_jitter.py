"""The jitter buffer: order, time and patience, on a clock of the test's own."""

import copy
import functools
import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.audio.anchor import LEAP_S
from bridge.audio.jitter import CONCEALED_FRAMES, MAX_HELD, JitterBuffer
from bridge.audio.jitter_out import Lost, Packet, Release, Silence
from bridge.audio.lagging import LAGGING_S
from bridge.audio.lateness import PATIENCE_MAX_S, PATIENCE_MIN_S

FRAME = 960
FRAME_S = 0.02
CLOCK_HZ = 48_000


def packet(number: int = 0) -> bytes:
    """A packet of 20 ms that tells which it is."""
    return bytes([9 << 3]) + number.to_bytes(4, "big")


def number(release: Release) -> int | None:
    return int.from_bytes(release.payload[1:5], "big") if isinstance(release, Packet) else None


class Stream:
    """A buffer, what went out of it, and its clock."""

    def __init__(self, *, sequence: int = 100, timestamp: int = 5_000) -> None:
        self.buffer = JitterBuffer()
        self.out: list[Release] = []
        self.sequence = sequence
        self.timestamp = timestamp

    def tick(self, now_s: float) -> None:
        """Let time go on to `now_s`, as a timer would."""
        while (due_s := self.buffer.due_at) is not None and due_s < now_s:
            self.out += self.buffer.take(due_s)

    def put(self, index: int, at_s: float, *, skew: int = 0) -> None:
        """Packet `index` comes; `skew` moves its timestamp."""
        self.tick(at_s)
        self.buffer.put(
            (self.sequence + index) & 0xFFFF,
            (self.timestamp + FRAME * index + skew) & 0xFFFF_FFFF,
            packet(index),
            at_s,
        )
        self.out += self.buffer.take(at_s)

    def play(self, events: Iterable[tuple[float, int]]) -> None:
        for at_s, index in sorted(events):
            self.put(index, at_s)

    @property
    def numbers(self) -> list[int | None]:
        return [number(release) for release in self.out]

    @property
    def samples(self) -> int:
        return sum(release.n_samples for release in self.out)


def test_packets_in_order_go_out_at_once() -> None:
    stream = Stream()
    for index in range(10):
        stream.put(index, FRAME_S * index)
        assert stream.numbers == list(range(index + 1))
    assert stream.buffer.depth_ms == 0


def test_packets_out_of_order_are_put_in_order() -> None:
    stream = Stream()
    stream.play([(0.0, 0), (0.021, 2), (0.024, 1), (0.061, 3)])
    assert stream.numbers == [0, 1, 2, 3]
    assert stream.buffer.figures.lost_samples == 0


def test_a_lost_packet_is_concealed_from_its_successor_when_its_time_is_over() -> None:
    stream = Stream()
    events = [(FRAME_S * index, index) for index in range(60) if index != 50]
    stream.play(events)
    at = stream.numbers.index(None)
    assert stream.out[at] == Lost(FRAME, packet(51))
    assert [n for n in stream.numbers if n is not None] == [i for i in range(60) if i != 50]


def test_latency_is_as_before_after_a_lost_packet() -> None:
    stream = Stream()
    stream.play((FRAME_S * index, index) for index in range(200) if index != 50)
    assert stream.buffer.depth_ms == 0
    assert stream.numbers[-1] == 199


def test_a_packet_that_comes_after_its_time_is_dropped_and_counted() -> None:
    stream = Stream()
    stream.play((FRAME_S * index, index) for index in range(50))
    stream.put(51, FRAME_S * 51)
    stream.tick(FRAME_S * 51 + PATIENCE_MAX_S)
    stream.put(50, FRAME_S * 51 + PATIENCE_MAX_S)
    assert 50 not in stream.numbers
    assert stream.buffer.figures.late == 1


def test_a_packet_that_comes_again_is_dropped_whether_it_went_out_or_waits() -> None:
    stream = Stream()
    stream.put(0, 0.0)
    stream.put(0, 0.001)
    stream.put(2, 0.04)
    stream.put(2, 0.041)
    assert stream.buffer.figures.repeated == 2
    stream.put(1, 0.042)
    assert stream.numbers == [0, 1, 2]


def test_time_goes_on_when_nothing_comes_first_concealed_then_silent() -> None:
    stream = Stream()
    stream.put(0, 0.0)
    stream.tick(1.0)
    assert [type(release) for release in stream.out[: CONCEALED_FRAMES + 2]] == (
        [Packet] + [Lost] * CONCEALED_FRAMES + [Silence]
    )
    assert stream.samples / CLOCK_HZ == pytest.approx(1.0, abs=0.1)


def test_after_a_pause_of_the_sender_whose_clock_went_on_nothing_is_out_of_time() -> None:
    stream = Stream()
    stream.play((FRAME_S * i, i) for i in range(50))
    stream.tick(3.0)
    stream.play((FRAME_S * i, i) for i in range(150, 200))
    assert stream.samples == 200 * FRAME


def test_a_silence_that_the_sender_chose_is_known_by_its_numbers_and_waits_for_nobody() -> None:
    stream = Stream()
    stream.put(0, 0.0)
    stream.buffer.put(101, 5_000 + 3 * FRAME, packet(1), 0.041)
    stream.out += stream.buffer.take(0.041)
    assert stream.out[1:] == [Silence(2 * FRAME), Packet(packet(1), FRAME)]


@pytest.mark.parametrize("sequence", [65_530, 0, 65_535])
@pytest.mark.parametrize("timestamp", [(1 << 32) - 3 * FRAME, 0, (1 << 32) - 1])
def test_numbers_that_wrap_around_are_nothing_new(sequence: int, timestamp: int) -> None:
    stream = Stream(sequence=sequence, timestamp=timestamp)
    stream.play((FRAME_S * index, index) for index in range(50))
    assert stream.numbers == list(range(50))


@pytest.mark.parametrize("jitter_ms", [0, 20])
@pytest.mark.parametrize("loss", [0.0, 0.01, 0.05, 0.2])
@pytest.mark.parametrize("seed", range(3))
def test_what_goes_out_is_as_long_as_the_time_that_passed(
    loss: float, jitter_ms: int, seed: int
) -> None:
    rng = random.Random(f"{loss} {jitter_ms} {seed}")
    stream = Stream()
    stream.play(
        (FRAME_S * index + rng.uniform(0, jitter_ms / 1000), index)
        for index in range(500)
        if rng.random() >= loss or index == 0
    )
    stream.tick(10.0 + PATIENCE_MAX_S)
    went_s = stream.samples / CLOCK_HZ - (10.0 + PATIENCE_MAX_S - stream.buffer.patience_ms / 1000)
    assert abs(went_s) <= 0.02 + 1e-6


def test_patience_grows_with_jitter_to_its_bound_and_shrinks_again() -> None:
    stream = Stream()
    rng = random.Random(1)
    assert stream.buffer.patience_ms > 1000 * PATIENCE_MIN_S
    stream.play((FRAME_S * i, i) for i in range(100))
    assert stream.buffer.patience_ms == 1000 * PATIENCE_MIN_S
    stream.play((FRAME_S * i + rng.uniform(0, 0.12), i) for i in range(100, 600))
    grown_ms = stream.buffer.patience_ms
    assert 100 < grown_ms <= 1000 * PATIENCE_MAX_S
    stream.play((FRAME_S * i, i) for i in range(620, 1_400))
    assert stream.buffer.patience_ms == 1000 * PATIENCE_MIN_S


def test_patience_is_bounded_however_late_packets_come() -> None:
    stream = Stream()
    rng = random.Random(1)
    stream.play((FRAME_S * i + rng.uniform(0, 2.0), i) for i in range(2_000))
    assert stream.buffer.patience_ms <= 1000 * PATIENCE_MAX_S


@pytest.mark.parametrize("ppm", [-200, 200])
def test_a_sender_whose_clock_runs_otherwise_is_followed(ppm: int) -> None:
    stream = Stream()
    n = 10_000
    stream.play((FRAME_S * i * (1 + ppm * 1e-6), i) for i in range(n))
    assert stream.numbers == list(range(n))
    assert stream.buffer.patience_ms < 60


LONG = 3
"""Frames in one of the packets of an hour: 60 ms, so that there are fewer."""
HOUR_S = 3_600.0


def long_packet(number: int) -> bytes:
    return bytes([3 << 3]) + number.to_bytes(4, "big")


class LongStream(Stream):
    """Packets of 60 ms, of a sender whose clock is faster by `ppm`."""

    def __init__(self, ppm: float) -> None:
        super().__init__()
        self.pace = 1 - ppm * 1e-6
        self.n = 0

    def go_on(self, until_s: float, skew: int = 0) -> None:
        """What comes until then; `skew` moves all timestamps."""
        while (at_s := self.n * LONG * FRAME_S * self.pace) < until_s:
            timestamp = self.timestamp + self.n * LONG * FRAME + skew
            self.tick(at_s)
            self.buffer.put(
                (self.sequence + self.n) & 0xFFFF,
                timestamp & 0xFFFF_FFFF,
                long_packet(self.n),
                at_s,
            )
            self.out += self.buffer.take(at_s)
            self.n += 1


@functools.cache
def after(seconds: float, ppm: float) -> LongStream:
    """A stream that has lasted so long; to be copied."""
    stream = LongStream(ppm)
    stream.go_on(seconds)
    return stream


@pytest.mark.parametrize("ppm", [-200, 200])
def test_an_hour_of_another_clock_is_right_to_the_sample(ppm: int) -> None:
    stream = after(HOUR_S, ppm)
    assert stream.numbers == list(range(stream.n))
    assert stream.samples == stream.n * LONG * FRAME
    assert stream.samples / CLOCK_HZ == pytest.approx(HOUR_S * (1 + ppm * 1e-6), abs=0.07)
    assert stream.buffer.figures.resets == 0


@pytest.mark.parametrize(("ppm", "is_believed"), [(9_000, True), (13_000, False)])
def test_a_clock_is_believed_to_be_fast_but_not_faster_than_clocks_are(
    ppm: int, is_believed: bool
) -> None:
    assert (after(1_000.0, ppm).buffer.figures.resets == 0) is is_believed


def jumped(before_s: float, jump_s: float, ppm: float) -> tuple[dict[type[Release], float], int]:
    """What goes out, s, in ten seconds after a stream of this age leaps; and how often it was taken up anew."""
    stream = copy.copy(after(before_s, ppm))
    stream.buffer, stream.out = copy.deepcopy(stream.buffer), []
    stream.go_on(before_s + 10, round(jump_s * CLOCK_HZ))
    out = dict.fromkeys((Packet, Lost, Silence), 0.0)
    for each in stream.out:
        out[type(each)] += each.n_samples / CLOCK_HZ
    return out, stream.buffer.figures.resets


@pytest.mark.parametrize("ppm", [-200, 0, 200])
@pytest.mark.parametrize("jump_s", [0.5, 1.0, 1.2, 30.0, 600.0, -1.0, -30.0, -600.0])
def test_a_leap_after_an_hour_is_treated_as_one_after_ten_seconds(jump_s: float, ppm: int) -> None:
    frame_s = LONG * FRAME_S + 0.001
    early, n_early = jumped(10.0, jump_s, ppm)
    late, n_late = jumped(HOUR_S, jump_s, ppm)
    assert late == pytest.approx(early, abs=frame_s)
    assert n_late == n_early
    believed = 0 <= jump_s <= LEAP_S  # as far as a network may have brought it
    assert n_late == (0 if believed else 1)
    assert sum(late.values()) == pytest.approx(10 + jump_s * believed, abs=0.1)


def test_a_stream_that_is_late_for_good_is_taken_as_it_is() -> None:
    stream = Stream()
    stream.play((FRAME_S * i, i) for i in range(50))
    delay_s = 0.6
    stream.play((FRAME_S * i + delay_s, i) for i in range(50, 150))
    taken = [n for n in stream.numbers if n is not None]
    assert taken[-1] == 149
    assert stream.buffer.figures.resets == 1
    assert stream.samples / CLOCK_HZ == pytest.approx(150 * FRAME_S + delay_s, abs=0.05)


def test_a_burst_that_a_network_held_up_is_no_new_delay() -> None:
    stream = Stream()
    stream.play((FRAME_S * i, i) for i in range(50))
    stream.play((2.0 + i * 1e-4, i) for i in range(50, 100))
    stream.play((FRAME_S * i, i) for i in range(101, 150))
    assert stream.buffer.figures.resets == 0
    assert stream.samples == 150 * FRAME


@pytest.mark.parametrize("leap", [3 * CLOCK_HZ, 1_000_000_000, -1_000_000_000, -3 * CLOCK_HZ])
def test_a_stream_that_sets_its_clock_anew_is_heard_again_soon(leap: int) -> None:
    stream = Stream()
    stream.play((FRAME_S * i, i) for i in range(50))
    for index in range(50, 150):
        stream.put(index, FRAME_S * index, skew=leap)
    assert stream.numbers[-1] == 149
    heard = [n for n in stream.numbers if n is not None and n >= 50]
    assert heard[0] <= 50 + LAGGING_S / FRAME_S + 1
    assert stream.samples / CLOCK_HZ == pytest.approx(150 * FRAME_S, abs=0.05)


@pytest.mark.parametrize("per_s", [500, 5_000])
@pytest.mark.parametrize("step", [1, 40])
def test_a_sender_that_runs_ahead_of_time_gets_a_few_times_its_time(per_s: int, step: int) -> None:
    stream = Stream()
    for n in range(2 * per_s):
        stream.put(n * step, n / per_s)
    assert stream.samples / CLOCK_HZ <= 4 * 2.0 + LEAP_S
    assert stream.buffer.figures.early > 0


@pytest.mark.parametrize("held_up_s", [0.1, 0.9])
def test_a_sender_whose_first_packets_were_held_up_is_heard_in_one_piece(held_up_s: float) -> None:
    stream = Stream()
    stream.play((max(FRAME_S * i, held_up_s + 1e-4 * i), i) for i in range(150))
    assert stream.numbers == list(range(150))
    assert stream.buffer.figures.resets == 0


def test_another_stream_goes_on_in_one_piece() -> None:
    stream = Stream()
    stream.play((FRAME_S * i, i) for i in range(50))
    stream.tick(1.5)
    stream.buffer.other_stream()
    stream.timestamp = 3_000_000_000
    stream.play((FRAME_S * i, i) for i in range(75, 125))
    assert stream.numbers[-1] == 124
    assert stream.samples / CLOCK_HZ == pytest.approx(2.5, abs=0.03)


def test_more_than_can_wait_does_not_wait() -> None:
    stream = Stream()
    stream.put(0, 0.0)
    for index in range(2, 2 + MAX_HELD):
        stream.put(index, 0.001)
    assert stream.numbers[1] is None


def test_what_is_no_packet_counts_as_not_come() -> None:
    buffer = JitterBuffer()
    for payload in (b"", b"\x03"):
        buffer.put(1, 1, payload, 0.0)
    assert buffer.take(0.0) == []
    assert buffer.due_at is None
    assert buffer.figures.bad == 2


def test_packets_of_other_lengths_are_as_long_as_they_say() -> None:
    stream = Stream()
    stream.buffer.put(100, 0, bytes([8 << 3, 0]), 0.0)  # 10 ms
    stream.buffer.put(101, 480, bytes([11 << 3, 0]), 0.01)  # 60 ms
    out = stream.buffer.take(0.01)
    assert [release.n_samples for release in out] == [480, 2_880]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 0xFFFF),
            st.integers(0, 0xFFFF_FFFF),
            st.binary(max_size=6),
            st.floats(0, 0.5),
        ),
        max_size=40,
    )
)
def test_no_packets_at_all_make_it_fail_or_time_run_away(
    packets: list[tuple[int, int, bytes, float]],
) -> None:
    buffer, now_s, out = JitterBuffer(), 0.0, 0
    began_s: float | None = None
    for sequence, timestamp, payload, after_s in packets:
        now_s += after_s
        buffer.put(sequence, timestamp, payload, now_s)
        taken = buffer.take(now_s)
        assert all(release.n_samples > 0 for release in taken)
        assert sum(isinstance(release, Lost) for release in taken) <= CONCEALED_FRAMES * (
            MAX_HELD + 1
        )
        out += sum(release.n_samples for release in taken)
        if began_s is None and buffer.due_at is not None:
            began_s = now_s
    if began_s is not None:
        # Packets up to a second ahead of their time are taken at their word, and never more than once.
        assert out / CLOCK_HZ <= now_s - began_s + (LEAP_S + 0.12) * (len(packets) + 1)
        assert out / CLOCK_HZ >= now_s - began_s - PATIENCE_MAX_S - 0.12 - LEAP_S * len(packets)


def test_what_is_missing_is_counted_by_the_numbers_that_were_passed_over() -> None:
    stream = Stream(sequence=65_530)  # the numbers wrap around
    stream.play((FRAME_S * n, n) for n in range(30) if n not in (4, 11, 12))
    figures = stream.buffer.figures
    assert (figures.missing, figures.missing_samples) == (3, 3 * FRAME)
    assert figures.depth_max_ms == pytest.approx(40, abs=25)


def test_a_packet_that_comes_too_late_was_missing_and_one_that_comes_again_was_not() -> None:
    stream = Stream()
    stream.play([*((FRAME_S * n, n) for n in range(30) if n != 4), (0.5, 4), (0.51, 20)])
    figures = stream.buffer.figures
    assert (figures.missing, figures.late, figures.repeated) == (1, 1, 1)


def test_a_sender_that_was_silent_or_counts_anew_has_lost_nothing() -> None:
    stream = Stream()
    stream.play((FRAME_S * n, n) for n in range(10))
    for index in range(10):  # half a second later, its numbers in a row
        stream.sequence = 100 - 25
        stream.put(35 + index, 0.7 + FRAME_S * index)
    stream.sequence = 40_000
    for index in range(10):
        stream.put(45 + index, 0.9 + FRAME_S * index)
    assert stream.buffer.figures.missing == 0


def test_numbers_of_another_stream_say_nothing_of_what_is_missing() -> None:
    stream = Stream()
    stream.play((FRAME_S * n, n) for n in range(10))
    stream.buffer.other_stream()
    stream.sequence += 500
    stream.play((FRAME_S * n, n) for n in range(10, 20))
    assert stream.buffer.figures.missing == 0
