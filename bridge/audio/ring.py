"""A ring of int16 samples that grows with use up to a bound.

Most rings of a call only pass frames on: each is taken out whole before the next comes. Such a frame is handed through
as it is, without a copy, and a ring that sees nothing else never has a buffer.
"""

import numpy as np

from bridge_codecs.pcm import Int16

START_MS = 160
"""Room of the first buffer: what a healthy lane holds, ms."""
SHRINK_FACTOR = 8
"""A ring that ran dry gives its memory back when it has grown beyond this many times the start."""


class Ring:
    """First in, first out. ``head`` and ``tail`` are positions since the start: read and written.

    Samples belong to the ring once they are written: they are not changed afterwards.

    Args:
        rate_hz: sets the room of the first buffer, Hz.
        max_samples: the ring never holds more; whoever writes sees to it.
    """

    def __init__(self, rate_hz: int, max_samples: int) -> None:
        self.depth = 0
        self.head = 0
        self._start_size = min(max_samples, max(1, rate_hz * START_MS // 1000))
        self._max_size = max_samples
        self._whole: Int16 | None = None
        """All there is inside, as it was written: not in the buffer."""
        self._buffer = np.empty(0, np.int16)
        self._at = 0
        """Index of the head in the buffer."""

    @property
    def tail(self) -> int:
        """Position just after the last sample written."""
        return self.head + self.depth

    @property
    def nbytes(self) -> int:
        """Memory held for samples, bytes."""
        return self._buffer.nbytes + (0 if self._whole is None else self._whole.nbytes)

    def write(self, samples: Int16) -> None:
        """Append shape (n,) int16.

        Raises:
            ValueError: they exceed the bound.
        """
        n = samples.size
        if not self.depth:
            self._check(n)
            self._whole, self.depth = samples, n
            return
        self._settle()
        if self.depth + n > self._buffer.size:
            self._grow(self.depth + n)
        self._append(samples)

    def read(self, n: int) -> Int16:
        """Take the oldest ``n`` samples, at most ``depth``, shape (n,) int16."""
        whole = self._whole
        if whole is not None and n == self.depth:
            self._whole, self.depth = None, 0
            self.head += n
            return whole
        self._settle()
        taken = self._peek(n)
        self.skip(n)
        return taken

    def skip(self, n: int) -> None:
        """Drop the oldest ``n`` samples; beyond ``depth`` the positions move on all the same."""
        self.head += n
        if n < self.depth:
            self._settle()
            self.depth -= n
            self._at = (self._at + n) % self._buffer.size
            return
        self._emptied()

    def cut(self, n: int) -> None:
        """Take back the newest ``n`` samples, at most ``depth``."""
        if n < self.depth:
            self._settle()
            self.depth -= n
        else:
            self._emptied()

    def _settle(self) -> None:
        """Move what is held as it was written into the buffer."""
        whole = self._whole
        if whole is None:
            return
        self._whole, self.depth = None, 0
        if whole.size > self._buffer.size:
            self._grow(whole.size)
        self._append(whole)

    def _append(self, samples: Int16) -> None:
        n = samples.size
        buffer = self._buffer
        begin = self._at + self.depth
        if begin >= buffer.size:
            begin -= buffer.size
        end = begin + n
        if end <= buffer.size:
            buffer[begin:end] = samples
        else:
            n_first = buffer.size - begin
            buffer[begin:] = samples[:n_first]
            buffer[: n - n_first] = samples[n_first:]
        self.depth += n

    def _peek(self, n: int) -> Int16:
        """A copy of the oldest ``n`` samples in the buffer."""
        buffer = self._buffer
        end = self._at + n
        if end <= buffer.size:
            return buffer[self._at : end].copy()
        return np.concatenate((buffer[self._at :], buffer[: end - buffer.size]))

    def _emptied(self) -> None:
        self._whole = None
        self.depth = self._at = 0
        if self._buffer.size > SHRINK_FACTOR * self._start_size:
            self._buffer = np.empty(self._start_size, np.int16)

    def _grow(self, needed: int) -> None:
        self._check(needed)
        size = max(needed, 2 * self._buffer.size, self._start_size)
        buffer = np.empty(min(self._max_size, size), np.int16)
        buffer[: self.depth] = self._peek(self.depth)
        self._buffer, self._at = buffer, 0

    def _check(self, needed: int) -> None:
        if needed > self._max_size:
            raise ValueError(f"{needed} samples exceed the bound of {self._max_size}")
