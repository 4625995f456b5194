"""G.711 against a reference of its own: the segment search of the ITU's text, sample by sample.

Source of the reference: ITU-T G.711 (11/88), and the conventions of G.191 for 16-bit samples.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge_codecs.errors import CodecError
from bridge_codecs.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from bridge_codecs.pcm import Int16

ALL_CODES = bytes(range(256))
ALL_SAMPLES = np.arange(-32_768, 32_768).astype(np.int16)
NEGATIVE_ZERO = 0x7F  # mu-law only: decodes to 0, and 0 encodes to 0xFF


def reference_ulaw_code(sample: int) -> int:
    magnitude = min(((~sample if sample < 0 else sample) >> 2) + 33, 0x1FFF)
    segment = magnitude.bit_length() - 6
    position = (magnitude >> (segment + 1)) & 0xF
    sign = 0x80 if sample < 0 else 0x00
    return (sign | segment << 4 | position) ^ 0xFF


def reference_ulaw_sample(code: int) -> int:
    inverted = code ^ 0xFF
    segment, position = inverted >> 4 & 7, inverted & 0xF
    magnitude = (((position << 3) + 0x84) << segment) - 0x84
    return -magnitude if inverted & 0x80 else magnitude


def reference_alaw_code(sample: int) -> int:
    magnitude = (~sample if sample < 0 else sample) >> 4
    segment = 0
    while magnitude > 31:
        magnitude >>= 1
        segment += 1
    if magnitude > 15:
        magnitude -= 16
        segment += 1
    sign = 0x00 if sample < 0 else 0x80
    return (sign | segment << 4 | magnitude) ^ 0x55


def reference_alaw_sample(code: int) -> int:
    toggled = code ^ 0x55
    segment, position = toggled >> 4 & 7, toggled & 0xF
    magnitude = (position << 4) + 8
    if segment:
        magnitude = (magnitude + 0x100) << (segment - 1)
    return magnitude if toggled & 0x80 else -magnitude


@pytest.mark.parametrize(
    ("decode", "reference"),
    [(decode_ulaw, reference_ulaw_sample), (decode_alaw, reference_alaw_sample)],
)
def test_all_256_codes_decode_as_the_reference_does(
    decode: Callable[[bytes], Int16], reference: Callable[[int], int]
) -> None:
    samples = decode(ALL_CODES)

    assert samples.dtype == np.int16
    assert samples.tolist() == [reference(code) for code in range(256)]


@pytest.mark.parametrize(
    ("encode", "reference"),
    [(encode_ulaw, reference_ulaw_code), (encode_alaw, reference_alaw_code)],
)
def test_all_65536_samples_encode_as_the_reference_does(
    encode: Callable[[Int16], bytes], reference: Callable[[int], int]
) -> None:
    codes = encode(ALL_SAMPLES)

    assert codes == bytes(reference(sample) for sample in ALL_SAMPLES.tolist())


def test_every_ulaw_code_but_negative_zero_survives_decoding_and_encoding() -> None:
    back = encode_ulaw(decode_ulaw(ALL_CODES))

    changed = [code for code in range(256) if back[code] != code]
    assert changed == [NEGATIVE_ZERO]
    assert back[NEGATIVE_ZERO] == 0xFF


def test_every_alaw_code_survives_decoding_and_encoding() -> None:
    assert encode_alaw(decode_alaw(ALL_CODES)) == ALL_CODES


@pytest.mark.parametrize(
    ("law", "full_scale", "silence"), [("ulaw", 32_124, 0xFF), ("alaw", 32_256, 0xD5)]
)
def test_full_scale_and_silence_are_those_of_the_recommendation(
    law: str, full_scale: int, silence: int
) -> None:
    encode, decode = (encode_ulaw, decode_ulaw) if law == "ulaw" else (encode_alaw, decode_alaw)
    ends = np.array([32_767, -32_768], np.int16)

    assert decode(encode(ends)).tolist() == [full_scale, -full_scale]
    assert encode(np.zeros(1, np.int16)) == bytes([silence])


@pytest.mark.parametrize(("encode", "step"), [(encode_ulaw, 1_024), (encode_alaw, 1_024)])
def test_the_error_is_never_more_than_half_a_step_of_the_top_segment(
    encode: Callable[[Int16], bytes], step: int
) -> None:
    decode = decode_ulaw if encode is encode_ulaw else decode_alaw
    inside = ALL_SAMPLES[np.abs(ALL_SAMPLES.astype(np.int32)) < 32_124 + step // 2]

    error = decode(encode(inside)).astype(np.int32) - inside

    assert np.abs(error).max() <= step // 2


@given(st.binary(max_size=400))
def test_any_bytes_decode_to_one_sample_each(payload: bytes) -> None:
    assert decode_ulaw(payload).size == len(payload)
    assert decode_alaw(memoryview(payload)).size == len(payload)


def test_strided_samples_encode_in_order() -> None:
    samples = ALL_SAMPLES[::-7]

    assert encode_ulaw(samples) == encode_ulaw(samples.copy())


@pytest.mark.parametrize("encode", [encode_ulaw, encode_alaw])
def test_what_is_not_one_row_of_int16_raises_codec_error(encode: Callable[[Any], bytes]) -> None:
    for wrong in (np.zeros(4), np.zeros((2, 2), np.int16), np.zeros(4, ">i2")):
        with pytest.raises(CodecError, match="one row of int16"):
            encode(wrong)
