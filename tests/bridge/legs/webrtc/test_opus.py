"""Opus by libopus and, where it cannot be had, by PyAV."""

import ctypes
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.legs.webrtc import opus
from bridge.legs.webrtc.options import OPUS_HZ
from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16

KINDS = ("libopus", "copy in PyAV", "PyAV")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way to have Opus."""
    if request.param == "copy in PyAV":
        copies = opus._in_pyav()
        if not copies:
            pytest.skip("this PyAV brings no libopus")
        monkeypatch.setattr(opus, "_LIB", opus._declared(ctypes.PyDLL(copies[0])))
    elif request.param == "PyAV":
        monkeypatch.setattr(opus, "_LIB", None)
    elif opus._LIB is None:
        pytest.skip("there is no libopus on this machine")
    return str(request.param)


def voice_like(rate_hz: int, seconds: float = 1.0) -> Int16:
    """Harmonics of 120 Hz that come and go."""
    at = np.arange(round(rate_hz * seconds)) / rate_hz
    tones = sum(np.sin(2 * np.pi * 120 * k * at + k) / k for k in range(1, 12))
    return (4_000 * tones * (1 + np.sin(2 * np.pi * 3 * at)) / 2).astype(np.int16)


def encoded(samples: Int16, encoder: opus.Encoder) -> list[bytes]:
    n = encoder.frame_samples
    return [encoder.encode(samples[i : i + n]) for i in range(0, samples.size - n + 1, n)]


@pytest.mark.parametrize("rate_hz", OPUS_HZ)
def test_what_is_encoded_is_decoded_at_every_rate(kind: str, rate_hz: int) -> None:
    samples = voice_like(rate_hz)
    packets = encoded(samples, opus.make_encoder(rate_hz, 28_000))
    decoder = opus.make_decoder(rate_hz)
    heard = np.concatenate([decoder.decode(packet) for packet in packets])
    assert heard.size == samples.size
    assert heard.dtype == np.int16
    spectrum = np.abs(np.fft.rfft(heard[heard.size // 4 :].astype(float)))
    loudest = np.argmax(spectrum) * rate_hz / (heard.size * 3 / 4)
    assert loudest == pytest.approx(120, abs=8)


@pytest.mark.parametrize("n_samples", [120, 960, 2_880, 7, 1_001, 5_760])
def test_what_is_lost_is_as_long_as_it_was(kind: str, n_samples: int) -> None:
    decoder = opus.make_decoder(16_000)
    assert decoder.conceal(n_samples).size == n_samples // 3
    for packet in encoded(voice_like(16_000), opus.make_encoder(16_000, 28_000)):
        decoder.decode(packet)
    assert decoder.conceal(n_samples).size == n_samples // 3
    assert decoder.conceal(n_samples, b"\xff").size == n_samples // 3


def test_a_copy_in_the_next_packet_is_nearer_the_truth_than_a_guess() -> None:
    if opus._LIB is None:
        pytest.skip("there is no libopus on this machine")
    rng = np.random.default_rng(3)
    samples = voice_like(16_000, 4.0)
    samples = (samples * np.repeat(rng.choice([0.05, 1.0], 50), 1_280)).astype(np.int16)
    encoder = opus.make_encoder(16_000, 28_000)
    encoder.expect_loss(20)
    packets = encoded(samples, encoder)
    errors = {"copy": 0.0, "guess": 0.0}
    for lost in range(20, 190, 5):
        for how in errors:
            decoder, truth = opus.make_decoder(16_000), opus.make_decoder(16_000)
            for packet in packets[lost - 15 : lost]:
                decoder.decode(packet)
                truth.decode(packet)
            made = decoder.conceal(960, packets[lost + 1] if how == "copy" else None)
            wanted = truth.decode(packets[lost])
            errors[how] += float(np.square(made.astype(float) - wanted).mean())
    assert errors["copy"] < errors["guess"] / 2


@given(st.binary(max_size=200))
def test_bytes_that_are_no_packet_are_refused_and_the_stream_goes_on(payload: bytes) -> None:
    decoder = opus.make_decoder(16_000)
    try:
        samples = decoder.decode(payload)
    except CodecError:
        pass
    else:
        assert samples.size <= 16_000 * 120 // 1000
    good = opus.make_encoder(16_000, 28_000).encode(np.zeros(320, np.int16))
    assert decoder.decode(good).size == 320


def test_a_frame_of_another_length_or_kind_is_refused(kind: str) -> None:
    encoder = opus.make_encoder(16_000, 28_000)
    for frame in (np.zeros(319, np.int16), np.zeros(320, np.float32), np.zeros((320, 1), np.int16)):
        with pytest.raises(CodecError):
            encoder.encode(frame)  # type: ignore[arg-type]


def test_a_rate_that_opus_does_not_have_is_refused(kind: str) -> None:
    for make in (lambda: opus.make_decoder(44_100), lambda: opus.make_encoder(11_025, 28_000)):
        with pytest.raises(CodecError, match="kHz"):
            make()


def test_what_is_sent_is_mono_speech_of_about_the_bitrate_asked_for() -> None:
    packets = encoded(voice_like(24_000, 4.0), opus.make_encoder(24_000, 28_000))
    rate = 8 * sum(map(len, packets)) / 4.0
    assert 14_000 < rate < 32_000
    assert not any(packet[0] & 0x04 for packet in packets)  # RFC 6716 section 3.1: the stereo bit


def test_no_library_means_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opus, "_in_pyav", list)
    monkeypatch.setattr(opus, "_NAMES", {sys.platform: ("no such library",)})
    assert opus.load_libopus() is None
