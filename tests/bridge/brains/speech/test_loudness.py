import math

import numpy as np
import pytest

from bridge.brains.speech.loudness import PEAK_DBFS, SPEECH_DBFS, active_dbfs, normalised
from bridge_codecs.pcm import Int16

RATE_HZ = 16_000


def tone(dbfs: float, n_samples: int = RATE_HZ) -> Int16:
    amplitude = 32_768 * 10 ** (dbfs / 20) * math.sqrt(2)
    wave = amplitude * np.sin(2 * np.pi * 500 * np.arange(n_samples) / RATE_HZ)
    return np.rint(wave).astype(np.int16)


def test_level_of_speech_leaves_pauses_out() -> None:
    speech = np.concatenate((tone(-30.0), np.zeros(3 * RATE_HZ, np.int16), tone(-30.0)))

    assert active_dbfs(speech, RATE_HZ) == pytest.approx(-30.0, abs=0.05)


@pytest.mark.parametrize("n_samples", [0, 1, 100, RATE_HZ])
def test_silence_has_no_level_and_stays_silent(n_samples: int) -> None:
    quiet = np.zeros(n_samples, np.int16)

    assert active_dbfs(quiet, RATE_HZ) == -math.inf
    assert np.array_equal(normalised(quiet, RATE_HZ), quiet)


@pytest.mark.parametrize("dbfs", [-50.0, -20.0, -8.0])
def test_any_level_becomes_the_level_of_speech(dbfs: float) -> None:
    assert active_dbfs(normalised(tone(dbfs), RATE_HZ), RATE_HZ) == pytest.approx(
        SPEECH_DBFS, abs=0.1
    )


def test_peaks_stay_below_their_bound_though_the_level_suffers() -> None:
    clicks = np.zeros(RATE_HZ, np.int16)
    clicks[::400] = 3_000

    loud = normalised(clicks, RATE_HZ)

    assert 20 * math.log10(int(loud.max()) / 32_768) == pytest.approx(PEAK_DBFS, abs=0.1)
    assert active_dbfs(loud, RATE_HZ) < SPEECH_DBFS


def test_shorter_than_a_frame_is_levelled_too() -> None:
    short = normalised(tone(-40.0, 100), RATE_HZ)

    assert active_dbfs(short, RATE_HZ) == pytest.approx(SPEECH_DBFS, abs=0.1)


def test_loudest_sample_of_all_does_not_wrap() -> None:
    loud = normalised(np.full(1_000, -32_768, np.int16), RATE_HZ)

    assert loud.max() < 0


def test_result_is_read_only() -> None:
    assert not normalised(tone(-30.0), RATE_HZ).flags.writeable
