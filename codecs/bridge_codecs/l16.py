"""L16: linear 16-bit samples as bytes, in either byte order.

RFC 3551 section 4.5.11 sends them big-endian on RTP; carrier sockets and AI calls mostly send
little-endian and say so, or do not.
"""

from typing import Literal, TypeAlias

from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16, check_int16, words

ByteOrder: TypeAlias = Literal["big", "little"]

_DTYPES = {"big": ">i2", "little": "<i2"}


def decode_l16(payload: bytes | bytearray | memoryview, byteorder: ByteOrder) -> Int16:
    """Read L16 bytes: int16, shape (n,).

    Raises: CodecError if the number of bytes is odd or the byte order unknown.
    """
    return words(payload, _dtype(byteorder))


def encode_l16(samples: Int16, byteorder: ByteOrder) -> bytes:
    """Write int16 samples as L16 bytes.

    Raises: CodecError if the samples are not one row of int16 or the byte order is unknown.
    """
    check_int16(samples)
    return samples.astype(_dtype(byteorder), copy=False).tobytes()


def _dtype(byteorder: str) -> str:
    dtype = _DTYPES.get(byteorder)
    if dtype is None:
        raise CodecError(f"the byte order is 'big' or 'little', not {byteorder!r}")
    return dtype
