"""Streaming change of sample rate without bursts: what goes in comes out at once.

After N samples in, exactly floor(N * to / from) have come out, however they were cut into chunks,
2 ms behind at most. Chunkings agree to one unit of int16; the same chunks on the same machine give
the same bytes. The products run on BLAS. Its threads only get in the way of matrices this small:
set OPENBLAS_NUM_THREADS=1 where the process starts, before numpy is imported.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.errors import CodecError
from bridge_codecs.filterbank import Cell, FilterBank, check_rate, filter_bank
from bridge_codecs.pcm import FULL_SCALE, HIGHEST, LOWEST, Float32, Int16, limit, round_to_int16

Samples: TypeAlias = Int16 | Float32
Frame: TypeAlias = Callable[[NDArray[Any]], Int16 | None]
"""Takes a frame of int16 of a certain length; None has taken nothing, because it was another."""

_INT16: Final = np.dtype(np.int16)
_FLOAT32: Final = np.dtype(np.float32)
_FLOAT_BYTES: Final = 4
_PIECES_PER_S: Final = 50  # 20 ms are filtered at once; longer pushes are cut
# Float audio beyond this is not audio. It admits int16 values that somebody forgot to scale.
_LOUDEST: Final = 32_768.0


class Resampler:
    """One stream of mono audio from one rate to another.

    Rates are 8, 11.025, 12, 16, 22.05, 24, 32, 44.1 and 48 kHz; equal rates pass through. Each push
    answers in the type it was given, int16 or float32 (full scale 1.0). Not for several threads.

    Raises: CodecError for a rate that is not supported.
    """

    __slots__ = ("_dtype", "_filter", "_frame", "from_hz", "to_hz")

    def __init__(self, from_hz: int, to_hz: int) -> None:
        check_rate(from_hz)
        check_rate(to_hz)
        self.from_hz = from_hz
        self.to_hz = to_hz
        self._filter = None if from_hz == to_hz else _Filter(filter_bank(from_hz, to_hz), from_hz)
        self._dtype: np.dtype[np.int16 | np.float32] = _INT16  # of the last push
        self._frame: Frame | None = None  # takes another frame of int16 like the last, in short

    def __str__(self) -> str:
        return f"pcm {self.from_hz} -> pcm {self.to_hz}"

    @property
    def delay_samples(self) -> int:
        """The group delay in output samples: fixed, and 2 ms at most."""
        return 0 if self._filter is None else self._filter.bank.delay

    @overload
    def push(self, samples: Int16) -> Int16: ...
    @overload
    def push(self, samples: Float32) -> Float32: ...
    def push(self, samples: Samples) -> Samples:
        """Take samples, shape (n,), and return all that they complete.

        int16 is rounded and limited, never wrapped. In float32 NaN counts as 0; the output may pass
        full scale by as much as the filter overshoots.

        Raises: CodecError if it is not one row of int16 or float32.
        """
        if self._frame is not None and samples.dtype is _INT16:
            resampled = self._frame(samples)
            if resampled is not None:
                return resampled
        if samples.dtype == _INT16 and samples.ndim == 1:
            self._dtype = _INT16
            return samples if self._filter is None else self._push_int16(samples, self._filter)
        if samples.dtype != _FLOAT32 or samples.ndim != 1:
            raise CodecError(
                f"samples must be one row of int16 or float32, not {samples.ndim} dimensions "
                f"of {samples.dtype}"
            )
        self._dtype, self._frame = _FLOAT32, None
        scaled = _clean(samples) * np.float32(FULL_SCALE)
        made = scaled if self._filter is None else self._filter.run(scaled)
        return np.multiply(made, 1 / FULL_SCALE, dtype=np.float32)

    def flush(self) -> NDArray[Any]:
        """End the stream: return the `delay_samples` last samples and start anew.

        The type is that of the last push. Nothing pushed since the start: nothing to return.
        """
        if self._filter is None or not self._filter.fed:
            return np.zeros(0, self._dtype)
        tail = self.push(np.zeros(self._filter.inputs_for_tail(), self._dtype))
        self.reset()
        return tail[: self.delay_samples]

    def reset(self) -> None:
        """Forget the stream and start anew."""
        self._frame = None
        if self._filter is not None:
            self._filter.reset()

    def _push_int16(self, samples: NDArray[Any], filter_: "_Filter") -> Int16:
        made = round_to_int16(filter_.run(samples))
        self._frame = filter_.frame(samples.size)
        return made


def _clean(samples: NDArray[Any]) -> Float32:
    """Limit what is beyond any sense and silence NaN: either would spoil all that it is added to."""
    cleaned: Float32 = samples.clip(-_LOUDEST, _LOUDEST)
    cleaned[np.isnan(cleaned)] = 0.0
    return cleaned


class _Filter:
    """The moving part: the last inputs, and where in the period of the filter bank they end."""

    __slots__ = ("_at", "_cell", "_frame", "_frame_size", "_line", "_made", "bank", "fed")

    def __init__(self, bank: FilterBank, from_hz: int) -> None:
        self.bank = bank
        piece = -(-from_hz // _PIECES_PER_S)
        self._line: Float32 = np.zeros(bank.history + piece, np.float32)
        self._made: Float32 = np.empty(bank.n_outputs(piece + bank.down), np.float32)
        self._frame: Frame | None = None  # takes frames of the last length
        self._frame_size = 0
        self._cell = 0
        self._at = 0  # inputs taken of the current cell
        self.fed = False  # a sample has been taken since the start

    def reset(self) -> None:
        """Silence behind, a new period ahead."""
        self._line[:] = 0.0
        self._frame = None
        self._cell = self._at = 0
        self.fed = False

    def inputs_for_tail(self) -> int:
        """Inputs after which at least `delay` more outputs are complete."""
        bank = self.bank
        done = bank.cells[self._cell].start + self._at
        wanted = bank.n_outputs(done) + bank.delay
        return -(-wanted * bank.down // bank.up) - done

    def run(self, samples: Samples) -> Float32:
        """Take samples in int16 units; the result is overwritten by the next run."""
        history, n = self.bank.history, samples.size
        self.fed = self.fed or n > 0
        piece = self._line.size - history
        if n > piece:
            cuts = range(0, n, piece)
            return np.concatenate([self.run(samples[cut : cut + piece]).copy() for cut in cuts])
        self._line[history : history + n] = samples
        done = made = 0
        while done < n:
            taken, given = self._step(done, n - done, made)
            done += taken
            made += given
        self._line[:history] = self._line[n : n + history]
        return self._made[:made]

    def _is_whole_blocks(self, n: int) -> bool:
        cells = self.bank.cells
        return n > 0 and not self._at and len(cells) == 1 and n % cells[0].n_inputs == 0

    def frame(self, n: int) -> Frame | None:
        """Takes the next frame of `n` samples, if they are whole blocks and begin one."""
        if not self._is_whole_blocks(n) or n > self._line.size - self.bank.history:
            return None
        if self._frame is None or n != self._frame_size:
            self._frame, self._frame_size = self._laid_out(n), n
        return self._frame

    def _laid_out(self, n: int) -> Frame:
        """Works on views of the filter's memory, which are dearer to make than to use."""
        history, taps = self.bank.history, self.bank.cells[0].taps
        count = n // self.bank.cells[0].n_inputs
        made = self._made[: count * taps.shape[1]]
        fresh, past = self._line[history : history + n], self._line[:history]
        next_past, blocks = self._line[n : n + history], made.reshape(count, -1)
        # dot, because matmul copies overlapping windows more slowly, or takes no BLAS at all.
        dot = self._windows(0, count).dot

        rint, astype = np.rint, made.astype

        def take(samples: NDArray[Any]) -> Int16 | None:
            if len(samples) != n:
                return None
            try:
                fresh[...] = samples
            except ValueError:
                return None  # more than one row
            dot(taps, blocks)
            past[...] = next_past
            limit(made, LOWEST, HIGHEST, made)
            rint(made, made)
            return astype(_INT16)

        return take

    def _windows(self, done: int, count: int) -> Float32:
        """`count` blocks with the history of each, from the input `done` on: a view, overlapping."""
        step = self.bank.cells[0].n_inputs
        return np.ndarray(
            (count, self.bank.history + step),
            np.float32,
            self._line.data,
            done * _FLOAT_BYTES,
            (step * _FLOAT_BYTES, _FLOAT_BYTES),
        )

    def _step(self, done: int, left: int, made: int) -> tuple[int, int]:
        """Filter as many whole blocks as there are, or a part of a cell: inputs taken, outputs."""
        cell = self.bank.cells[self._cell]
        if not self._at and len(self.bank.cells) == 1 and left >= cell.n_inputs:
            count = left // cell.n_inputs
            given = count * cell.taps.shape[1]
            out = self._made[made : made + given].reshape(count, -1)
            self._windows(done, count).dot(cell.taps, out)
            return count * cell.n_inputs, given
        taken = min(left, cell.n_inputs - self._at)
        first, last = self._outputs(cell, taken)
        rows = self.bank.history + taken
        np.matmul(
            self._line[done : done + rows],
            cell.taps[self._at : self._at + rows, first:last],
            out=self._made[made : made + last - first],
        )
        self._advance(cell, taken)
        return taken, last - first

    def _outputs(self, cell: Cell, taken: int) -> tuple[int, int]:
        """The columns of a cell that the next `taken` inputs complete."""
        before = self.bank.n_outputs(cell.start)
        at = cell.start + self._at
        return self.bank.n_outputs(at) - before, self.bank.n_outputs(at + taken) - before

    def _advance(self, cell: Cell, taken: int) -> None:
        self._at += taken
        if len(self.bank.cells) == 1:
            self._at %= self.bank.down  # a block may begin at any period
        elif self._at == cell.n_inputs:
            self._at = 0
            self._cell = (self._cell + 1) % len(self.bank.cells)
