"""How far the loudspeaker is behind a far end that sends in step with time, and what may be left out to catch up.

A sound system on a busy machine loses time, some per cent of it for as long as that lasts. What came meanwhile from a
telephone or over WebRTC waits, and would for the rest of the call: the tempo works 0.1 s off in a hundred. So, where
audio came in step for `IN_STEP_WINDOWS`, silence of it is left out while more than `ALLOWED_S` waits beyond what did at
first. Speech never is; nor is anything where audio comes in bursts, whose depth says nothing.
"""

from typing import Final

import numpy as np

from bridge_codecs.pcm import Int16

WINDOW_S: Final = 1.0
IN_STEP_WINDOWS: Final = 2
UNEVEN: Final = 0.1
"""Audio that is off by this part of a window's time does not come in step."""
ALLOWED_S: Final = 0.15
SILENT: Final = 32
"""No sample of silence is larger: -60 dBFS."""
PIECES_PER_S: Final = 100
LEFT_OUT_S: Final = 0.2
"""Of silence, between two marks: the ledger believes a mark that comes so much sooner."""


class Arrears:
    """One loudspeaker's, at ``rate_hz`` of the call."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.left_out = 0
        """Samples of silence."""
        self._piece = rate_hz // PIECES_PER_S
        self._untold = 0
        """Of them, those that were left out since the ledger was told last."""
        self.begin_anew()

    def begin_anew(self) -> None:
        """What comes next has nothing to do with what came."""
        self._came = 0
        self._from_s: float | None = None
        self._windows = 0
        self._least_s = self._base_s = float("inf")

    def came(self, n: int, waiting_s: float, now_s: float) -> None:
        """``n`` samples came; with them ``waiting_s`` of audio wait for the device."""
        if self._from_s is None:
            self._from_s = now_s
            return
        self._came += n
        self._least_s = min(self._least_s, waiting_s)
        lasted_s = now_s - self._from_s
        if lasted_s < WINDOW_S:
            return
        if abs(self._came / self.rate_hz / lasted_s - 1) > UNEVEN:
            self._windows, self._base_s = 0, float("inf")
        else:
            self._windows += 1
            self._base_s = min(self._base_s, self._least_s)
        self._came, self._from_s, self._least_s = 0, now_s, float("inf")

    def too_much_s(self, waiting_s: float) -> float:
        """How much of what waits is in arrears, s; 0 where that cannot be told."""
        if self._windows < IN_STEP_WINDOWS:
            return 0.0
        return max(0.0, waiting_s - self._base_s - ALLOWED_S)

    def told(self) -> None:
        """The ledger knows again when what is played was played."""
        self._untold = 0

    def caught_up(self, samples: Int16, waiting_s: float) -> Int16:
        """Shape (n,) int16 with less silence in it if ``waiting_s`` is too much."""
        too_much_s = self.too_much_s(waiting_s)
        if not too_much_s:
            return samples
        most_s = min(too_much_s, LEFT_OUT_S - self._untold / self.rate_hz)
        less = self.without_silence(samples, int(max(0.0, most_s) * self.rate_hz))
        self._untold += samples.size - less.size
        return less

    def without_silence(self, samples: Int16, most: int) -> Int16:
        """Leave pieces of silence of 10 ms out of shape (n,) int16, ``most`` samples of them at most."""
        n_pieces = samples.size // self._piece
        room = most // self._piece
        if not room or not n_pieces:
            return samples
        whole = n_pieces * self._piece
        pieces = samples[:whole].reshape(n_pieces, self._piece)
        out = (pieces.max(axis=1) <= SILENT) & (pieces.min(axis=1) >= -SILENT)
        out &= np.cumsum(out) <= room
        if not out.any():
            return samples
        self.left_out += int(np.count_nonzero(out)) * self._piece
        return np.concatenate((pieces[~out].reshape(-1), samples[whole:]))
