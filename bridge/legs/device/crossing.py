"""Audio and instants on their way between the sound system's thread and the event loop.

One side writes, the other takes; neither ever waits for the other. Each position is changed by one side only, and
only after the samples below it are in place, so that no lock is needed. All memory is there from the start: a
callback copies into it and makes no array of its own. The lane's ring (`bridge.audio.ring`) is for one thread: it
grows, shrinks, and both its ends move both positions.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.pcm import Int16

_LOG_ROOM: Final = 512
"""Blocks that can wait to be looked at: five seconds at 10 ms."""


class Crossing:
    """A ring of int16 samples of ``channels`` channels; ``written`` and ``taken`` count since the start.

    Args:
        size: samples per channel that fit.
        channels: in each sample.
    """

    def __init__(self, size: int, channels: int = 1) -> None:
        self.size = size
        self.written = 0
        """Changed by the writing side only."""
        self.taken = 0
        """Changed by the taking side only."""
        self.lost = 0
        """Samples that did not fit; they gave way because they were the newest."""
        self.overflows = 0
        """How often some did not fit."""
        self.dropped = 0
        """Position below which the writing side wants nothing taken any more; changed by it only."""
        self._ring: Int16 = np.zeros((size, channels), np.int16)

    @property
    def depth(self) -> int:
        """Samples that can be taken, as far as the asking side can know."""
        return self.written - max(self.taken, self.dropped)

    def write(self, block: Int16) -> None:
        """Append shape (n, at least ``channels``) int16: the first ``channels`` of it. Only the writing side."""
        ring, written = self._ring, self.written
        n = min(len(block), self.size - (written - self.taken))
        if n < len(block):
            self.lost += len(block) - n
            self.overflows += 1
        at = written % self.size
        n_first = min(n, self.size - at)
        channels = ring.shape[1]
        ring[at : at + n_first] = block[:n_first, :channels]
        if n > n_first:
            ring[: n - n_first] = block[n_first:n, :channels]
        self.written = written + n

    def drop(self) -> int:
        """Forget all that is not taken yet; returns how much that was. Only the writing side."""
        n = self.depth
        self.dropped = self.written
        return n

    def take_into(self, block: Int16) -> int:
        """Fill shape (n, m) int16 with the oldest samples and zeros behind them. Only the taking side.

        A ring of one channel fills the first two of ``block``, the others stay silent. Returns how many it took.
        """
        ring = self._ring
        taken = max(self.taken, self.dropped)
        n = min(len(block), self.written - taken)
        at = taken % self.size
        n_first = min(n, self.size - at)
        block[:n_first, :2] = ring[at : at + n_first]
        if n > n_first:
            block[n_first:n, :2] = ring[: n - n_first]
        block[n:] = 0
        block[:n, 2:] = 0
        self.taken = taken + n
        return n

    def take(self) -> Int16:
        """All there is, a copy of shape (n, channels). Only the taking side."""
        taken = max(self.taken, self.dropped)
        n = self.written - taken
        at = taken % self.size
        n_first = min(n, self.size - at)
        samples = np.concatenate((self._ring[at : at + n_first], self._ring[: n - n_first]))
        self.taken = taken + n
        return samples


class Block(NamedTuple):
    """One call of the sound system."""

    n: int
    """Samples per channel that it brought or wanted."""
    filled: int
    """How many of them there were; the rest was silence."""
    taken: int
    """Position of the crossing's taking side after it."""
    now_s: float
    at_s: float
    glitch: bool


class BlockLog:
    """What the callbacks of one stream saw, for the event loop to read."""

    def __init__(self) -> None:
        self._rows: NDArray[np.float64] = np.zeros((_LOG_ROOM, len(Block._fields)))
        self._written = 0
        self._read = 0

    def row(self) -> NDArray[np.float64]:
        """Where the next call is to be noted, in the order of `Block`'s fields. Only the callback."""
        row: NDArray[np.float64] = self._rows[self._written % _LOG_ROOM]
        return row

    def noted(self) -> None:
        """The row is complete. Only the callback; rows that nobody read are overwritten."""
        self._written += 1

    def take(self) -> list[Block]:
        """All calls since the last look, oldest first. Only the event loop."""
        written = self._written
        first = max(self._read, written - _LOG_ROOM + 1)
        self._read = written
        blocks = []
        for place in range(first, written):
            n, filled, taken, now_s, at_s, glitch = self._rows[place % _LOG_ROOM].tolist()
            blocks.append(Block(int(n), int(filled), int(taken), now_s, at_s, bool(glitch)))
        return blocks
