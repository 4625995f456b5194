"""Two clocks that should be equal: ratios near 1 that move while the stream runs."""

import math
from typing import Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from bridge_codecs.drift import DELAY, MAX_PPM, DriftStage
from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16

RATE_HZ: Final = 16_000
PPM: Final = st.floats(-MAX_PPM, MAX_PPM)


def tone(hz: float, n: int, peak: float = 16_000.0) -> Int16:
    return np.rint(peak * np.sin(2 * np.pi * hz * np.arange(n) / RATE_HZ)).astype(np.int16)


def stage(ppm: float) -> DriftStage:
    made = DriftStage()
    made.ppm = ppm
    made.reset()
    return made


def in_chunks(drift: DriftStage, samples: Int16, chunk: int) -> Int16:
    cuts = range(0, samples.size, chunk)
    return np.concatenate([drift.push(samples[cut : cut + chunk]) for cut in cuts])


def gain_and_error_db(made: Int16, hz: float, ppm: float) -> tuple[float, float]:
    """Gain, and the level of all that is not the tone, both against the tone that went in."""
    places = (np.arange(made.size) + 1.0) / (1 + ppm * 1e-6) - 1 - DELAY
    angle = 2 * np.pi * hz / RATE_HZ * places
    parts = np.stack((np.sin(angle), np.cos(angle)), axis=1)[500:]
    heard: NDArray[np.float64] = made[500:].astype(np.float64)
    found = np.linalg.lstsq(parts, heard, rcond=None)[0]
    rest = heard - parts @ found
    gain = 20 * math.log10(math.hypot(*found) / 16_000)
    assert abs(math.atan2(found[1], found[0])) < 0.01  # the group delay is what is promised
    return gain, 20 * math.log10(np.std(rest) / np.std(heard))


@pytest.mark.parametrize("ppm", [-1000.0, -200.0, -0.1, 0.0, 37.3, 200.0, 1000.0])
def test_the_count_follows_the_ratio_exactly(ppm: float) -> None:
    n = 100_000
    made = in_chunks(stage(ppm), np.zeros(n, np.int16), 160)
    assert made.size == math.floor(n * (1 + ppm * 1e-6) + 1e-6)


@given(ppm=PPM, chunks=st.lists(st.integers(0, 3_000), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_chunks_make_no_difference(ppm: float, chunks: list[int]) -> None:
    samples = tone(997, sum(chunks))
    whole, parts = stage(ppm), stage(ppm)
    cuts = np.split(samples, np.cumsum(chunks)[:-1])
    made = np.concatenate([parts.push(cut) for cut in cuts])
    expected = whole.push(samples)
    assert made.size == expected.size
    assert np.abs(made.astype(np.int32) - expected).max(initial=0) <= 1


@pytest.mark.parametrize("ppm", [-1000.0, -200.0, 37.3, 200.0, 1000.0])
@pytest.mark.parametrize("hz", [300.0, 1_000.0, 3_400.0])
def test_a_tone_of_speech_stays_a_clean_tone(ppm: float, hz: float) -> None:
    made = in_chunks(stage(ppm), tone(hz, 4 * RATE_HZ), 160)
    gain_db, error_db = gain_and_error_db(made, hz, ppm)
    assert abs(gain_db) < 0.01
    assert error_db < -88  # the rounding of a tone of this level to int16, twice


@pytest.mark.parametrize("ppm", [-1000.0, 200.0])
def test_the_upper_end_is_flat_and_as_clean_as_stated(ppm: float) -> None:
    hz = 0.425 * RATE_HZ
    gain_db, error_db = gain_and_error_db(in_chunks(stage(ppm), tone(hz, 64_000), 160), hz, ppm)
    assert abs(gain_db) < 0.1
    assert error_db < -50


def test_equal_clocks_only_delay() -> None:
    samples = np.random.default_rng(1).integers(-32_768, 32_768, 5_000).astype(np.int16)
    made = in_chunks(DriftStage(), samples, 160)
    assert np.array_equal(made[DELAY:], samples[:-DELAY])
    assert not made[:DELAY].any()


def test_a_moving_ratio_leaves_no_step_in_the_signal() -> None:
    drift, pieces = stage(0.0), []
    samples = tone(440, 10 * RATE_HZ)
    for k, cut in enumerate(range(0, samples.size, 160)):
        drift.ppm = 900.0 * math.sin(k / 7)
        pieces.append(drift.push(samples[cut : cut + 160]))
    made = np.concatenate(pieces).astype(np.int32)
    bend = np.abs(np.diff(made, 2))[100:]
    assert bend.max() <= np.abs(np.diff(samples.astype(np.int32), 2)).max() * 1.01 + 3


def test_full_scale_is_limited_and_never_wraps() -> None:
    square = np.where(np.arange(8_000) // 8 % 2, 32_767, -32_768).astype(np.int16)
    made = stage(500.0).push(square)
    middles = made[100:][np.abs(made[100:].astype(np.int32)) > 32_000]
    assert middles.size > 2_000
    assert np.abs(np.diff(made.astype(np.int32))).max() <= 65_535


@pytest.mark.parametrize(("asked", "got"), [(1000.0, 1000.0), (1000.1, 1000.0), (-5e9, -1000.0)])
def test_a_ratio_beyond_the_limit_is_the_limit(asked: float, got: float) -> None:
    drift = DriftStage()
    drift.ppm = asked
    assert drift.ppm == got


def test_what_is_no_number_or_no_row_of_int16_is_refused() -> None:
    drift = DriftStage()
    with pytest.raises(CodecError, match="parts per million"):
        drift.ppm = math.nan
    with pytest.raises(CodecError, match="one row of int16"):
        drift.push(np.zeros((2, 2), np.int16))
    assert drift.push(np.zeros(0, np.int16)).size == 0


def test_a_reset_forgets_the_stream_and_keeps_the_ratio() -> None:
    drift = stage(200.0)
    drift.push(tone(500, 1_000))
    drift.reset()
    assert drift.ppm == 200.0
    assert not drift.push(np.zeros(1_000, np.int16)).any()


def test_an_hour_of_changing_ratios_loses_no_place() -> None:
    drift, expected, got = stage(0.0), 0.0, 0
    chunk = np.zeros(2_000, np.int16)
    for k in range(2_000):
        drift.ppm = 200.0 if k % 2 else -200.0
        expected += chunk.size * (1 + drift.ppm * 1e-6)
        got += drift.push(chunk).size
    assert abs(got - expected) < 2
