"""Levels, and the audible stretches of a recording."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.audio.level import (
    FLOOR_MIN_DBFS,
    FLOOR_PERCENTILE,
    SILENCE_DBFS,
    Span,
    audible_spans,
    frame_levels_dbfs,
    noise_floor_dbfs,
    peak_dbfs,
    rms_dbfs,
)
from bridge_codecs.pcm import Int16

RATES_HZ = [8_000, 11_025, 16_000, 44_100, 48_000]


def tone(n: int, rate_hz: int, dbfs: float = -20.0) -> Int16:
    """A 1 kHz tone of this level."""
    peak = 32_768 * 10 ** (dbfs / 20) * np.sqrt(2)
    wave = peak * np.cos(2 * np.pi * 1_000 * np.arange(n) / rate_hz)
    samples: Int16 = np.clip(np.rint(wave), -32_768, 32_767).astype(np.int16)
    return samples


def channel(length: int, tones: list[tuple[int, int]], rate_hz: int) -> Int16:
    """Digital silence with tones from sample to sample."""
    samples = np.zeros(length, np.int16)
    for start, end in tones:
        samples[start:end] = tone(end - start, rate_hz)
    return samples


def test_full_scale_square_wave_has_0_dbfs() -> None:
    assert rms_dbfs(np.full(160, -32_768, np.int16)) == 0.0
    assert peak_dbfs(np.full(160, -32_768, np.int16)) == 0.0


def test_tone_of_minus_20_dbfs_measures_minus_20() -> None:
    assert rms_dbfs(tone(8_000, 8_000)) == pytest.approx(-20, abs=0.01)


def test_peak_of_a_tone_is_3_db_above_its_level() -> None:
    assert peak_dbfs(tone(8_000, 8_000)) == pytest.approx(-16.99, abs=0.01)


@pytest.mark.parametrize("n", [0, 160])
def test_silence_has_the_level_of_silence(n: int) -> None:
    assert rms_dbfs(np.zeros(n, np.int16)) == SILENCE_DBFS
    assert peak_dbfs(np.zeros(n, np.int16)) == SILENCE_DBFS


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_frame_levels_agree_with_the_level_of_each_10_ms(rate_hz: int) -> None:
    rng = np.random.default_rng(7)
    samples = rng.integers(-9_000, 9_000, rate_hz * 12, np.int16)

    levels = frame_levels_dbfs(samples, rate_hz)

    assert levels.size == 1_200
    for frame in (0, 1, 599, 999, 1_000, 1_001, 1_199):
        bounds = [-(-(frame + k) * rate_hz // 100) for k in (0, 1)]
        part = samples[bounds[0] : bounds[1]]
        assert levels[frame] == pytest.approx(rms_dbfs(part), abs=1e-9)


def test_last_frame_may_be_short() -> None:
    levels = frame_levels_dbfs(tone(81, 8_000), 8_000)

    assert levels.size == 2
    assert levels[1] == pytest.approx(-17, abs=0.1)


def test_noise_floor_is_not_below_minus_70() -> None:
    assert noise_floor_dbfs(np.full(10, SILENCE_DBFS)) == -70.0
    assert noise_floor_dbfs(np.empty(0)) == -70.0


def test_noise_floor_is_the_10th_percentile_of_the_levels() -> None:
    assert noise_floor_dbfs(np.linspace(-60, -10, 101)) == pytest.approx(-55)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_tones_at_known_samples_are_found_to_10_ms(rate_hz: int) -> None:
    tones = [(int(rate_hz * a), int(rate_hz * b)) for a, b in ((0.5137, 1.2), (2.0, 2.3333))]
    spans = audible_spans(channel(rate_hz * 4, tones, rate_hz), rate_hz)

    assert len(spans) == 2
    for span, (start, end) in zip(spans, tones, strict=True):
        assert abs(span.start - start) <= rate_hz / 100
        assert abs(span.end - end) <= rate_hz / 100


@given(st.integers(0, 8_000), st.integers(200, 8_000))
def test_any_tone_in_silence_is_found_to_10_ms(start: int, length: int) -> None:
    [span] = audible_spans(channel(20_000, [(start, start + length)], 8_000), 8_000)

    assert abs(span.start - start) <= 80
    assert abs(span.end - start - length) <= 80


def test_pause_shorter_than_the_hangover_belongs_to_the_span() -> None:
    samples = channel(24_000, [(8_000, 9_600), (11_120, 12_000)], 8_000)

    assert audible_spans(samples, 8_000) == [Span(8_000, 12_000)]


def test_pause_as_long_as_the_hangover_parts_two_spans() -> None:
    samples = channel(24_000, [(8_000, 9_600), (11_200, 12_000)], 8_000)

    assert audible_spans(samples, 8_000) == [Span(8_000, 9_600), Span(11_200, 12_000)]


def test_span_ends_with_the_recording() -> None:
    assert audible_spans(channel(8_050, [(4_000, 8_050)], 8_000), 8_000) == [Span(4_000, 8_050)]


def test_speech_is_found_above_the_noise_of_its_own_channel() -> None:
    rng = np.random.default_rng(3)
    noise = rng.normal(0, 100, 24_000).astype(np.int16)
    samples = noise + channel(24_000, [(8_000, 16_000)], 8_000)

    assert audible_spans(samples, 8_000) == [Span(8_000, 16_000)]


def test_noise_alone_is_not_audible() -> None:
    rng = np.random.default_rng(3)

    assert audible_spans(rng.normal(0, 300, 24_000).astype(np.int16), 8_000) == []


@pytest.mark.parametrize("n", [0, 8_000])
def test_silence_has_no_spans(n: int) -> None:
    assert audible_spans(np.zeros(n, np.int16), 8_000) == []


def test_tone_20_db_above_the_lowest_floor_is_the_border() -> None:
    samples = np.zeros(8_000, np.int16)
    samples[800:1_600] = 104  # -49.97 dBFS
    assert len(audible_spans(samples, 8_000)) == 1

    samples[800:1_600] = 103  # -50.05 dBFS
    assert audible_spans(samples, 8_000) == []


@given(st.lists(st.floats(-90, 0), min_size=1, max_size=200))
def test_the_noise_floor_is_the_tenth_percentile(values: list[float]) -> None:
    levels = np.array(values)

    assert noise_floor_dbfs(levels) == pytest.approx(
        max(FLOOR_MIN_DBFS, float(np.percentile(levels, FLOOR_PERCENTILE)))
    )
