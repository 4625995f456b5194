"""By how much a stream must be shortened."""

import pytest

from bridge.legs.device.tempo import MOST_PPM, shorter_by
from bridge_codecs.drift import MAX_PPM


@pytest.mark.parametrize(
    ("drift_ppm", "too_much_ms", "ppm"),
    [
        (0, 0, 0),
        (200, 0, 200),
        (-200, 0, -200),
        (0, 1, 60),
        (0, -1, -60),
        (0, 1_000, MOST_PPM),
        (0, -1_000, -MOST_PPM),
        (400, 15, MAX_PPM),
        (-400, -15, -MAX_PPM),
    ],
)
def test_drift_is_taken_at_its_word_and_what_piled_up_is_worked_off(
    drift_ppm: float, too_much_ms: float, ppm: float
) -> None:
    assert shorter_by(drift_ppm, too_much_ms) == ppm
