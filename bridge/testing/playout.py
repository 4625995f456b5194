"""The carrier's play-out buffer: audio and marks in order, played packet by packet at real tempo.

A packet that has been given out is on its way to the caller: a clear does not bring it back. A mark is reached when
the last sample before it has been played, that is with the packet after it.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np

from bridge_codecs.pcm import Int16, silence


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet for the caller: the first ``n_real`` samples are the application's, the rest is silence."""

    samples: Int16
    n_real: int
    reached: tuple[str, ...]
    """Marks whose audio has been played before this packet."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """What a clear took away."""

    n_samples: int
    marks: tuple[str, ...]


class Playout:
    """A buffer of mono int16 samples and marks. received = played + flushed + waiting."""

    def __init__(self) -> None:
        self.received = 0
        self.played = 0
        self.flushed = 0
        self.paused = False
        self._over = (
            0  # what had been played when the last packet was given out: all of it is heard by now
        )
        self._queue: deque[Int16] = deque()
        self._marks: deque[tuple[int, str]] = deque()

    @property
    def waiting(self) -> int:
        """Samples that wait to be played."""
        return self.received - self.played - self.flushed

    @property
    def pending_marks(self) -> int:
        """Marks that wait for their audio."""
        return len(self._marks)

    def push(self, samples: Int16) -> None:
        """Audio for the caller."""
        if samples.size:
            self._queue.append(samples)
            self.received += samples.size

    def mark(self, name: str) -> bool:
        """A mark behind the audio so far; True if there is none that it has to wait for."""
        if not self._marks and self._end == self._over:
            return True
        self._marks.append((self._end, name))
        return False

    def packet(self, n: int) -> Packet:
        """The next ``n`` samples for the caller, silence where there are none."""
        self._over = self.played
        reached = self._take_reached()
        if self.paused or not self._queue:
            return Packet(silence(n), 0, reached)
        samples, n_real = self._pull(n)
        self.played += n_real
        return Packet(samples, n_real, reached)

    def clear(self) -> Flushed:
        """Drop what has not been given out, and every mark that waits."""
        flushed = Flushed(self.waiting, tuple(name for _, name in self._marks))
        self.flushed += flushed.n_samples
        self._queue.clear()
        self._marks.clear()
        return flushed

    def drop_marks(self) -> tuple[str, ...]:
        """Forget every mark that waits."""
        names = tuple(name for _, name in self._marks)
        self._marks.clear()
        return names

    @property
    def _end(self) -> int:
        """Where in what is played the last sample received will be."""
        return self.received - self.flushed

    def _take_reached(self) -> tuple[str, ...]:
        reached = []
        while self._marks and self._marks[0][0] <= self._over:
            reached.append(self._marks.popleft()[1])
        return tuple(reached)

    def _pull(self, n: int) -> tuple[Int16, int]:
        head = self._queue[0]
        if head.size == n:
            return self._queue.popleft(), n
        packet = np.zeros(n, np.int16)
        filled = 0
        while self._queue and filled < n:
            head = self._queue.popleft()
            piece = head[: n - filled]
            packet[filled : filled + piece.size] = piece
            filled += piece.size
            if piece.size < head.size:
                self._queue.appendleft(head[piece.size :])
        return packet, filled
