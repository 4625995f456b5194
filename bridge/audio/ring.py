"""A ring of int16 samples that grows with use up to a bound."""

import numpy as np

from bridge_codecs.pcm import Int16

START_MS = 160
"""Room at the start: what a healthy lane holds, ms."""
SHRINK_FACTOR = 8
"""A ring that ran dry gives its memory back when it has grown beyond this many times the start."""


class Ring:
    """First in, first out. ``head`` and ``tail`` are positions since the start: read and written.

    Args:
        rate_hz: sets the room at the start, Hz.
        max_samples: the ring never holds more; whoever writes sees to it.
    """

    def __init__(self, rate_hz: int, max_samples: int) -> None:
        self.depth = 0
        self.head = 0
        self._start_size = min(max_samples, max(1, rate_hz * START_MS // 1000))
        self._max_size = max_samples
        self._buffer = np.empty(self._start_size, np.int16)
        self._at = 0
        """Index of the head in the buffer."""

    @property
    def tail(self) -> int:
        """Position just after the last sample written."""
        return self.head + self.depth

    @property
    def nbytes(self) -> int:
        """Memory held for samples, bytes."""
        return self._buffer.nbytes

    def write(self, samples: Int16) -> None:
        """Append shape (n,) int16.

        Raises:
            ValueError: they exceed the bound.
        """
        n = samples.size
        if self.depth + n > self._buffer.size:
            self._grow(self.depth + n)
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

    def read(self, n: int) -> Int16:
        """Take the oldest ``n`` samples, at most ``depth``: a copy, shape (n,) int16."""
        buffer = self._buffer
        end = self._at + n
        if end <= buffer.size:
            taken = buffer[self._at : end].copy()
        else:
            taken = np.concatenate((buffer[self._at :], buffer[: end - buffer.size]))
        self.skip(n)
        return taken

    def skip(self, n: int) -> None:
        """Drop the oldest ``n`` samples; beyond ``depth`` the positions move on all the same."""
        self.head += n
        if n < self.depth:
            self.depth -= n
            self._at = (self._at + n) % self._buffer.size
            return
        self._emptied()

    def cut(self, n: int) -> None:
        """Take back the newest ``n`` samples, at most ``depth``."""
        if n < self.depth:
            self.depth -= n
        else:
            self._emptied()

    def _emptied(self) -> None:
        self.depth = self._at = 0
        if self._buffer.size > SHRINK_FACTOR * self._start_size:
            self._buffer = np.empty(self._start_size, np.int16)

    def _grow(self, needed: int) -> None:
        if needed > self._max_size:
            raise ValueError(f"{needed} samples exceed the bound of {self._max_size}")
        buffer = np.empty(min(self._max_size, max(needed, 2 * self._buffer.size)), np.int16)
        head, depth = self.head, self.depth
        buffer[:depth] = self.read(depth)
        self.head, self.depth, self._at = head, depth, 0
        self._buffer = buffer
