"""The true ear: what the caller heard and said, sample by sample on the line's media clock.

Sample n is heard at ``started_s + n / rate_hz``, silence where nothing was played. It knows which samples were the
application's own, so a ledger's claim about what was heard, flushed or missing can be held against it.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bridge_codecs.pcm import Int16, silence

HOLE_MS: Final = 500
"""A silence between two pieces of the application's audio that is shorter than this counts as a hole in its speech."""


@dataclass(slots=True)
class Stretch:
    """Samples ``start`` to ``end`` (exclusive) of the line were the application's audio."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Cleared:
    """The application cleared what waited to be played."""

    at_s: float
    """When the carrier got it, on the loop's clock."""
    dropped: int
    """Samples that were never played because of it."""
    silent_from: int
    """The first sample of the line that is no audio from before the clear."""
    marks: int
    """Marks that waited for the dropped audio."""


@dataclass(frozen=True, slots=True)
class Hole:
    """Silence inside the application's speech, in samples of the line: it was not there in time."""

    start: int
    end: int


class TrueEar:
    """Both sides of the line, sample-locked.

    Args:
        rate_hz: of the line.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.started_s = 0.0
        self.position = 0
        """Samples so far; what is given out now is heard until then."""
        self.stretches: list[Stretch] = []
        self.clears: list[Cleared] = []
        self._heard: list[Int16] = []
        self._said: list[Int16] = []

    def start(self, now_s: float) -> None:
        """The line's clock begins to run."""
        self.started_s = now_s

    def packet(self, said: Int16, heard: Int16, n_real: int) -> None:
        """One packet of each side; the first ``n_real`` samples heard are the application's."""
        self._said.append(said)
        self._heard.append(heard)
        if n_real:
            last = self.stretches[-1] if self.stretches else None
            if last is not None and last.end == self.position:
                last.end += n_real
            else:
                self.stretches.append(Stretch(self.position, self.position + n_real))
        self.position += heard.size

    def cleared(self, now_s: float, *, dropped: int, marks: int) -> Cleared:
        """The buffer was emptied: from the next packet on nothing of before is heard."""
        last_end = self.stretches[-1].end if self.stretches else 0
        cleared = Cleared(now_s, dropped, last_end, marks)
        self.clears.append(cleared)
        return cleared

    def time_of(self, position: int) -> float:
        """The instant at which this sample of the line is heard, on the loop's clock."""
        return self.started_s + position / self.rate_hz

    def silence_after_ms(self, cleared: Cleared) -> float:
        """How long old audio was still heard after a clear had arrived, ms."""
        return max(0.0, 1000 * (self.time_of(cleared.silent_from) - cleared.at_s))

    def heard(self) -> Int16:
        """All that the caller heard, int16, from the line's first sample on."""
        return _joined(self._heard)

    def said(self) -> Int16:
        """All that the caller said, as long as what was heard."""
        return _joined(self._said)

    @property
    def n_heard(self) -> int:
        """Samples of the application's audio that were heard."""
        return sum(stretch.end - stretch.start for stretch in self.stretches)

    def holes(self) -> list[Hole]:
        """Silences shorter than `HOLE_MS` between pieces of audio, those that a clear made left out."""
        longest = self.rate_hz * HOLE_MS // 1000
        meant = {cleared.silent_from for cleared in self.clears}
        holes = []
        for before, after in zip(self.stretches, self.stretches[1:], strict=False):
            if after.start - before.end < longest and before.end not in meant:
                holes.append(Hole(before.end, after.start))
        return holes


def _joined(packets: list[Int16]) -> Int16:
    return np.concatenate(packets) if packets else silence(0)
