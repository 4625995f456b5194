"""Tones: the right frequencies and levels, exact lengths, no clicks, no seams."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bridge_codecs.errors import CodecError
from bridge_codecs.filterbank import RATES_HZ
from bridge_codecs.pcm import Int16
from bridge_codecs.tones import HIGH_HZ, KEYS, LOW_HZ, Region, Tone, dtmf, progress_tone

DIGITS = "".join(KEYS)


def spectrum_dbfs(samples: Int16) -> NDArray[np.float64]:
    """Levels of the frequencies on a grid of 1 / duration; a full-scale sine has -3.01."""
    window = np.hanning(samples.size)
    amplitudes = np.abs(np.fft.rfft(samples * window)) * 2 / window.sum() / 32_768
    levels: NDArray[np.float64] = 20 * np.log10(np.maximum(amplitudes, 1e-9)) - 3.01
    return levels


def peaks_hz(samples: Int16, rate_hz: int, count: int) -> list[int]:
    levels = spectrum_dbfs(samples)
    tops = [k for k in range(1, levels.size - 1) if levels[k - 1] < levels[k] >= levels[k + 1]]
    loudest = sorted(tops, key=lambda k: -levels[k])[:count]
    return sorted(round(k * rate_hz / samples.size) for k in loudest)


@pytest.mark.parametrize("digit", DIGITS)
def test_each_digit_is_its_pair_of_frequencies(digit: str) -> None:
    row = next(row for row, keys in enumerate(KEYS) if digit in keys)
    column = KEYS[row].index(digit)

    made = dtmf(digit, 8_000, tone_s=1.0, space_s=0.0)

    assert peaks_hz(made, 8_000, 2) == [LOW_HZ[row], HIGH_HZ[column]]


def test_each_tone_has_the_level_asked_for() -> None:
    made = dtmf("1", 8_000, tone_s=1.0, space_s=0.0, low_dbfs=-20.0, high_dbfs=-17.0)

    levels = spectrum_dbfs(made)
    assert levels[697] == pytest.approx(-20.0, abs=0.1)
    assert levels[1_209] == pytest.approx(-17.0, abs=0.1)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_digit_is_its_tone_and_then_its_space_at_every_rate(rate_hz: int) -> None:
    made = dtmf("12", rate_hz)

    tone, space = round(0.2 * rate_hz), round(0.1 * rate_hz)
    assert made.dtype == np.int16
    assert made.size == 2 * (tone + space)
    assert np.count_nonzero(made[tone : tone + space]) == 0
    assert np.count_nonzero(made[-space:]) == 0
    assert np.abs(made[tone - space : tone]).max() > 5_000


def test_no_digits_are_no_samples() -> None:
    assert dtmf("", 8_000).size == 0


def test_tones_begin_and_end_softly() -> None:
    made = dtmf("D", 48_000, space_s=0.01).astype(int)

    assert np.abs(made[:24]).max() < 0.1 * np.abs(made).max()
    assert np.abs(made[9_576:9_600]).max() < 0.1 * np.abs(made).max()
    assert np.abs(np.diff(made)).max() < 0.25 * np.abs(made).max()


@pytest.mark.parametrize("digits", ["E", "a", "1 2", "\u0661", "\0"])
def test_another_digit_raises_codec_error(digits: str) -> None:
    with pytest.raises(CodecError, match="0-9"):
        dtmf(digits, 8_000)


@pytest.mark.parametrize("wrong", [-0.01, float("nan"), float("inf"), 60.1])
def test_a_duration_that_makes_no_sense_raises_codec_error(wrong: float) -> None:
    with pytest.raises(CodecError, match="lasts 0 to 60 s"):
        dtmf("1", 8_000, tone_s=wrong)
    with pytest.raises(CodecError, match="lasts 0 to 60 s"):
        dtmf("1", 8_000, space_s=wrong)


def test_a_minute_of_digits_is_made_and_a_digit_more_is_not() -> None:
    assert dtmf("5" * 60, 8_000, tone_s=0.5, space_s=0.5).size == 60 * 8_000
    with pytest.raises(CodecError, match="more than the 60 s"):
        dtmf("5" * 61, 8_000, tone_s=0.5, space_s=0.5)


def test_tones_up_to_full_scale_are_made_and_louder_ones_are_not() -> None:
    loudest = dtmf("1", 8_000, low_dbfs=-9.04, high_dbfs=-9.04)

    assert 32_000 < np.abs(loudest.astype(int)).max() < 32_768
    for loud in (-9.0, 1e9, float("nan")):
        with pytest.raises(CodecError, match="full scale"):
            dtmf("1", 8_000, low_dbfs=loud, high_dbfs=loud)


def test_a_level_of_minus_infinity_leaves_the_other_tone_alone() -> None:
    made = dtmf("1", 8_000, tone_s=1.0, low_dbfs=float("-inf"))

    assert peaks_hz(made[:8_000], 8_000, 1) == [1_209]


@pytest.mark.parametrize("rate_hz", [0, 8_001, -8_000])
def test_a_rate_that_is_not_supported_raises_codec_error(rate_hz: int) -> None:
    with pytest.raises(CodecError, match="tones are made at"):
        dtmf("1", rate_hz)
    with pytest.raises(CodecError, match="tones are made at"):
        progress_tone("dial", "us", rate_hz, 1)


@pytest.mark.parametrize(
    ("tone", "region", "frequencies"),
    [
        ("dial", "us", [350, 440]),
        ("ringback", "us", [440, 480]),
        ("busy", "us", [480, 620]),
        ("congestion", "us", [480, 620]),
        ("dial", "eu", [425]),
        ("ringback", "eu", [425]),
        ("busy", "eu", [425]),
        ("congestion", "eu", [425]),
        ("sit", "us", [950]),
        ("sit", "eu", [950]),
    ],
)
def test_each_progress_tone_has_its_frequencies_and_level(
    tone: Tone, region: Region, frequencies: list[int]
) -> None:
    made = progress_tone(tone, region, 8_000, 1_600, start=80, dbfs=-20.0)

    levels = spectrum_dbfs(made)
    assert peaks_hz(made, 8_000, len(frequencies)) == frequencies
    assert [levels[hz // 5] for hz in frequencies] == pytest.approx(
        [-20.0] * len(frequencies), abs=2
    )


@pytest.mark.parametrize(
    ("tone", "region", "cadence_ms"),
    [
        ("ringback", "us", [2_000, 4_000]),
        ("busy", "us", [500, 500]),
        ("congestion", "us", [250, 250]),
        ("ringback", "eu", [1_000, 4_000]),
        ("busy", "eu", [500, 500]),
        ("congestion", "eu", [250, 250]),
        ("sit", "eu", [990, 1_000]),
    ],
)
def test_each_progress_tone_has_its_cadence(
    tone: Tone, region: Region, cadence_ms: list[int]
) -> None:
    on, off = (8 * ms for ms in cadence_ms)

    made = progress_tone(tone, region, 8_000, 2 * (on + off))

    # The silent places between zero crossings are shorter than 10 ms.
    loud = np.abs(made.astype(int)).reshape(-1, 40).max(axis=1) > 100
    period = (on + off) // 40
    assert loud[: on // 40].mean() > 0.97
    assert not loud[on // 40 : period].any()
    assert np.array_equal(made[: on + off], made[on + off :])


def test_the_dial_tone_never_ends() -> None:
    made = progress_tone("dial", "eu", 8_000, 8_000, start=8_000 * 3_600)

    assert np.abs(made.astype(int)).reshape(-1, 40).max(axis=1).min() > 4_000


@given(
    cuts=st.lists(st.integers(0, 12_000), max_size=6),
    tone=st.sampled_from(["dial", "busy", "sit"]),
    rate_hz=st.sampled_from(RATES_HZ),
)
def test_chunks_of_a_progress_tone_join_without_a_seam(
    cuts: list[int], tone: Tone, rate_hz: int
) -> None:
    edges = [0, *sorted(cuts), 12_000]

    chunks = [
        progress_tone(tone, "us", rate_hz, end - start, start=start)
        for start, end in pairwise(edges)
    ]

    assert np.array_equal(np.concatenate(chunks), progress_tone(tone, "us", rate_hz, 12_000))


@pytest.mark.parametrize(("tone", "region"), [("dial", "uk"), ("engaged", "us"), ("", "")])
def test_an_unknown_progress_tone_raises_codec_error(tone: Tone, region: Region) -> None:
    with pytest.raises(CodecError, match="there is no"):
        progress_tone(tone, region, 8_000, 1)


@pytest.mark.parametrize(("n_samples", "start"), [(-1, 0), (1, -1)])
def test_negative_places_raise_codec_error(n_samples: int, start: int) -> None:
    with pytest.raises(CodecError, match="cannot make"):
        progress_tone("busy", "us", 8_000, n_samples, start=start)


def test_a_minute_of_progress_tone_is_made_and_a_sample_more_is_not() -> None:
    assert progress_tone("busy", "us", 8_000, 480_000).size == 480_000
    with pytest.raises(CodecError, match="more than the 60 s"):
        progress_tone("busy", "us", 8_000, 480_001)


@pytest.mark.parametrize(("tone", "wrong"), [("dial", -9.0), ("sit", -3.0)])
def test_progress_tones_louder_than_full_scale_raise_codec_error(tone: Tone, wrong: float) -> None:
    progress_tone(tone, "us", 8_000, 100, dbfs=wrong - 0.04)
    with pytest.raises(CodecError, match="full scale"):
        progress_tone(tone, "us", 8_000, 100, dbfs=wrong)
