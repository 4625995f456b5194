"""G.722: what goes in comes out, 22 samples later, sample for sample, however it was cut."""

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_codecs.errors import CodecError
from bridge_codecs.g722 import (
    DELAY_SAMPLES,
    FRAME_MS,
    RTP_CLOCK_HZ,
    SAMPLE_RATE_HZ,
    G722Decoder,
    G722Encoder,
)
from bridge_codecs.pcm import Int16


def chirp(n_samples: int, low_hz: float = 100.0, high_hz: float = 6_500.0) -> Int16:
    time_s = np.arange(n_samples) / SAMPLE_RATE_HZ
    slope = (high_hz - low_hz) / time_s[-1]
    phase = 2 * np.pi * (low_hz * time_s + slope * time_s**2 / 2)
    samples: Int16 = np.rint(10_000 * np.sin(phase)).astype(np.int16)
    return samples


def snr_db(sent: Int16, heard: Int16, delay: int) -> float:
    signal = sent[: sent.size - delay].astype(np.float64)
    error = heard[delay:] - signal
    return float(10 * np.log10(np.mean(signal**2) / np.mean(error**2)))


SPEECHLIKE = chirp(3_200)
OCTETS = G722Encoder().encode(SPEECHLIKE)


def test_the_rtp_clock_is_half_the_sample_rate() -> None:
    assert (SAMPLE_RATE_HZ, RTP_CLOCK_HZ) == (16_000, 8_000)
    assert len(OCTETS) * SAMPLE_RATE_HZ == SPEECHLIKE.size * RTP_CLOCK_HZ


@pytest.mark.parametrize(
    ("low_hz", "high_hz", "least_db"), [(100, 3_400, 30.0), (100, 6_500, 18.0)]
)
def test_a_round_trip_keeps_the_audio(low_hz: float, high_hz: float, least_db: float) -> None:
    sent = chirp(32_000, low_hz, high_hz)

    heard = G722Decoder().decode(G722Encoder().encode(sent))

    assert heard.dtype == np.int16
    assert heard.size == sent.size
    assert snr_db(sent, heard, DELAY_SAMPLES) > least_db


def test_the_delay_is_22_samples_and_no_other() -> None:
    noise = np.random.default_rng(1).standard_normal(16_000)
    sent = (np.convolve(noise, np.hanning(12), "same") * 1_000).astype(np.int16)
    heard = G722Decoder().decode(G722Encoder().encode(sent))

    best = max(range(60), key=lambda delay: snr_db(sent, heard, delay))

    assert best == DELAY_SAMPLES


@given(cuts=st.lists(st.integers(0, 3_200), max_size=20))
def test_the_octets_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    encoder = G722Encoder()

    made = [encoder.encode(chunk) for chunk in np.split(SPEECHLIKE, sorted(cuts))]

    assert b"".join(made) == OCTETS
    assert encoder.pending == 0


@given(cuts=st.lists(st.integers(0, 1_600), max_size=20))
def test_the_samples_do_not_depend_on_the_chunks(cuts: list[int]) -> None:
    decoder, edges = G722Decoder(), [0, *sorted(cuts), len(OCTETS)]

    made = [decoder.decode(OCTETS[start:end]) for start, end in pairwise(edges)]

    assert [chunk.size for chunk in made] == [2 * (end - start) for start, end in pairwise(edges)]
    assert np.array_equal(np.concatenate(made), G722Decoder().decode(OCTETS))


@pytest.mark.parametrize("frame_ms", FRAME_MS)
def test_only_what_fills_no_frame_is_held_back(frame_ms: int) -> None:
    encoder, n_frame = G722Encoder(frame_ms), 16 * frame_ms

    assert encoder.encode(SPEECHLIKE[: n_frame - 1]) == b""
    assert encoder.pending == n_frame - 1
    assert encoder.encode(SPEECHLIKE[n_frame - 1 : n_frame]) == OCTETS[: n_frame // 2]
    assert encoder.pending == 0


@pytest.mark.parametrize("frame_ms", [0, 5, 15, 50, 80, -20])
def test_another_frame_length_raises_codec_error(frame_ms: int) -> None:
    with pytest.raises(CodecError, match="10, 20, 30, 40 or 60 ms"):
        G722Encoder(frame_ms)


@pytest.mark.parametrize(("n_samples", "n_octets"), [(0, 0), (1, 1), (318, 159), (501, 251)])
def test_a_flush_gives_the_rest_and_loses_nothing(n_samples: int, n_octets: int) -> None:
    encoder = G722Encoder()

    made = encoder.encode(SPEECHLIKE[:n_samples]) + encoder.flush()

    assert len(made) == n_octets
    assert made[: n_samples // 2] == OCTETS[: n_samples // 2]


def test_after_a_flush_a_new_stream_begins() -> None:
    encoder = G722Encoder()
    encoder.encode(SPEECHLIKE[:1_000])

    encoder.flush()

    assert encoder.pending == 0
    assert encoder.encode(SPEECHLIKE) == OCTETS


def test_a_reset_forgets_the_stream() -> None:
    encoder, decoder = G722Encoder(), G722Decoder()
    encoder.encode(SPEECHLIKE[:1_001])
    decoder.decode(OCTETS[500:])

    encoder.reset()
    decoder.reset()

    assert encoder.encode(SPEECHLIKE) == OCTETS
    assert np.array_equal(decoder.decode(OCTETS), G722Decoder().decode(OCTETS))


def test_what_was_encoded_may_be_overwritten() -> None:
    encoder, buffer, made = G722Encoder(), np.zeros(100, np.int16), b""

    for at in range(0, 3_200, 100):
        buffer[:] = SPEECHLIKE[at : at + 100]
        made += encoder.encode(buffer)

    assert made == OCTETS


def test_octets_and_samples_are_those_of_the_ffmpeg_program() -> None:
    # All arithmetic of G.722 is in integers: the digests hold on every machine. They were taken
    # from the output of ffmpeg 5.1.9 (November 2026).
    ramp = (np.arange(3_200) * 20 - 32_000).astype(np.int16)

    octets = G722Encoder().encode(ramp)
    samples = G722Decoder().decode(bytes(range(256)) * 4)

    assert hashlib.sha256(octets).hexdigest()[:16] == "04c9f85094db1902"
    assert hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest()[:16] == "1d23579266c9a55f"


@given(st.binary(max_size=500))
def test_any_octets_decode_to_two_samples_each(payload: bytes) -> None:
    assert G722Decoder().decode(memoryview(payload)).size == 2 * len(payload)


def test_samples_stay_when_the_buffer_they_came_from_is_used_again() -> None:
    buffer, decoder = bytearray(OCTETS), G722Decoder()
    samples = decoder.decode(memoryview(buffer))
    before = samples.copy()

    buffer[:] = bytes(len(buffer))
    decoder.decode(buffer)

    assert np.array_equal(samples, before)


@pytest.mark.parametrize("wrong", [np.zeros(4), np.zeros((2, 2), np.int16)])
def test_what_is_not_one_row_of_int16_raises_codec_error(wrong: Int16) -> None:
    with pytest.raises(CodecError, match="one row of int16"):
        G722Encoder().encode(wrong)
