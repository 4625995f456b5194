"""Echo cancellation through the installed wheel: what it takes, what it leaves, and what it never lets through."""

import sys
from importlib import import_module

import numpy as np
import pytest

from bridge.audio.level import frame_levels_dbfs, rms_dbfs
from bridge.errors import MissingExtra
from bridge.legs.device.apm import FRAME_SAMPLES, MAX_DELAY_MS, Apm, is_installed
from bridge_codecs.pcm import Int16
from tests.fakes.echo_path import RATE_HZ, EchoPath, talking, voice

needs_wheel = pytest.mark.skipif(not is_installed(), reason="livekit is not installed")


def frames(samples: Int16) -> list[Int16]:
    return [samples[at : at + FRAME_SAMPLES] for at in range(0, samples.size, FRAME_SAMPLES)]


def cancelled(apm: Apm, played: Int16, heard: Int16, *, delay_ms: float = 40) -> Int16:
    left = []
    for loudspeaker, microphone in zip(frames(played), frames(heard), strict=True):
        apm.played(loudspeaker)
        left.append(apm.heard(microphone, delay_ms))
    return np.concatenate(left)


def with_noise(samples: Int16, dbfs: float = -65.0) -> Int16:
    noise = np.random.default_rng(7).normal(size=samples.size) * 32_768 * 10 ** (dbfs / 20)
    return np.clip(samples + noise, -32_768, 32_767).astype(np.int16)


@needs_wheel
def test_of_an_echo_at_minus_10_db_nothing_loud_passes_from_the_first_frame_on() -> None:
    played = talking(12, "afternoon", "elephants")
    left = cancelled(Apm(), played, with_noise(EchoPath().push(played)))
    levels = frame_levels_dbfs(left, RATE_HZ)
    # The first frame comes before it is known that the loudspeaker sounds.
    assert levels[1:].max() < -50


@needs_wheel
def test_without_the_gate_the_first_second_of_an_echo_would_be_as_loud_as_a_voice() -> None:
    played = talking(4, "afternoon", "elephants")
    apm = Apm()
    apm.gate.learnt = True
    left = cancelled(apm, played, with_noise(EchoPath().push(played)))
    assert frame_levels_dbfs(left[:RATE_HZ], RATE_HZ).max() > -40


@needs_wheel
@pytest.mark.parametrize("told_ms", [0, 40, 120])
def test_a_delay_that_devices_tell_wrongly_does_no_harm(told_ms: float) -> None:
    played = talking(10, "appointment", "hours")
    left = cancelled(Apm(), played, with_noise(EchoPath().push(played)), delay_ms=told_ms)
    assert frame_levels_dbfs(left, RATE_HZ)[1:].max() < -50


@needs_wheel
def test_a_voice_over_the_loudspeaker_passes() -> None:
    played = talking(12, "afternoon", "elephants")
    heard = with_noise(EchoPath().push(played))
    word = voice("monday")
    begin = 8 * RATE_HZ
    heard[begin : begin + word.size] = np.clip(
        heard[begin : begin + word.size].astype(int) + word, -32_768, 32_767
    )
    left = cancelled(Apm(), played, heard)
    passed = left[begin : begin + word.size]
    assert rms_dbfs(passed) > rms_dbfs(word) - 8
    assert frame_levels_dbfs(left[: begin - 800], RATE_HZ)[1:].max() < -50


@needs_wheel
def test_without_an_echo_a_voice_passes_from_its_beginning() -> None:
    word = with_noise(np.resize(voice("monday"), 2 * RATE_HZ))
    left = cancelled(Apm(), np.zeros_like(word), word)
    assert rms_dbfs(left[:RATE_HZ]) > rms_dbfs(word[:RATE_HZ]) - 6


@needs_wheel
def test_a_quiet_voice_comes_up() -> None:
    word = with_noise((np.resize(voice("elephants"), 10 * RATE_HZ) // 16).astype(np.int16), -80)
    left = cancelled(Apm(), np.zeros_like(word), word)
    plain = cancelled(Apm(gain_control=False), np.zeros_like(word), word)
    assert rms_dbfs(left[5 * RATE_HZ :]) > rms_dbfs(plain[5 * RATE_HZ :]) + 5


@needs_wheel
def test_steady_noise_goes_down() -> None:
    noise = with_noise(np.zeros(5 * RATE_HZ, np.int16), -40)
    left = cancelled(Apm(gain_control=False), np.zeros_like(noise), noise)
    assert rms_dbfs(left[2 * RATE_HZ :]) < -50


@needs_wheel
def test_as_many_samples_come_out_as_went_in_whatever_the_delay() -> None:
    apm = Apm()
    frame = voice("monday")[:FRAME_SAMPLES]
    for delay_ms in (-5.0, 0.0, float(MAX_DELAY_MS), 1e9):
        apm.played(frame)
        assert apm.heard(frame, delay_ms).shape == frame.shape
    assert np.array_equal(frame, voice("monday")[:FRAME_SAMPLES])


@needs_wheel
def test_a_frame_that_is_not_10_ms_is_refused() -> None:
    apm = Apm()
    with pytest.raises(ValueError, match="160 samples, not 161"):
        apm.played(np.zeros(161, np.int16))
    with pytest.raises(ValueError, match="160 samples, not 0"):
        apm.heard(np.zeros(0, np.int16), 40)


def test_without_the_wheel_one_sentence_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "livekit.rtc", None)
    with pytest.raises(MissingExtra, match=r"tipring\[talk\].*half-duplex or push-to-talk"):
        Apm()


def test_a_wheel_that_is_not_there_is_not_taken_for_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apm = import_module("bridge.legs.device.apm")
    monkeypatch.setattr(apm, "find_spec", lambda _name: None)
    assert not is_installed()
