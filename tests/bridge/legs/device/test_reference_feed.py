"""From the loudspeaker to the canceller's reference."""

import numpy as np
import pytest

from bridge.legs.device.reference import Reference
from bridge.legs.device.reference_feed import ReferenceFeed

CALL_HZ = 24_000
WORK_HZ = 16_000


def loud(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.full(round(seconds * CALL_HZ), 9_000, np.int16)


def test_what_is_taken_is_found_at_its_instant_and_rate() -> None:
    reference = Reference(WORK_HZ)
    reference.take(1.0, 1)  # the microphone has begun
    feed = ReferenceFeed(reference, CALL_HZ)
    feed.put(loud(0.1), 1.2, 0.0)
    before, inside = reference.take(1.1, 1_600), reference.take(1.2, 1_600)
    assert not before.any()
    assert np.count_nonzero(inside > 8_000) == pytest.approx(1_600, abs=60)


def test_a_clock_that_is_off_makes_it_longer() -> None:
    reference = Reference(WORK_HZ)
    reference.take(1.0, 1)
    feed = ReferenceFeed(reference, CALL_HZ)
    for k in range(10):
        feed.put(loud(0.1), 1.1 + 0.1 * k, 1_000.0)
    assert np.count_nonzero(reference.take(1.1, 32_000) > 8_000) > 16_000 - 60


def test_what_is_not_taken_any_more_is_forgotten() -> None:
    reference = Reference(WORK_HZ)
    reference.take(1.0, 1)
    feed = ReferenceFeed(reference, CALL_HZ)
    feed.put(loud(0.2), 1.1, 0.0)
    feed.forget_from(1.2)
    feed.reset()
    assert reference.take(1.1, 1_600).any()
    assert not reference.take(1.2, 1_600).any()
