import contextlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.legs.carrier.codec import WHOLE_FRAMES, bytes_per_s, decoder, encoder
from bridge.wire.carriers.base import Encoding, MediaFormat
from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16

FORMATS = [
    MediaFormat("ulaw", 8_000),
    MediaFormat("alaw", 8_000),
    MediaFormat("l16le", 16_000),
    MediaFormat("l16be", 24_000),
    MediaFormat("g722", 16_000),
    MediaFormat("opus", 16_000),
    MediaFormat("opus", 48_000),
]


def tone(rate_hz: int, seconds: float = 1.0) -> Int16:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (8_000 * np.sin(2 * np.pi * 400 * at)).astype(np.int16)


def frames(samples: Int16, n: int) -> list[Int16]:
    return [samples[begin : begin + n] for begin in range(0, samples.size, n)]


@pytest.mark.parametrize("audio", FORMATS, ids=lambda a: f"{a.encoding} {a.rate_hz}")
def test_what_was_encoded_is_heard_again_as_long_and_as_loud(audio: MediaFormat) -> None:
    encode, decode = encoder(audio, 20), decoder(audio)
    said = tone(audio.rate_hz)

    heard = np.concatenate([decode(encode(f)) for f in frames(said, audio.rate_hz // 50)])

    assert heard.size == said.size
    late = audio.rate_hz // 10
    assert np.std(heard[late:].astype(float)) == pytest.approx(np.std(said[late:]), rel=0.05)


@pytest.mark.parametrize(
    ("encoding", "payload"), [("l16le", b"\x01\x00\x02\x00"), ("l16be", b"\x00\x01\x00\x02")]
)
def test_each_byte_order_reads_and_writes_its_own(encoding: Encoding, payload: bytes) -> None:
    audio = MediaFormat(encoding, 8_000)

    assert decoder(audio)(payload).tolist() == [1, 2]
    assert encoder(audio, 20)(np.array([1, 2], np.int16)) == payload


@pytest.mark.parametrize("encoding", ["ulaw", "alaw", "l16le", "l16be"])
def test_of_two_channels_the_first_is_heard_and_both_get_what_is_said(encoding: Encoding) -> None:
    stereo, mono = MediaFormat(encoding, 8_000, 2), MediaFormat(encoding, 8_000)
    caller, agent = tone(8_000, 0.02), np.zeros(160, np.int16)
    both = encoder(mono, 20)(np.stack([caller, agent], axis=1).ravel())

    assert np.array_equal(decoder(stereo)(both), decoder(mono)(encoder(mono, 20)(caller)))
    said = decoder(mono)(encoder(stereo, 20)(caller))
    assert np.array_equal(said[::2], said[1::2])


def test_half_a_frame_of_two_channels_is_refused() -> None:
    with pytest.raises(CodecError, match="2 channels"):
        decoder(MediaFormat("ulaw", 8_000, 2))(b"\xff\xff\xff")


@pytest.mark.parametrize(
    ("audio", "frame_ms"),
    [
        (MediaFormat("g722", 8_000), 20),
        (MediaFormat("g722", 16_000, 2), 20),
        (MediaFormat("g722", 16_000), 25),
        (MediaFormat("opus", 12_000), 20),
        (MediaFormat("opus", 16_000), 40),
    ],
)
def test_a_format_that_does_not_exist_is_refused(audio: MediaFormat, frame_ms: int) -> None:
    with pytest.raises(CodecError):
        encoder(audio, frame_ms)


@pytest.mark.parametrize("audio", FORMATS, ids=lambda a: f"{a.encoding} {a.rate_hz}")
def test_a_second_of_audio_has_about_as_many_bytes_as_it_says(audio: MediaFormat) -> None:
    encode = encoder(audio, 20)
    n_bytes = sum(len(encode(f)) for f in frames(tone(audio.rate_hz), audio.rate_hz // 50))

    exact = audio.encoding != "opus"
    assert n_bytes == bytes_per_s(audio) if exact else n_bytes < bytes_per_s(audio)


def test_whole_frames_are_asked_for_by_exactly_the_codecs_that_hold_a_rest_back() -> None:
    assert frozenset({"g722", "opus"}) == WHOLE_FRAMES
    for encoding in ("ulaw", "alaw", "l16le", "l16be"):
        payload = encoder(MediaFormat(encoding, 16_000), 20)(np.ones(7, np.int16))
        assert decoder(MediaFormat(encoding, 16_000))(payload).size == 7


@given(st.sampled_from(FORMATS), st.lists(st.binary(min_size=1, max_size=200), max_size=5))
def test_any_bytes_are_decoded_or_refused(audio: MediaFormat, payloads: list[bytes]) -> None:
    decode = decoder(audio)
    for payload in payloads:
        with contextlib.suppress(CodecError):
            assert decode(payload).dtype == np.int16
