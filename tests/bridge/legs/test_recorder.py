import numpy as np
import pytest

from bridge.legs.recorder import CallRecorder
from bridge_codecs.pcm import Int16


class Sink:
    def __init__(self) -> None:
        self.frames: list[Int16] = []
        self.closed = False

    def write(self, frames: Int16) -> None:
        assert frames.ndim == 2
        assert frames.shape[1] == 2
        assert frames.shape[0] > 0
        self.frames.append(frames)

    async def close(self) -> None:
        self.closed = True

    @property
    def left(self) -> Int16:
        return np.concatenate(self.frames)[:, 0]

    @property
    def right(self) -> Int16:
        return np.concatenate(self.frames)[:, 1]


def ramp(n_samples: int, start: int = 1) -> Int16:
    return np.arange(start, start + n_samples).astype(np.int16)


def tone(n_samples: int, rate_hz: int) -> Int16:
    return (8_000 * np.sin(2 * np.pi * 300 * np.arange(n_samples) / rate_hz)).astype(np.int16)


def loud(samples: Int16) -> tuple[int, int]:
    """The first and one after the last sample that is clearly no silence."""
    at = np.flatnonzero(np.abs(samples.astype(int)) > 400)
    return int(at[0]), int(at[-1]) + 1


def hear(recorder: CallRecorder, n_samples: int) -> None:
    for _ in range(n_samples // 160):
        recorder.heard(np.ones(160, np.int16))


async def test_the_caller_is_left_the_agent_right_each_where_it_sounded() -> None:
    sink = Sink()
    recorder = CallRecorder(sink, rate_hz=8_000, agent_hz=8_000)
    recorder.heard(ramp(1_600))
    recorder.sent(ramp(160), plays_in_s=0.05)
    recorder.sent(ramp(160, 161), plays_in_s=None)
    recorder.heard(ramp(1_600, 1_601))
    await recorder.close()

    assert np.array_equal(sink.left, ramp(3_200))
    assert np.array_equal(sink.right[2_000:2_320], ramp(320))
    assert not sink.right[:2_000].any()
    assert not sink.right[2_320:].any()
    assert sink.closed


async def test_what_came_in_is_written_200_ms_later() -> None:
    sink = Sink()
    recorder = CallRecorder(sink, rate_hz=8_000, agent_hz=8_000)
    recorder.heard(ramp(1_600))
    assert sink.frames == []
    recorder.heard(ramp(160, 1_601))

    assert np.array_equal(sink.left, ramp(160))
    await recorder.close()
    assert np.array_equal(sink.left, ramp(1_760))


async def test_jitter_of_the_callers_frames_tears_no_hole_into_a_word() -> None:
    sink = Sink()
    recorder = CallRecorder(sink, rate_hz=8_000, agent_hz=8_000)
    recorder.sent(ramp(160), plays_in_s=0.0)
    for number, heard in enumerate((0, 480, 0, 0, 320, 160), 1):  # in bursts
        if heard:
            recorder.heard(np.zeros(heard, np.int16))
        recorder.sent(ramp(160, 160 * number + 1), plays_in_s=None)
    await recorder.close()

    assert np.array_equal(sink.right[: 7 * 160], ramp(7 * 160))


async def test_a_cleared_sentence_ends_where_the_caller_stopped_hearing_it() -> None:
    sink = Sink()
    recorder = CallRecorder(sink, rate_hz=8_000, agent_hz=8_000)
    recorder.sent(ramp(16_000), plays_in_s=0.0)
    hear(recorder, 4_800)
    recorder.cleared(unplayed_s=16_000 / 8_000 - 0.6)
    hear(recorder, 16_000)
    await recorder.close()

    assert np.array_equal(sink.right[:4_800], ramp(4_800))
    assert not sink.right[4_800:].any()


async def test_what_follows_a_clear_begins_when_it_sounds() -> None:
    sink = Sink()
    recorder = CallRecorder(sink, rate_hz=8_000, agent_hz=8_000)
    recorder.sent(ramp(8_000), plays_in_s=0.0)
    hear(recorder, 1_600)
    recorder.cleared(unplayed_s=0.8)
    hear(recorder, 800)
    recorder.sent(ramp(160), plays_in_s=0.0)
    hear(recorder, 1_600)
    await recorder.close()

    assert not sink.right[1_600:2_400].any()
    assert np.array_equal(sink.right[2_400:2_560], ramp(160))


async def test_the_end_of_the_call_cuts_what_nobody_heard() -> None:
    sink = Sink()
    recorder = CallRecorder(sink, rate_hz=8_000, agent_hz=8_000)
    recorder.sent(ramp(8_000), plays_in_s=0.0)
    hear(recorder, 1_600)
    recorder.cleared(unplayed_s=0.8)
    await recorder.close()

    assert sink.right.size == 1_600


@pytest.mark.parametrize("agent_hz", [16_000, 24_000, 48_000])
async def test_the_agents_own_rate_moves_no_edge_by_more_than_a_millisecond(agent_hz: int) -> None:
    sink = Sink()
    recorder = CallRecorder(sink, rate_hz=8_000, agent_hz=agent_hz)
    hear(recorder, 800)
    n_frame = agent_hz // 50
    sound = tone(10 * n_frame, agent_hz)
    for number, frame in enumerate(np.split(sound, 10)):
        recorder.sent(frame, plays_in_s=None if number else 0.1)
    hear(recorder, 8_000)
    await recorder.close()

    first, last = loud(sink.right)
    assert first == pytest.approx(1_600, abs=8)
    assert last == pytest.approx(1_600 + 1_600, abs=8)
    # And in phase: the tone lies where it lay at its own rate.
    expected = tone(1_600, 8_000)
    assert np.abs(sink.right[1_600:3_200].astype(int)[80:-80] - expected[80:-80]).max() < 800


async def test_the_tail_of_a_stretch_rings_out_in_it_and_not_in_the_next() -> None:
    sink = Sink()
    recorder = CallRecorder(sink, rate_hz=8_000, agent_hz=48_000)
    recorder.sent(np.full(960, 9_000, np.int16), plays_in_s=0.0)
    hear(recorder, 4_000)
    recorder.sent(np.zeros(960, np.int16), plays_in_s=0.0)
    hear(recorder, 4_000)
    await recorder.close()

    first, last = loud(sink.right)
    assert last - first == pytest.approx(160, abs=24)
    assert last < 300
    assert not sink.right[300:].any()


async def test_a_clear_at_another_rate_leaves_what_was_heard() -> None:
    sink = Sink()
    recorder = CallRecorder(sink, rate_hz=8_000, agent_hz=24_000)
    recorder.sent(np.full(24_000, 9_000, np.int16), plays_in_s=0.0)
    hear(recorder, 4_000)
    recorder.cleared(unplayed_s=0.5)
    hear(recorder, 8_000)
    await recorder.close()

    assert loud(sink.right)[1] == pytest.approx(4_000, abs=16)


async def test_a_caller_that_stopped_sending_loses_nothing_the_agent_said() -> None:
    sink = Sink()
    recorder = CallRecorder(sink, rate_hz=8_000, agent_hz=8_000)
    hear(recorder, 800)
    recorder.sent(ramp(8_000), plays_in_s=0.0)
    recorder.cleared(unplayed_s=0.0)
    await recorder.close()

    assert np.array_equal(sink.right[800:], ramp(8_000))
    assert not sink.left[800:].any()
