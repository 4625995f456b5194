import io
import struct

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.batch.wav_reader import (
    MAX_CHANNELS,
    MAX_CHUNKS,
    MAX_RATE_HZ,
    MIN_RATE_HZ,
    open_plain,
    read_left,
)
from bridge.errors import AudioFileError
from bridge_codecs.pcm import Int16

RNG = np.random.default_rng(7)


def wav(
    data: bytes = b"\1\2\3\4",
    *,
    tag: int = 1,
    channels: int = 1,
    rate_hz: int = 8_000,
    bits: int = 16,
    data_length: int | None = None,
    before: bytes = b"",
    riff_length: int = 100,
) -> bytes:
    block = channels * bits // 8
    form = struct.pack(
        "<HHIIHH", tag, channels, rate_hz, rate_hz * block % 2**32, block % 65536, bits
    )
    length = len(data) if data_length is None else data_length
    chunks = before + chunk(b"fmt ", form) + b"data" + struct.pack("<I", length) + data
    return b"RIFF" + struct.pack("<I", riff_length) + b"WAVE" + chunks


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) & 1)


def left_of(content: bytes) -> Int16:
    file = io.BytesIO(content)
    layout = open_plain(file)
    assert layout is not None
    return np.concatenate([b.samples for b in read_left(file, layout)] or [np.zeros(0, np.int16)])


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_every_width_reads_as_libsndfile_reads_it(
    subtype: str, extensible: bool, channels: int
) -> None:
    written = io.BytesIO()
    form = "WAVEX" if extensible else "WAV"
    sound = RNG.uniform(-0.9, 0.9, (3_001, channels))
    soundfile.write(written, sound, 16_000, format=form, subtype=subtype)
    written.seek(0)
    expected, _ = soundfile.read(written, dtype="float64", always_2d=True)

    got = left_of(written.getvalue())

    assert got.size == 3_001
    assert np.abs(got / 32_768 - expected[:, 0]).max() <= 1 / 32_768


def test_sixteen_bits_are_exact() -> None:
    samples = RNG.integers(-32_768, 32_768, 70_001).astype("<i2")

    assert np.array_equal(left_of(wav(samples.tobytes())), samples)


@pytest.mark.parametrize(
    "content", [b"", b"RIFF", b"RIFX....WAVE", b"fLaC" + bytes(100), wav(tag=2), wav(tag=7)]
)
def test_what_is_no_plain_wav_is_left_to_others(content: bytes) -> None:
    assert open_plain(io.BytesIO(content)) is None


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (wav(rate_hz=0), "0 samples a second"),
        (wav(rate_hz=MIN_RATE_HZ - 1), "999"),
        (wav(rate_hz=MAX_RATE_HZ + 1), "384001"),
        (wav(rate_hz=4_000_000_000), "4000000000"),
        (wav(channels=0), "0 channels"),
        (wav(channels=MAX_CHANNELS + 1), "33 channels"),
        (wav(channels=65_535), "65535 channels"),
        (wav(bits=0), "0 bits"),
        (wav(bits=7), "7 bits"),
        (wav(bits=12), "12 bits"),
        (wav(bits=64), "64 bits per integer"),
        (wav(tag=3, bits=16), "16 bits per float"),
        (wav()[:30], "ends before"),
        (wav()[:40], "ends before"),
        (b"RIFF\0\0\0\0WAVE" + chunk(b"fmt ", b"\1\0\1\0") + chunk(b"data", b""), "cut off"),
        (wav(before=chunk(b"LIST", b"") * MAX_CHUNKS), "chunks"),
    ],
)
def test_a_wav_that_cannot_be_is_refused_with_the_reason(content: bytes, word: str) -> None:
    with pytest.raises(AudioFileError, match=word):
        open_plain(io.BytesIO(content))


@pytest.mark.parametrize("rate_hz", [MIN_RATE_HZ, MAX_RATE_HZ])
def test_rates_at_the_limits_are_read(rate_hz: int) -> None:
    assert left_of(wav(rate_hz=rate_hz)).size == 2


def test_as_many_channels_and_chunks_as_may_be_are_read() -> None:
    many = wav(bytes(2 * MAX_CHANNELS), channels=MAX_CHANNELS)
    chunky = wav(before=chunk(b"LIST", b"x") * (MAX_CHUNKS - 2))

    assert left_of(many).size == 1
    assert left_of(chunky).size == 2


def test_a_length_that_lies_is_cut_to_what_is_there() -> None:
    layout = open_plain(io.BytesIO(wav(b"\1\0\2\0\3", data_length=1_000)))

    assert layout is not None
    assert (layout.n_frames, layout.n_frames_promised) == (2, 500)


@pytest.mark.parametrize(("length", "riff"), [(0xFFFFFFFF, 100), (0, 0), (0, 0xFFFFFFFF)])
def test_an_endless_length_means_to_the_end(length: int, riff: int) -> None:
    content = wav(b"\1\0\2\0", data_length=length, riff_length=riff)
    layout = open_plain(io.BytesIO(content))

    assert layout is not None
    assert (layout.n_frames, layout.n_frames_promised) == (2, None)


def test_no_audio_and_text_behind_it_is_no_audio() -> None:
    assert left_of(wav(b"") + chunk(b"LIST", b"text")).size == 0


def test_the_format_may_come_after_the_audio() -> None:
    form = wav()[12:36]
    content = b"RIFF\0\0\0\0WAVE" + chunk(b"data", b"\1\0\2\0") + form

    assert left_of(content).tolist() == [1, 2]


def test_numbers_that_are_none_become_silence_and_are_counted() -> None:
    numbers = np.array([0.5, np.nan, np.inf, -np.inf, 2.0, -5.0], "<f4")
    file = io.BytesIO(wav(numbers.tobytes(), tag=3, bits=32))
    layout = open_plain(file)
    assert layout is not None

    [block] = read_left(file, layout)

    assert block.samples.tolist() == [16_384, 0, 0, 0, 32_767, -32_768]
    assert block.n_strange == 3


def test_doubles_beyond_any_float_are_clamped_without_a_warning() -> None:
    numbers = np.array([1e300, -1e300], "<f8")

    assert left_of(wav(numbers.tobytes(), tag=3, bits=64)).tolist() == [32_767, -32_768]


@settings(max_examples=300)
@given(st.data())
def test_a_mutated_wav_is_audio_or_refused(data: st.DataObject) -> None:
    content = bytearray(wav(bytes(range(200)), tag=data.draw(st.sampled_from([1, 3, 0xFFFE]))))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, 60))] = data.draw(st.integers(0, 255))
    del content[data.draw(st.integers(0, len(content))) :]
    file = io.BytesIO(bytes(content))

    try:
        layout = open_plain(file)
    except AudioFileError:
        return

    if layout is not None:
        samples = [block.samples for block in read_left(file, layout)]
        assert all(piece.dtype == np.int16 for piece in samples)
        assert sum(piece.size for piece in samples) == layout.n_frames


@given(st.binary(max_size=200))
def test_any_bytes_behind_a_riff_head_are_audio_or_refused(body: bytes) -> None:
    file = io.BytesIO(b"RIFF\0\0\0\0WAVE" + body)

    try:
        layout = open_plain(file)
    except AudioFileError:
        return

    assert layout is None or layout.n_frames >= 0
