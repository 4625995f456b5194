"""Audio between two threads: positions, bounds, and what a callback may cost."""

import threading
import tracemalloc

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.legs.device.crossing import Block, BlockLog, Crossing
from bridge.legs.device.host import Device, StreamAsk
from bridge.legs.device.line import InputLine, OutputLine
from bridge_codecs.pcm import Int16

ASK = StreamAsk(Device(0, "any", "Fake", 2, 2, 48_000), 48_000, 2, 480)


def column(*values: int) -> Int16:
    return np.array(values, np.int16)[:, np.newaxis]


@given(st.lists(st.tuples(st.sampled_from(["write", "take", "into", "drop"]), st.integers(0, 40))))
@settings(max_examples=200, deadline=None)
def test_what_comes_out_is_what_went_in_less_what_was_dropped(steps: list[tuple[str, int]]) -> None:
    crossing, model, count = Crossing(32), list[int](), 0
    held = 0  # room is given back when something is taken, not when it is dropped
    for step, n in steps:
        if step == "write":
            values = list(range(count + 1, count + n + 1))
            count += n
            fits = min(n, 32 - held)
            crossing.write(np.array(values, np.int16)[:, np.newaxis])
            model += values[:fits]
            held += fits
        elif step == "take":
            assert crossing.take()[:, 0].tolist() == model
            model, held = [], 0
        elif step == "into":
            block = np.full((n, 1), -1, np.int16)
            taken = crossing.take_into(block)
            assert taken == min(n, len(model))
            assert block[:, 0].tolist() == model[:taken] + [0] * (n - taken)
            model, held = model[taken:], len(model) - taken
        else:
            assert crossing.drop() == len(model)
            model = []
        assert crossing.depth == len(model)


def test_what_does_not_fit_is_lost_and_counted() -> None:
    crossing = Crossing(4)
    crossing.write(column(1, 2, 3, 4))
    assert (crossing.lost, crossing.overflows) == (0, 0)
    crossing.write(column(5))
    assert (crossing.lost, crossing.overflows) == (1, 1)
    assert crossing.take()[:, 0].tolist() == [1, 2, 3, 4]


def test_one_channel_fills_two_and_leaves_the_others_silent() -> None:
    crossing = Crossing(8)
    crossing.write(column(7, 8))
    block = np.full((3, 7), 99, np.int16)
    assert crossing.take_into(block) == 2
    assert block.tolist() == [[7, 7, 0, 0, 0, 0, 0], [8, 8, 0, 0, 0, 0, 0], [0] * 7]


def test_two_threads_lose_nothing_and_mix_nothing_up() -> None:
    crossing, got = Crossing(5_000), list[Int16]()
    values = np.arange(40_000).astype(np.int16)
    done = threading.Event()

    def write() -> None:
        at = 0
        while at < values.size:
            n = min(97, values.size - at, crossing.size - crossing.depth)
            crossing.write(values[at : at + n, np.newaxis])
            at += n
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    while not done.is_set() or crossing.depth:
        got.append(crossing.take()[:, 0])
    thread.join()
    assert np.array_equal(np.concatenate(got), values)
    assert not crossing.lost


def test_a_log_gives_each_call_once_and_in_order() -> None:
    log = BlockLog()
    for k in range(3):
        log.row()[:] = k
        log.noted()
    assert [block.n for block in log.take()] == [0, 1, 2]
    assert log.take() == []


def test_a_log_that_nobody_reads_keeps_the_newest() -> None:
    log = BlockLog()
    for k in range(2_000):
        log.row()[:] = k
        log.noted()
    blocks = log.take()
    assert 500 <= len(blocks) < 2_000
    assert [block.n for block in blocks] == list(range(2_000 - len(blocks), 2_000))
    assert isinstance(blocks[0], Block)


def test_the_callbacks_keep_no_memory_and_make_no_arrays() -> None:
    microphone, loudspeaker = InputLine(ASK), OutputLine(ASK)
    block = np.zeros((480, 2), np.int16)
    for line in (microphone, loudspeaker):
        line(block, 1.0, 1.0, False)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for k in range(400):
            microphone(block, k * 0.01, k * 0.01, False)
            loudspeaker(block, k * 0.01, k * 0.01, False)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A view of an array and a few numbers at a time; a block alone has 1,920 bytes.
    assert peak - before < 1_500
    assert after - before < 500
