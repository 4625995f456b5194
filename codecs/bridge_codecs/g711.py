"""G.711: mu-law and A-law by tables, one octet a sample.

Source: ITU-T Recommendation G.711 (11/88), tables 1 and 2. Linear samples are 16 bits wide and
left-justified: A-law looks at the upper 13, mu-law at the upper 14. Where the Recommendation leaves
open what a sample exactly on a decision value becomes, the ITU's own software (G.191) is followed:
a negative sample is coded by its one's complement.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.pcm import Int16, check_int16

_INT16: Final = np.dtype(np.int16)
_UINT8: Final = np.dtype(np.uint8)
_MULAW_BIAS: Final = 33  # moves the decision values of mu-law to powers of two (14-bit units)
_MULAW_STEP: Final = 4  # a 14-bit unit in 16-bit units
_ALAW_STEP: Final = 16  # an A-law decision unit (12 bits of magnitude) in 16-bit units
_MAGNITUDES: Final = 32_768

# A magnitude code is 3 bits of segment and 4 bits of position within it.
_SEGMENT: NDArray[np.int64] = np.arange(128) >> 4
_POSITION: NDArray[np.int64] = np.arange(128) & 0xF


def decode_ulaw(payload: bytes | bytearray | memoryview) -> Int16:
    """Expand mu-law octets: int16, shape (n,), full scale ±32,124."""
    return _ULAW_TO_LINEAR.take(np.frombuffer(payload, _UINT8))


def encode_ulaw(samples: Int16) -> bytes:
    """Compress int16 samples to mu-law octets.

    Raises: CodecError if the samples are not one row of int16.
    """
    if samples.dtype != _INT16 or samples.ndim != 1:
        check_int16(samples)
    return _LINEAR_TO_ULAW.take(samples).tobytes()


def decode_alaw(payload: bytes | bytearray | memoryview) -> Int16:
    """Expand A-law octets: int16, shape (n,), full scale ±32,256."""
    return _ALAW_TO_LINEAR.take(np.frombuffer(payload, _UINT8))


def encode_alaw(samples: Int16) -> bytes:
    """Compress int16 samples to A-law octets.

    Raises: CodecError if the samples are not one row of int16.
    """
    if samples.dtype != _INT16 or samples.ndim != 1:
        check_int16(samples)
    return _LINEAR_TO_ALAW.take(samples).tobytes()


def _ulaw_decisions() -> NDArray[np.int64]:
    """Lower decision value of each magnitude code, and the end of the last, in 16-bit units."""
    lower = ((16 + _POSITION) << (_SEGMENT + 1)) - _MULAW_BIAS
    lower[0] = 0
    return np.append(lower * _MULAW_STEP, _MAGNITUDES)


def _alaw_decisions() -> NDArray[np.int64]:
    """Lower decision value of each magnitude code, and the end of the last, in 16-bit units."""
    lower = np.where(_SEGMENT == 0, _POSITION, (16 + _POSITION) << np.maximum(_SEGMENT - 1, 0))
    return np.append(lower * _ALAW_STEP, _MAGNITUDES)


def _ulaw_magnitudes() -> NDArray[np.int64]:
    """Output value of each magnitude code: the middle of its interval (G.711, table 2)."""
    biased = (2 * _POSITION + _MULAW_BIAS) << _SEGMENT
    magnitudes: NDArray[np.int64] = (biased - _MULAW_BIAS) * _MULAW_STEP
    return magnitudes


def _alaw_magnitudes() -> NDArray[np.int64]:
    """Output value of each magnitude code: the middle of its interval (G.711, table 1)."""
    decisions = _alaw_decisions()
    return (decisions[:-1] + decisions[1:]) // 2


def _linear_table(magnitudes: NDArray[np.int64], mask: int) -> Int16:
    """256 samples by octet; `mask` tells which bits are inverted on the line."""
    codes = np.arange(256) ^ mask
    values = magnitudes.astype(np.int16)[codes & 0x7F]
    table: Int16 = np.where(codes & 0x80, values, -values)
    return table


def _code_table(decisions: NDArray[np.int64], mask: int) -> NDArray[np.uint8]:
    """65,536 octets by sample, the negative ones from the end; `mask` tells which bits are inverted."""
    codes = np.repeat(np.arange(128), np.diff(decisions))
    # An index below 0 counts from the end, so the negative samples follow the positive, from -32,768 up to -1.
    return (np.concatenate([codes | 0x80, codes[::-1]]) ^ mask).astype(np.uint8)


# The sign bit is 1 for positive samples. mu-law inverts all other bits (positive zero is 0xFF),
# A-law every second bit.
_ULAW_TO_LINEAR: Final = _linear_table(_ulaw_magnitudes(), 0x7F)
_ALAW_TO_LINEAR: Final = _linear_table(_alaw_magnitudes(), 0x55)
_LINEAR_TO_ULAW: Final = _code_table(_ulaw_decisions(), 0x7F)
_LINEAR_TO_ALAW: Final = _code_table(_alaw_decisions(), 0x55)
