"""PCM helpers: conversions at and beyond the ends of the range, and foreign bytes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import from_bytes, silence, to_bytes, to_float32, to_int16


def test_every_int16_survives_the_way_through_float32() -> None:
    samples = np.arange(-32_768, 32_768).astype(np.int16)

    back = to_int16(to_float32(samples))

    assert np.array_equal(back, samples)


def test_float32_full_scale_is_32768() -> None:
    samples = np.array([-32_768, -16_384, 0, 16_384], np.int16)

    floats = to_float32(samples)

    assert floats.dtype == np.float32
    assert floats.tolist() == [-1.0, -0.5, 0.0, 0.5]


def test_loud_floats_are_limited_and_never_wrap() -> None:
    loud = np.array([1.0, 1.5, 3e38, np.inf, -1.0, -1.5, -3e38, -np.inf], np.float32)

    samples = to_int16(loud)

    assert samples.tolist() == [32_767] * 4 + [-32_768] * 4


def test_ten_thousand_frames_of_any_bits_come_out_in_range_and_in_order() -> None:
    bits = np.random.default_rng(13).integers(0, 2**32, (10_000, 160), np.uint32)
    samples = bits.view(np.float32).reshape(-1)
    made = to_int16(samples)

    numbers = ~np.isnan(samples)
    assert made.dtype == np.int16
    assert not made[~numbers].any()
    order = np.argsort(samples[numbers])
    assert (np.diff(made[numbers][order].astype(np.int32)) >= 0).all()
    assert (made[samples >= 1] == 32_767).all()
    assert (made[samples <= -1] == -32_768).all()


def test_nan_becomes_silence() -> None:
    samples = to_int16(np.array([0.25, np.nan, -0.25], np.float32))

    assert samples.tolist() == [8_192, 0, -8_192]


def test_floats_are_rounded_to_the_nearest_and_not_towards_zero() -> None:
    scaled = np.array([1.6, 1.4, -1.6, -1.4], np.float32)

    samples = to_int16((scaled / 32_768).astype(np.float32))

    assert samples.tolist() == [2, 1, -2, -1]


def test_conversion_leaves_its_input_alone() -> None:
    floats = np.array([2.0, np.nan, 0.1], np.float32)
    before = floats.copy()

    to_int16(floats)

    assert np.array_equal(floats, before, equal_nan=True)


@given(st.binary(max_size=64))
def test_bytes_of_even_length_round_trip_and_odd_ones_raise_codec_error(payload: bytes) -> None:
    if len(payload) % 2:
        with pytest.raises(CodecError, match="even number of bytes"):
            from_bytes(payload)
    else:
        assert to_bytes(from_bytes(payload)) == payload


def test_bytes_are_little_endian() -> None:
    assert from_bytes(b"\x01\x02\xff\xff").tolist() == [0x0201, -1]


def test_samples_stay_when_the_buffer_they_came_from_is_used_again() -> None:
    buffer = bytearray(b"\x01\x00\x02\x00")
    samples = from_bytes(memoryview(buffer))

    buffer[:] = b"\xff\xff\xff\xff"

    assert samples.tolist() == [1, 2]


def test_strided_samples_are_written_in_order() -> None:
    samples = np.arange(6, dtype=np.int16)[::2]

    assert to_bytes(samples) == b"\x00\x00\x02\x00\x04\x00"


@pytest.mark.parametrize("wrong", [np.zeros(2), np.zeros((2, 2), np.int16), np.zeros(2, ">i2")])
def test_what_is_not_one_row_of_int16_raises_codec_error(wrong: np.ndarray) -> None:
    with pytest.raises(CodecError, match="one row of int16"):
        to_bytes(wrong)


def test_silence_is_zeros_of_the_length_asked_for() -> None:
    assert silence(3).tolist() == [0, 0, 0]
    assert silence(3).dtype == np.int16
    assert silence(0).size == 0


def test_a_negative_length_of_silence_raises_codec_error() -> None:
    with pytest.raises(CodecError, match="-1 samples"):
        silence(-1)
