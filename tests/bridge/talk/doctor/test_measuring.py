"""Figures from recordings over paths whose delay, drift, clipping and echo are known."""

import numpy as np
import pytest
from hypothesis import given as arbitrary
from hypothesis import settings
from hypothesis import strategies as st

from bridge.talk.doctor.chirps import DELAY_MAX_S, ChirpTrain, chirp_train, sound
from bridge.talk.doctor.measuring import ENOUGH, FLAT_RUN, clipped_samples, measure
from bridge_codecs.pcm import Int16
from tests.fakes.echo_path import EchoPath, talking

RATE_HZ = 48_000
TRAIN = chirp_train()


def recorded(
    *,
    delay_ms: float = 40,
    level_db: float = -10,
    ppm: float = 0,
    rate_hz: int = RATE_HZ,
    noise_dbfs: float = -65,
    gain_db: float = 0,
    reverberant: bool = True,
    train: ChirpTrain = TRAIN,
) -> Int16:
    """What a microphone gives of the train; ``gain_db`` is its own amplifier's, which clips."""
    path = EchoPath(RATE_HZ, level_db=level_db, delay_ms=delay_ms, reverberant=reverberant)
    came = path.push(sound(train, RATE_HZ)).astype(np.float64)
    # A clock that runs faster gives more samples for the same time.
    at = np.arange(int(came.size * rate_hz / RATE_HZ)) * (RATE_HZ / rate_hz / (1 + ppm * 1e-6))
    heard = np.interp(at, np.arange(came.size), came)
    heard += np.random.default_rng(4).normal(size=at.size) * 32_768 * 10 ** (noise_dbfs / 20)
    heard *= 10 ** (gain_db / 20)
    given: Int16 = np.clip(np.rint(heard), -32_768, 32_767).astype(np.int16)
    return given


@pytest.mark.parametrize("delay_ms", [0, 5, 40, 250, 1_200])
@pytest.mark.parametrize("reverberant", [False, True])
def test_the_delay_is_right_to_half_a_millisecond(delay_ms: float, reverberant: bool) -> None:
    found = measure(recorded(delay_ms=delay_ms, reverberant=reverberant), TRAIN, RATE_HZ)
    assert found.delay_ms == pytest.approx(delay_ms, abs=0.5)
    assert found.heard == found.played == 9


@pytest.mark.parametrize("ppm", [-950, -200, -15, 0, 15, 200, 950])
def test_the_drift_is_right_to_a_part_per_million(ppm: float) -> None:
    found = measure(recorded(ppm=ppm), TRAIN, RATE_HZ)
    assert found.drift_ppm == pytest.approx(ppm, abs=1)
    assert found.delay_ms == pytest.approx(40, abs=0.5)
    assert found.jumps == 0


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_a_microphone_at_another_rate_tells_the_same(rate_hz: int) -> None:
    found = measure(recorded(rate_hz=rate_hz, ppm=80), TRAIN, rate_hz)
    assert found.delay_ms == pytest.approx(40, abs=0.5)
    assert found.drift_ppm == pytest.approx(80, abs=2)
    assert found.echo_db == pytest.approx(-10, abs=2)


@pytest.mark.parametrize("level_db", [0, -10, -25, -40])
def test_the_echo_s_level_is_right_to_2_db(level_db: float) -> None:
    found = measure(recorded(level_db=level_db), TRAIN, RATE_HZ)
    assert found.echo_db == pytest.approx(level_db, abs=2)


def test_headphones_give_no_echo_no_delay_and_no_drift() -> None:
    found = measure(recorded(level_db=-90), TRAIN, RATE_HZ)
    assert found.heard < ENOUGH
    assert (found.delay_ms, found.drift_ppm, found.echo_db, found.jumps) == (None, None, None, 0)
    assert found.noise_dbfs == pytest.approx(-65, abs=0.5)


def test_chirps_are_found_in_noise_that_is_louder_than_they_are() -> None:
    # The chirps come at -46 dBFS.
    found = measure(recorded(level_db=-30, noise_dbfs=-42), TRAIN, RATE_HZ)
    assert found.heard >= ENOUGH
    assert found.delay_ms == pytest.approx(40, abs=1)


def test_an_overdriven_microphone_is_told_by_its_cut_off_waves() -> None:
    quiet = measure(recorded(level_db=0, gain_db=3), TRAIN, RATE_HZ)
    loud = measure(recorded(level_db=0, gain_db=20), TRAIN, RATE_HZ)
    assert quiet.clipped == 0
    assert loud.clipped > 1_000
    assert loud.peak_dbfs > -0.1


def test_waves_cut_off_below_full_scale_are_clipped_too() -> None:
    wave = np.rint(20_000 * np.sin(np.arange(2_000) / 20)).astype(np.int16)
    assert clipped_samples(wave) == 0
    assert clipped_samples(np.clip(wave, -9_000, 12_000).astype(np.int16)) > 500


def test_a_flat_top_of_three_samples_is_clipped_and_one_of_two_is_not() -> None:
    wave = np.zeros(100, np.int16)
    wave[50 : 50 + FLAT_RUN - 1] = 32_767
    assert clipped_samples(wave) == 0
    wave[50 : 50 + FLAT_RUN] = 32_767
    assert clipped_samples(wave) == FLAT_RUN


def test_silence_is_not_clipped() -> None:
    assert clipped_samples(np.zeros(1_000, np.int16)) == 0


def test_lost_samples_are_counted_as_jumps_and_do_not_pass_for_drift() -> None:
    whole = recorded()
    lost = np.delete(whole, slice(7 * RATE_HZ, 7 * RATE_HZ + 480))
    found = measure(lost, TRAIN, RATE_HZ)
    assert found.jumps == 2  # the chirps behind the hole
    assert found.drift_ppm == pytest.approx(0, abs=2)


def test_a_recording_that_breaks_off_is_measured_as_far_as_it_goes() -> None:
    assert measure(recorded()[: 5 * RATE_HZ], TRAIN, RATE_HZ).heard == ENOUGH
    few = measure(recorded()[: 4 * RATE_HZ], TRAIN, RATE_HZ)
    assert few.delay_ms is None


def test_somebody_who_speaks_meanwhile_is_no_chirp() -> None:
    speech = talking(TRAIN.duration_s, "elephants", "monday")
    found = measure(speech, TRAIN, 16_000)
    assert found.delay_ms is None


@settings(max_examples=30, deadline=None)
@arbitrary(st.binary(max_size=4_000), st.sampled_from([8_000, 48_000]))
def test_whatever_was_recorded_there_are_figures(payload: bytes, rate_hz: int) -> None:
    samples = np.frombuffer(payload[: len(payload) // 2 * 2], np.int16)
    found = measure(samples, TRAIN, rate_hz)
    assert found.delay_ms is None
    assert found.clipped <= 2 * samples.size


def test_no_delay_within_reach_fits_the_train_at_two_places() -> None:
    starts = np.array(TRAIN.starts_s)
    for shift_s in np.arange(0.05, DELAY_MAX_S, 0.001):
        near = np.abs(starts[:, None] + shift_s - starts[None, :]).min(axis=1)
        assert np.count_nonzero(near < 0.01) < ENOUGH
