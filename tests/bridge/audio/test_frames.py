"""Frames: a stretch of audio and its place."""

import numpy as np
import pytest

from bridge.audio.frames import PcmFrame


def test_frame_ends_where_its_samples_end() -> None:
    frame = PcmFrame(np.zeros(160, np.int16), rate_hz=8_000, start=320)

    assert frame.end == 480


def test_160_samples_at_8_khz_last_20_ms() -> None:
    frame = PcmFrame(np.zeros(160, np.int16), rate_hz=8_000, start=0)

    assert frame.duration_ms == 20.0


def test_frame_without_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="0 Hz"):
        PcmFrame(np.zeros(1, np.int16), rate_hz=0, start=0)


def test_frame_compares_by_identity_not_by_array() -> None:
    samples = np.zeros(2, np.int16)

    assert PcmFrame(samples, 8_000, 0) != PcmFrame(samples, 8_000, 0)
