"""The resampler as a filter: flatness, aliases, images and noise, measured with tones.

Every tone has whole cycles in the stretch that is looked at, so that the bins of a plain FFT are
exact: the bin of the tone is the signal, all the others are what should not be there.
"""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from bridge_codecs.filterbank import RATES_HZ
from bridge_codecs.pcm import Float32, to_int16
from bridge_codecs.resample import Resampler

PAIRS = list(itertools.permutations(RATES_HZ, 2))
PASSBAND_END = 0.425  # of the lower rate
STOPBAND_START = 0.5875
# Where the higher rate is far enough away for anything to be there that could alias.
ALIASING = [pair for pair in PAIRS if pair[0] / 2 > STOPBAND_START * pair[1]]
N_TONES = 25
SETTLE_S, LOOK_S = 0.02, 0.2  # 0.2 s hold a whole number of samples at every rate
TONE_GRID_HZ = 5  # 1 / LOOK_S


def tone(rate_hz: int, frequency_hz: float) -> Float32:
    time_s = np.arange(round(rate_hz * (SETTLE_S + LOOK_S)) + 1) / rate_hz
    return np.sin(2 * np.pi * frequency_hz * time_s).astype(np.float32)


def spectrum_db(pair: tuple[int, int], frequency_hz: float) -> NDArray[np.float64]:
    """What comes out for a full-scale tone: levels of the bins 0, 5, 10 … Hz."""
    heard = Resampler(*pair).push(tone(pair[0], frequency_hz))
    look = heard[-round(pair[1] * LOOK_S) :].astype(np.float64)
    amplitudes = np.abs(np.fft.rfft(look)) * 2 / look.size
    return np.asarray(20 * np.log10(amplitudes + 1e-12))


def tones(from_hz: float, to_hz: float) -> NDArray[np.float64]:
    spread = np.linspace(from_hz, to_hz, N_TONES) / TONE_GRID_HZ
    return np.unique(np.concatenate([np.ceil(spread[:1]), np.floor(spread[1:])])) * TONE_GRID_HZ


@pytest.mark.parametrize("pair", PAIRS)
def test_the_passband_is_flat_within_a_tenth_of_a_decibel(pair: tuple[int, int]) -> None:
    for frequency in tones(TONE_GRID_HZ, PASSBAND_END * min(pair)):
        level = spectrum_db(pair, frequency)[round(frequency / TONE_GRID_HZ)]

        assert abs(level) < 0.1, frequency


@pytest.mark.parametrize("pair", [pair for pair in PAIRS if pair[0] < pair[1]])
def test_images_are_80_decibels_down_when_the_rate_goes_up(pair: tuple[int, int]) -> None:
    for frequency in tones(TONE_GRID_HZ, (1 - STOPBAND_START) * pair[0]):
        levels = spectrum_db(pair, frequency)
        levels[round(frequency / TONE_GRID_HZ)] = -np.inf

        assert levels.max() < -80.0, frequency


@pytest.mark.parametrize("pair", ALIASING)
def test_aliases_are_80_decibels_down_when_the_rate_goes_down(pair: tuple[int, int]) -> None:
    for frequency in tones(STOPBAND_START * pair[1], pair[0] / 2 - TONE_GRID_HZ):
        assert spectrum_db(pair, frequency).max() < -80.0, frequency


def residue(heard: NDArray[np.float64], rate_hz: int, frequency_hz: float) -> NDArray[np.float64]:
    """What is left of a tone when its best fitting sine is taken away."""
    phase = 2 * np.pi * frequency_hz * np.arange(heard.size) / rate_hz
    basis = np.stack([np.sin(phase), np.cos(phase)], axis=1)
    fit, *_ = np.linalg.lstsq(basis, heard)
    return np.asarray(heard - basis @ fit)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_full_scale_tone_of_1_khz_stands_90_decibels_above_the_noise(
    pair: tuple[int, int],
) -> None:
    heard = Resampler(*pair).push(tone(pair[0], 1_000))

    look = heard[-round(pair[1] * LOOK_S) :].astype(np.float64)
    noise = residue(look, pair[1], 1_000)
    assert 20 * np.log10(look.std() / noise.std()) > 90.0


@pytest.mark.parametrize(
    "pair", list(itertools.permutations([8_000, 16_000, 24_000, 32_000, 48_000], 2))
)
def test_in_int16_the_noise_is_that_of_rounding_in_and_out(pair: tuple[int, int]) -> None:
    # 997 Hz: a prime, so that the rounding errors do not repeat with the tone.
    samples = to_int16(tone(pair[0], 997) * np.float32(0.99))

    heard = Resampler(*pair).push(samples)

    noise = residue(heard[-round(pair[1] * LOOK_S) :].astype(np.float64), pair[1], 997)
    rounding_twice = np.sqrt(2 / 12)
    assert noise.std() < 1.1 * rounding_twice
