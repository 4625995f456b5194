"""Voice activity by level: silence, clean speech, steady noise, babble."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from bridge.audio.endpoint import Endpointer, TurnEnded, VadSettings
from bridge.audio.energy_vad import EnergyVad
from bridge_codecs.pcm import Int16, to_int16

RATE_HZ = 16_000
CHUNK = 512
THRESHOLD = 0.1


def voice(seconds: float, dbfs: float, seed: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Something that comes and goes as speech does: syllables of 4 Hz on a buzz of 120 Hz."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    pitch = 100 + 40 * rng.random()
    buzz = sum(np.sin(2 * np.pi * pitch * k * t + rng.random() * 6) / k for k in range(1, 20))
    syllable_hz = 3.5 + rng.random()
    syllables = np.maximum(0.02, np.sin(2 * np.pi * syllable_hz * t + rng.random() * 6)) ** 1.5
    speech = buzz * syllables
    scaled = speech / np.sqrt(np.mean(speech**2)) * 10 ** (dbfs / 20)
    return np.asarray(scaled, np.float64)


def call(*parts: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Int16:
    return to_int16(np.concatenate(parts).astype(np.float32))


def quiet(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.zeros(int(seconds * RATE_HZ))


def judge(samples: Int16) -> list[float]:
    vad = EnergyVad()
    whole = samples[: samples.size // CHUNK * CHUNK]
    return [vad.push(chunk) for chunk in whole.reshape(-1, CHUNK)]


def turns(samples: Int16) -> list[TurnEnded]:
    endpointer = Endpointer(VadSettings())
    events = [
        event
        for probability in judge(samples)
        for event in endpointer.push(probability, agent_speaking=False)
    ]
    return [event for event in events if isinstance(event, TurnEnded)]


def test_digital_silence_is_exactly_0_also_after_speech() -> None:
    probabilities = judge(call(voice(1, -22, 1), quiet(1)))

    assert set(probabilities[-28:]) == {0.0}


@pytest.mark.parametrize("dbfs", [-16, -22, -30])
def test_clean_speech_is_one_turn_with_its_own_bounds(dbfs: float) -> None:
    [turn] = turns(call(quiet(1), voice(2, dbfs, 1), quiet(1)))

    assert turn.start_ms == pytest.approx(1_000, abs=250)
    assert turn.end_ms == pytest.approx(3_000, abs=250)


def test_steady_noise_is_no_speech() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, 10 * RATE_HZ)

    assert np.mean(np.array(judge(call(noise))) >= THRESHOLD) < 0.01


def test_noise_that_sets_in_is_taken_for_speech_four_seconds_at_most() -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, 10 * RATE_HZ)

    late = judge(call(quiet(5), noise))[(5 + 4) * RATE_HZ // CHUNK + 4 :]

    assert np.mean(np.array(late) >= THRESHOLD) < 0.01


def test_speech_in_babble_of_10_db_snr_is_found_and_its_turn_ends() -> None:
    speech = np.concatenate([quiet(3), voice(2, -22, 1), quiet(3)])
    babble = sum(voice(8, -32 - 9, seed) for seed in range(10, 18))

    found = turns(call(speech + babble))

    assert 1 <= len(found) <= 2
    assert found[0].start_ms == pytest.approx(3_000, abs=250)
    assert found[-1].end_ms == pytest.approx(5_000, abs=250)


def test_long_speech_in_silence_does_not_become_its_own_noise_floor() -> None:
    probabilities = np.array(judge(call(quiet(1), voice(15, -22, 1))))

    pauses = np.diff(np.flatnonzero(probabilities[32:] >= THRESHOLD))

    assert pauses.max() * 32 < 384


def test_hum_weighs_less_than_a_voice_of_the_same_level() -> None:
    t = np.arange(RATE_HZ) / RATE_HZ
    hum = 10 ** (-40 / 20) * np.sqrt(2) * np.sin(2 * np.pi * 50 * t)

    assert max(judge(call(quiet(1), hum))) < THRESHOLD
    assert max(judge(call(quiet(1), voice(1, -40, 1)))) > THRESHOLD


def test_reset_forgets_the_noise() -> None:
    noise = call(np.random.default_rng(1).normal(0, 0.01, 6 * RATE_HZ))[:CHUNK]
    vad = EnergyVad()
    before = [vad.push(noise) for _ in range(100)]
    vad.reset()

    assert [vad.push(noise) for _ in range(100)] == before


def test_chunk_follows_the_rate() -> None:
    assert EnergyVad(8_000).push(np.zeros(256, np.int16)) == 0.0


@pytest.mark.parametrize("n", [0, 511, 513])
def test_chunk_of_another_size_is_refused(n: int) -> None:
    with pytest.raises(ValueError, match="512"):
        EnergyVad().push(np.zeros(n, np.int16))


def test_vad_without_a_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="rate"):
        EnergyVad(0)


@given(st.lists(npst.arrays(np.int16, CHUNK), max_size=6))
def test_any_audio_has_a_probability(chunks: list[Int16]) -> None:
    vad = EnergyVad()

    assert all(0.0 <= vad.push(chunk) <= 1.0 for chunk in chunks)
