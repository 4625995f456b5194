"""L16 in both byte orders."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_codecs.errors import CodecError
from bridge_codecs.l16 import ByteOrder, decode_l16, encode_l16

ORDERS: tuple[ByteOrder, ...] = ("big", "little")


def test_big_endian_sends_the_high_byte_first() -> None:
    samples = np.array([0x0102, -2], np.int16)

    assert encode_l16(samples, "big") == b"\x01\x02\xff\xfe"
    assert decode_l16(b"\x01\x02\xff\xfe", "big").tolist() == [0x0102, -2]


def test_little_endian_sends_the_low_byte_first() -> None:
    samples = np.array([0x0102, -2], np.int16)

    assert encode_l16(samples, "little") == b"\x02\x01\xfe\xff"
    assert decode_l16(b"\x02\x01\xfe\xff", "little").tolist() == [0x0102, -2]


@pytest.mark.parametrize("order", ORDERS)
def test_decoded_samples_are_in_the_byte_order_of_this_machine(order: ByteOrder) -> None:
    assert decode_l16(b"\x01\x02", order).dtype == np.dtype(np.int16)


@pytest.mark.parametrize("order", ORDERS)
@given(payload=st.binary(max_size=64))
def test_any_bytes_round_trip_or_raise_codec_error(order: ByteOrder, payload: bytes) -> None:
    if len(payload) % 2:
        with pytest.raises(CodecError, match="even number of bytes"):
            decode_l16(payload, order)
    else:
        assert encode_l16(decode_l16(payload, order), order) == payload


def test_an_unknown_byte_order_raises_codec_error() -> None:
    middle: Any = "middle"

    with pytest.raises(CodecError, match="'middle'"):
        decode_l16(b"", middle)
    with pytest.raises(CodecError, match="'middle'"):
        encode_l16(np.zeros(1, np.int16), middle)


def test_floats_are_not_encoded() -> None:
    wrong: Any = np.zeros(4, np.float32)

    with pytest.raises(CodecError, match="one row of int16"):
        encode_l16(wrong, "big")
