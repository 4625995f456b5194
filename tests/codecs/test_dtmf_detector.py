"""The DTMF detector against the limits of Q.24, each from both sides, noise and speech."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bridge_codecs.dtmf_detector import Digit, DtmfDetector
from bridge_codecs.errors import CodecError
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16
from bridge_codecs.tones import HIGH_HZ, KEYS, LOW_HZ, dtmf

RATE_HZ = 8_000
DIGITS = "".join(KEYS)
RECORDINGS = Path(__file__).parents[2] / "bridge" / "assets" / "recordings"
# Where in a hop of 80 samples a tone begins, and with which phases: two primes walk through them.
STARTS = [800 + 37 * k % 80 for k in range(16)]

Float64 = NDArray[np.float64]


def tone(
    key: str,
    ms: float,
    dbfs: tuple[float, float] = (-19.0, -19.0),
    beside: tuple[float, float] = (0.0, 0.0),
    phase: float = 0.0,
) -> Float64:
    """Hard edges, so that nothing is shorter than it says; `beside` in parts of the frequency."""
    row = next(row for row, keys in enumerate(KEYS) if key in keys)
    hz = (LOW_HZ[row], HIGH_HZ[KEYS[row].index(key)])
    time_s = np.arange(round(ms * RATE_HZ / 1_000)) / RATE_HZ
    made = np.zeros(time_s.size)
    for frequency, off, level in zip(hz, beside, dbfs, strict=True):
        turns = frequency * (1 + off) * time_s + phase
        made += 32_768 * np.sqrt(2) * 10 ** (level / 20) * np.sin(2 * np.pi * turns)
    return made


def line(*parts: Float64, noise_db: float | None = None, seed: int = 0) -> Int16:
    """The parts, 100 ms of silence around them, and noise so far below the first."""
    made = np.concatenate([*parts, np.zeros(800)])
    if noise_db is not None:
        power = np.mean(next(part for part in parts if part.any()) ** 2) / 10 ** (noise_db / 10)
        made = made + np.random.default_rng(seed).standard_normal(made.size) * np.sqrt(power)
    rounded: Int16 = np.rint(made).astype(np.int16)
    return rounded


def keys(samples: Int16, rate_hz: int = RATE_HZ) -> str:
    return "".join(digit.key for digit in DtmfDetector(rate_hz).push(samples))


def heard_of_all(
    ms: float,
    dbfs: tuple[float, float] = (-19.0, -19.0),
    beside: tuple[float, float] = (0.0, 0.0),
    noise_db: float | None = None,
) -> int:
    """How many of all digits, each at another place and phase, are heard; none is taken for another."""
    n_heard = 0
    for index, (key, start) in enumerate(zip(DIGITS, STARTS, strict=True)):
        sound = tone(key, ms, dbfs, beside, phase=index * 0.37)
        heard = keys(line(np.zeros(start), sound, noise_db=noise_db, seed=index))
        assert heard in ("", key)
        n_heard += heard == key
    return n_heard


@pytest.mark.parametrize("rate_hz", [8_000, 12_000, 16_000, 24_000, 32_000, 44_100, 48_000])
def test_all_digits_that_we_make_are_heard_where_they_begin(rate_hz: int) -> None:
    made = dtmf(DIGITS, rate_hz)

    digits = DtmfDetector(rate_hz).push(made)

    assert "".join(digit.key for digit in digits) == DIGITS
    for index, digit in enumerate(digits):
        assert digit.start == pytest.approx(index * 0.3 * rate_hz, abs=0.002 * rate_hz)


def test_digits_survive_mu_law_at_the_shortest_legal_dialling() -> None:
    dialled = dtmf(DIGITS, RATE_HZ, tone_s=0.044, space_s=0.044)

    assert keys(decode_ulaw(encode_ulaw(dialled))) == DIGITS


@pytest.mark.parametrize("noise_db", [None, 15.0])
def test_tones_of_40_ms_are_heard_and_of_25_ms_are_not(noise_db: float | None) -> None:
    assert heard_of_all(40, noise_db=noise_db) == 16
    assert heard_of_all(25, noise_db=noise_db) == 0


@pytest.mark.parametrize("twist_db", [4.0, -8.0])
def test_legal_twist_is_heard_in_noise(twist_db: float) -> None:
    assert heard_of_all(40, dbfs=(-19.0, -19.0 + twist_db), noise_db=15.0) == 16


@pytest.mark.parametrize("twist_db", [6.0, -10.0])
def test_more_twist_is_not_heard(twist_db: float) -> None:
    assert heard_of_all(100, dbfs=(-19.0, -19.0 + twist_db)) == 0


@pytest.mark.parametrize("low", [-0.015, 0.0, 0.015])
@pytest.mark.parametrize("high", [-0.015, 0.0, 0.015])
def test_frequencies_1_5_percent_beside_are_heard_in_noise(low: float, high: float) -> None:
    assert heard_of_all(40, beside=(low, high), noise_db=15.0) == 16


@pytest.mark.parametrize("off", [0.035, -0.035, 0.04, -0.04, 0.05, -0.05])
def test_a_frequency_3_5_percent_beside_or_more_is_not_heard(off: float) -> None:
    assert heard_of_all(100, beside=(off, 0.0)) == 0
    assert heard_of_all(100, beside=(0.0, off)) == 0
    assert heard_of_all(100, dbfs=(-15.0, -23.0), beside=(0.0, off)) == 0


def test_tones_of_minus_31_dbfs_are_heard_and_of_minus_35_are_not() -> None:
    assert heard_of_all(40, dbfs=(-31.0, -31.0)) == 16
    assert heard_of_all(100, dbfs=(-35.0, -35.0)) == 0


def test_clipped_full_scale_digits_are_heard() -> None:
    sound = np.clip(tone("7", 60, dbfs=(-6.0, -6.0)), -32_768, 32_767)

    assert keys(line(np.zeros(800), sound)) == "7"


@pytest.mark.parametrize(("gap_ms", "heard"), [(10, "5"), (30, "55"), (40, "55")])
def test_a_gap_of_10_ms_does_not_split_a_digit_and_one_of_30_does(gap_ms: int, heard: str) -> None:
    sound = tone("5", 60)

    for start in STARTS:
        assert keys(line(np.zeros(start), sound, np.zeros(8 * gap_ms), sound)) == heard


def test_another_digit_is_heard_without_a_gap() -> None:
    assert keys(line(np.zeros(800), tone("5", 80), tone("6", 80), tone("9", 80))) == "569"


def test_a_digit_held_for_long_is_reported_once_and_soon() -> None:
    detector, held = DtmfDetector(), line(np.zeros(800), tone("#", 5_000))
    found: list[tuple[int, Digit]] = []

    for end in range(80, held.size + 1, 80):
        found += [(end, digit) for digit in detector.push(held[end - 80 : end])]

    [(when, digit)] = found
    assert digit.key == "#"
    assert digit.start == pytest.approx(800, abs=16)
    assert 8 * 32 <= when - digit.start <= 8 * 55


def test_a_digit_that_fades_slowly_is_reported_once() -> None:
    sound = tone("3", 2_000, dbfs=(-10.0, -10.0)) * np.geomspace(1, 0.1, 16_000)

    assert keys(line(np.zeros(800), sound)) == "3"


@given(cuts=st.lists(st.integers(0, 9_600), max_size=12))
def test_the_digits_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    detector, dialled = DtmfDetector(), dtmf("19A*", RATE_HZ)

    chunks = np.split(dialled, sorted(cuts))

    assert [digit for chunk in chunks for digit in detector.push(chunk)] == digits_of_19a()


@cache
def digits_of_19a() -> list[Digit]:
    digits = DtmfDetector().push(dtmf("19A*", RATE_HZ))
    assert "".join(digit.key for digit in digits) == "19A*"
    return digits


def test_after_a_reset_positions_count_from_zero_again() -> None:
    detector, dialled = DtmfDetector(), dtmf("4", RATE_HZ)
    first = detector.push(dialled[:1_234])

    detector.reset()

    assert detector.push(dialled) == first


def test_what_was_pushed_may_be_overwritten() -> None:
    detector, dialled, buffer = DtmfDetector(), dtmf("8", RATE_HZ), np.zeros(50, np.int16)
    found = []

    for at in range(0, dialled.size, 50):
        buffer[:] = dialled[at : at + 50]
        found += detector.push(buffer)

    assert [digit.key for digit in found] == ["8"]


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*.flac")), ids=lambda path: path.stem)
def test_recorded_speech_gives_no_digits(path: Path) -> None:
    samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)

    for channel in samples.T:
        assert keys(np.ascontiguousarray(channel), rate_hz) == ""


def test_there_is_recorded_speech_to_test_with() -> None:
    assert len(list(RECORDINGS.glob("*.flac"))) >= 5


@pytest.mark.parametrize("level", [1, 300, 8_000])
def test_a_minute_of_noise_gives_no_digits(level: int) -> None:
    noise = np.random.default_rng(7).standard_normal(60 * RATE_HZ) * level

    assert keys(np.clip(noise, -32_768, 32_767).astype(np.int16)) == ""


def test_one_tone_alone_gives_no_digit() -> None:
    assert heard_of_all(200, dbfs=(-16.0, -200.0)) == 0
    assert heard_of_all(200, dbfs=(-200.0, -16.0)) == 0


@given(st.binary(max_size=4_000))
def test_any_samples_are_taken(payload: bytes) -> None:
    samples = np.frombuffer(payload[: len(payload) // 2 * 2], np.int16)

    assert all(digit.key in DIGITS for digit in DtmfDetector().push(samples))


@pytest.mark.parametrize("rate_hz", [0, -8_000, 8_001, 11_025, 96_000])
def test_a_rate_it_cannot_hear_at_raises_codec_error(rate_hz: int) -> None:
    with pytest.raises(CodecError, match="no DTMF is heard"):
        DtmfDetector(rate_hz)


@pytest.mark.parametrize("wrong", [np.zeros(4), np.zeros((2, 2), np.int16)])
def test_what_is_not_one_row_of_int16_raises_codec_error(wrong: Int16) -> None:
    with pytest.raises(CodecError, match="one row of int16"):
        DtmfDetector().push(wrong)
