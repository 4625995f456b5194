"""A level meter's needle: up at once, down by `FALL_DB_PER_S` after `HOLD_S`."""

from typing import Final

from bridge.audio.level import SILENCE_DBFS, rms_dbfs
from bridge_codecs.pcm import Int16

FALL_DB_PER_S: Final = 60.0
HOLD_S: Final = 0.04
"""As long as what is looked at at once, so that steady sound has a steady level."""


class Meter:
    """One direction's; levels are dBFS."""

    def __init__(self) -> None:
        self._dbfs = SILENCE_DBFS
        self._at_s = 0.0

    def saw(self, samples: Int16, now_s: float) -> None:
        """Shape (n,) int16 passed."""
        dbfs = rms_dbfs(samples)
        if dbfs >= self.dbfs(now_s):
            self._dbfs, self._at_s = dbfs, now_s

    def dbfs(self, now_s: float) -> float:
        """Where the needle stands."""
        return max(SILENCE_DBFS, self._dbfs - FALL_DB_PER_S * max(0.0, now_s - self._at_s - HOLD_S))
