"""A whole recording from one rate to another, aligned: the first sample stays the first.

The streaming resampler of `bridge_codecs` serves every pair of rates it knows; odd rates (44,056,
96,000 Hz, …) go through FFmpeg's. `n` samples become `n * to_hz // from_hz` with the first, within
one of that with the second.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler

_NOTHING = np.zeros(0, np.int16)


class RateConverter(Protocol):
    """Int16 in, int16 out; what is still inside comes with `flush`, once, at the end."""

    def push(self, samples: Int16) -> Int16:
        """Give what these samples complete."""
        ...

    def flush(self) -> Int16:
        """Give what is left."""
        ...


def make_converter(from_hz: int, to_hz: int) -> RateConverter:
    """A converter for one recording; equal rates pass through."""
    if from_hz == to_hz:
        return _Same()
    try:
        return _Polyphase(Resampler(from_hz, to_hz))
    except CodecError:
        return _Foreign(from_hz, to_hz)


class _Same:
    def push(self, samples: Int16) -> Int16:
        return samples

    def flush(self) -> Int16:
        return _NOTHING


class _Polyphase:
    """Ours, with its delay taken off the beginning and given back at the end."""

    def __init__(self, resampler: Resampler) -> None:
        self._resampler = resampler
        self._to_drop = resampler.delay_samples

    def push(self, samples: Int16) -> Int16:
        made = self._resampler.push(samples)
        dropped = min(self._to_drop, made.size)
        self._to_drop -= dropped
        return made[dropped:]

    def flush(self) -> Int16:
        tail: Int16 = self._resampler.flush()
        return tail[self._to_drop :]


class _Foreign:
    """FFmpeg's, which aligns by itself."""

    def __init__(self, from_hz: int, to_hz: int) -> None:
        import av  # noqa: PLC0415 - 50 ms, for odd rates only

        self._from_hz = from_hz
        self._new_frame = av.AudioFrame.from_ndarray
        self._resampler = av.AudioResampler(format="s16", layout="mono", rate=to_hz)

    def push(self, samples: Int16) -> Int16:
        if not samples.size:
            return _NOTHING
        row = np.ascontiguousarray(samples.reshape(1, -1))
        frame = self._new_frame(row, format="s16", layout="mono")
        frame.sample_rate = self._from_hz
        return _joined(out.to_ndarray()[0] for out in self._resampler.resample(frame))

    def flush(self) -> Int16:
        return _joined(out.to_ndarray()[0] for out in self._resampler.resample(None))


def _joined(pieces: Iterator[Int16]) -> Int16:
    return np.concatenate([_NOTHING, *pieces])
