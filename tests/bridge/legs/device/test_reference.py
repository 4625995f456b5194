"""What the loudspeaker's device took, in step with the microphone."""

import numpy as np

from bridge.legs.device.reference import ROOM_S, Reference
from bridge_codecs.pcm import Int16

RATE_HZ = 16_000
FRAME = 160


def tone(n: int, first: int = 1) -> Int16:
    return np.arange(first, first + n).astype(np.int16)


def test_audio_is_read_where_it_was_written() -> None:
    reference = Reference(RATE_HZ)
    reference.take(10.0, FRAME)
    reference.put(10.02, tone(200))
    assert not reference.take(10.01, FRAME).any()
    assert np.array_equal(reference.take(10.02, FRAME), tone(160))
    assert np.array_equal(reference.take(10.03, FRAME)[:40], tone(40, 161))
    assert not reference.take(10.04, FRAME).any()


def test_pieces_with_a_little_jitter_follow_each_other_without_a_seam() -> None:
    reference = Reference(RATE_HZ)
    reference.take(0.0, FRAME)
    for k in range(10):
        reference.put(0.02 + k * 0.01 + (0.004 if k % 2 else -0.004) * (k > 0), tone(160, 160 * k))
    got = [reference.take(0.01 + k * 0.01, FRAME) for k in range(11)]
    assert np.array_equal(np.concatenate(got[1:]), tone(1_600, 0))


def test_a_pause_is_silence() -> None:
    reference = Reference(RATE_HZ)
    reference.take(0.0, FRAME)
    reference.put(0.01, tone(160))
    reference.put(0.03, tone(160))
    frames = [reference.take(0.01 * k, FRAME).any() for k in range(1, 5)]
    assert frames == [True, False, True, False]


def test_what_was_cleared_is_not_heard() -> None:
    reference = Reference(RATE_HZ)
    reference.take(0.0, FRAME)
    reference.put(0.01, tone(1_600))
    reference.forget_from(0.02)
    assert reference.take(0.01, FRAME).all()
    assert not any(reference.take(0.01 * k, FRAME).any() for k in range(2, 14))
    reference.put(0.15, tone(160))
    assert np.array_equal(reference.take(0.15, FRAME), tone(160))


def test_nothing_is_kept_before_the_microphone_runs() -> None:
    reference = Reference(RATE_HZ)
    reference.put(0.0, tone(1_600))
    assert not reference.take(0.0, FRAME).any()


def test_what_is_too_late_or_too_early_does_no_harm() -> None:
    reference = Reference(RATE_HZ)
    reference.take(100.0, FRAME)
    reference.put(99.0, tone(160))
    reference.put(100.0 + 2 * ROOM_S, tone(160))
    reference.put(100.0, tone(320))  # its first half is over
    assert np.array_equal(reference.take(100.01, FRAME), tone(160, 161))


def test_a_microphone_that_was_away_begins_anew() -> None:
    reference = Reference(RATE_HZ)
    reference.take(0.0, FRAME)
    reference.put(0.01, tone(160))
    assert not reference.take(60.0, FRAME).any()
    reference.put(60.02, tone(160))
    assert np.array_equal(reference.take(60.02, FRAME), tone(160))
