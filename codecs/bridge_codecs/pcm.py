"""Linear PCM inside the program: mono int16 arrays, and float32 where a filter or model wants it.

Full scale is 32,768: int16 -32,768 is float -1.0. Arrays are not changed after they are made.
"""

import sys
from collections.abc import Callable
from functools import partial
from operator import methodcaller
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.errors import CodecError

Int16: TypeAlias = NDArray[np.int16]
Float32: TypeAlias = NDArray[np.float32]

BYTES_PER_SAMPLE = 2
FULL_SCALE = 32_768
# Bounds of int16 as arrays: as Python numbers they would be converted anew in every call.
LOWEST = np.array(-32_768, np.float32)
HIGHEST = np.array(32_767, np.float32)
_INT16 = np.dtype(np.int16)
_LITTLE = sys.byteorder == "little"

# np.clip costs more than its two halves do; the ufunc behind it costs less than one, but has no public name.
try:
    from numpy._core.umath import clip as _clip  # type: ignore[attr-defined]
except ImportError:

    def _clip(samples: Float32, lowest: Float32, highest: Float32, out: Float32) -> None:
        np.maximum(samples, lowest, out=out)
        np.minimum(out, highest, out=out)


limit: Final[Callable[[Float32, Float32, Float32, Float32], object]] = _clip
"""Limits samples to a range: input, lowest, highest, output."""


def check_int16(samples: NDArray[Any]) -> None:
    """Let mono int16 in this machine's byte order pass.

    Raises: CodecError for another dtype or more than one dimension.
    """
    if samples.dtype != _INT16 or samples.ndim != 1:
        raise CodecError(
            f"samples must be one row of int16, not {samples.ndim} dimensions of {samples.dtype}"
        )


def round_to_int16(scaled: Float32) -> Int16:
    """Round float32 in int16 units to the nearest int16, limited to its range; changes `scaled`."""
    limit(scaled, LOWEST, HIGHEST, scaled)
    np.rint(scaled, scaled)
    return scaled.astype(_INT16)


def to_int16(samples: Float32) -> Int16:
    """Convert float32 in [-1, 1) to int16: rounded to nearest, limited to the range, NaN as 0."""
    # Limited before scaling, so that a huge or infinite sample cannot overflow.
    scaled = np.clip(samples, -1.0, 1.0).astype(np.float32)
    scaled[np.isnan(scaled)] = 0.0
    scaled *= FULL_SCALE
    return round_to_int16(scaled)


def to_float32(samples: Int16) -> Float32:
    """Convert int16 to float32 in [-1, 1), exactly."""
    return np.multiply(samples, 1 / FULL_SCALE, dtype=np.float32)


def from_bytes(payload: bytes | bytearray | memoryview) -> Int16:
    """Read signed 16-bit little-endian samples, shape (n,); read-only, and safe from later writes.

    Raises: CodecError if the number of bytes is odd.
    """
    return words(payload, "<i2")


view_bytes: Final[Callable[[bytes], Int16]] = (
    partial(np.frombuffer, dtype=_INT16) if _LITTLE else from_bytes  # type: ignore[assignment]
)
"""`from_bytes` for an even number of bytes, without the way through Python."""


def words(payload: bytes | bytearray | memoryview, dtype: str) -> Int16:
    """Read 16-bit words of the given numpy dtype; see `from_bytes`."""
    # A view of `bytes` costs no copy; a socket may use the memory behind anything else again.
    kept = bytes(payload)
    if len(kept) % BYTES_PER_SAMPLE:
        raise CodecError(f"16-bit samples need an even number of bytes, not {len(kept)}")
    return np.frombuffer(kept, dtype).astype(np.int16, copy=False)


def to_bytes(samples: Int16) -> bytes:
    """Write int16 samples as signed 16-bit little-endian.

    Raises: CodecError if the samples are not one row of int16.
    """
    if samples.dtype != _INT16 or samples.ndim != 1:
        check_int16(samples)
    return samples.tobytes() if _LITTLE else samples.astype("<i2").tobytes()


raw_bytes: Final[Callable[[Int16], bytes]] = methodcaller("tobytes") if _LITTLE else to_bytes
"""`to_bytes` for what is known to be one row of int16, without the way through Python."""


def silence(n_samples: int) -> Int16:
    """Return `n_samples` of digital silence.

    Raises: CodecError if the number is negative.
    """
    if n_samples < 0:
        raise CodecError(f"cannot make {n_samples} samples of silence")
    return np.zeros(n_samples, np.int16)
