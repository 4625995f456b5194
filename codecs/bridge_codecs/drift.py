"""Two clocks that should be equal: a stream made longer or shorter by parts per million, while it runs.

A stage of one rate whose ratio moves, for the drift between a sound device and the clock of a call; `Resampler` makes
the large, fixed steps. Each output is the input between two samples, by a sinc of 32 samples under a Kaiser window
whose taps are polynomials of the place between them (a Farrow structure): a frame is one product of matrices and a
polynomial, whatever the ratio.

At any ratio, in float: flat within 0.1 dB to 0.425 of the rate; what is wrong with a tone lies 100 dB below it to 0.21
of the rate (3,400 Hz at 16 kHz) and 50 dB at 0.425. With ratio 1 from the start it is only a delay. The group delay is
`DELAY` samples (0.9 ms at 16 kHz), the same at all ratios.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.errors import CodecError
from bridge_codecs.pcm import Float32, Int16, check_int16, round_to_int16

MAX_PPM: Final = 1_000.0
_HALF: Final = 16
_TAPS: Final = 2 * _HALF
DELAY: Final = _HALF - 1
"""Group delay, samples."""
_DEGREE: Final = 7
_KAISER_BETA: Final = 9.0
_ONE: Final = 1 << 48
"""One input sample as a whole number: places are exact, however long the stream."""
_PIECE: Final = 2_048
"""Samples that are filtered at once; longer pushes are cut. Places in a piece fit into 64 bits."""
_HISTORY: Final = _TAPS + 1
_FLOAT_BYTES: Final = 4


class DriftStage:
    """One stream of mono int16 with a ratio near 1. Not for several threads.

    After N samples at an unchanging ratio exactly floor(N * ratio) have come out, however they were chunked; a ratio
    that changes takes effect at the next push, without a step in the signal.
    """

    def __init__(self) -> None:
        self._ppm = 0.0
        self._step = _ONE
        self._next = _ONE
        """Place of the next output, counted from the end of the inputs so far."""
        self._line: Float32 = np.zeros(_HISTORY + _PIECE, np.float32)

    @property
    def ppm(self) -> float:
        """How many more samples come out than go in, parts per million; below 0: fewer.

        The setter limits it to `MAX_PPM` either way.

        Raises (on setting): CodecError for what is no number.
        """
        return self._ppm

    @ppm.setter
    def ppm(self, ppm: float) -> None:
        if not abs(ppm) >= 0:
            raise CodecError(f"a drift must be a number of parts per million, not {ppm!r}")
        self._ppm = min(max(ppm, -MAX_PPM), MAX_PPM)
        self._step = int(_ONE / (1 + self._ppm * 1e-6))  # down: a place on the border is reached

    def push(self, samples: Int16) -> Int16:
        """Take shape (n,) int16; returns the about n samples that they complete.

        Raises: CodecError if it is not one row of int16.
        """
        check_int16(samples)
        if samples.size <= _PIECE:
            return self._take(samples)
        cuts = range(0, samples.size, _PIECE)
        return np.concatenate([self._take(samples[cut : cut + _PIECE]) for cut in cuts])

    def reset(self) -> None:
        """Forget the stream, keep the ratio."""
        self._line[:] = 0.0
        self._next = self._step

    def _take(self, samples: Int16) -> Int16:
        n = samples.size
        line = self._line
        line[_HISTORY : _HISTORY + n] = samples
        made = self._interpolated(n)
        line[:_HISTORY] = line[n : n + _HISTORY].copy()
        return round_to_int16(made)

    def _interpolated(self, n: int) -> Float32:
        count = (n * _ONE - self._next) // self._step + 1
        if count <= 0:
            self._next -= n * _ONE
            return np.empty(0, np.float32)
        places = self._next + self._step * np.arange(count, dtype=np.int64)
        self._next += count * self._step - n * _ONE
        # An output at place p needs inputs up to ceil(p) - 1, with p = whole - 1 + between.
        whole = (places + (_ONE - 1)) >> 48
        between = ((places - (whole - 1) * _ONE) / _ONE - 0.5).astype(np.float32)
        return _horner(self._branches(whole), between)

    def _branches(self, whole: NDArray[np.int64]) -> Float32:
        """The polynomial of each output, shape (outputs, degree + 1)."""
        first, last = int(whole[0]), int(whole[-1])
        rows = self._windows(first, last - first + 1)
        # A place was left out or came twice; never both in one piece.
        if whole.size != last - first + 1:
            rows = rows[whole - first]
        branches: Float32 = rows.dot(_FARROW)
        return branches

    def _windows(self, first: int, count: int) -> Float32:
        """The taps' inputs for places that end with input number ``first`` (1 is the first new one) and following."""
        begin = _HISTORY + first - _TAPS
        shape, strides = (count, _TAPS), (_FLOAT_BYTES, _FLOAT_BYTES)
        return np.ndarray(shape, np.float32, self._line.data, begin * _FLOAT_BYTES, strides)


def _horner(branches: Float32, at: Float32) -> Float32:
    made = branches[:, _DEGREE].copy()
    for power in range(_DEGREE - 1, -1, -1):
        made *= at
        made += branches[:, power]
    return made


def _farrow() -> Float32:
    """The polynomials of all taps, shape (taps, degree + 1), in the place between two samples less one half."""
    nodes = 0.5 * np.cos(np.pi * (np.arange(64) + 0.5) / 64)
    # Tap j stands at input j - 31 of the place's last input; the output's middle lies _HALF before its place.
    offset = np.arange(_TAPS)[:, np.newaxis] - (_TAPS - 1) + _HALF - (nodes + 0.5)
    inside = np.clip(1.0 - (offset / _HALF) ** 2, 0.0, None)
    values: NDArray[Any] = np.sinc(offset) * np.i0(_KAISER_BETA * np.sqrt(inside))
    values /= values.sum(axis=0)
    powers = np.vander(nodes, _DEGREE + 1, increasing=True)
    taps: Float32 = np.linalg.lstsq(powers, values.T, rcond=None)[0].T.astype(np.float32)
    return np.ascontiguousarray(taps)


_FARROW: Final = _farrow()
