"""How long a missing packet is waited for: until it is later than nearly all that came of late.

How late packets come is measured against the fastest of the last few hundred, so patience grows with a network's
jitter and shrinks again. Transits are what arrival is later than the timestamp, each by its own clock, in seconds.
"""

from typing import Final

PATIENCE_MIN_S: Final = 0.025
"""A lost packet is given up this late at the earliest: its successor, which may carry it too, shall be there."""
PATIENCE_MAX_S: Final = 0.2
PATIENCE_FIRST_S: Final = 0.06
"""Before the stream is known."""
MARGIN_S: Final = 0.005
ON_TIME: Final = 0.99
"""So much of what comes shall come within the patience."""
WINDOW: Final = 250
"""Packets after which older measurements begin to be forgotten."""

_BIN_S: Final = 0.005
_BINS: Final = int(PATIENCE_MAX_S / _BIN_S) + 1


class Lateness:
    """How late packets come, compared with the fastest of the last few hundred."""

    __slots__ = ("_bins", "_fastest", "_older", "_older_fastest", "_seen", "base_s", "patience_s")

    def __init__(self) -> None:
        self.patience_s = PATIENCE_FIRST_S
        self.restart(0.0)

    def restart(self, transit_s: float) -> None:
        """The stream begins, or begins anew."""
        self.base_s = self._fastest = self._older_fastest = transit_s
        self._bins = [0] * _BINS
        self._older = [0] * _BINS
        self._seen = 0

    def add(self, transit_s: float) -> None:
        """A packet came whose time of arrival is `transit_s` after its timestamp, by the stream's clock."""
        if transit_s < self._fastest:
            self._fastest = transit_s
            self.base_s = min(self.base_s, transit_s)
        late = int((transit_s - self.base_s) / _BIN_S)
        self._bins[late if late < _BINS else _BINS - 1] += 1
        self._seen += 1
        if not self._seen % 25:
            self._measure()
            if self._seen >= WINDOW:
                self._turn(transit_s)

    def _turn(self, transit_s: float) -> None:
        self._older, self._bins = self._bins, [0] * _BINS
        self._older_fastest, self._fastest = self._fastest, transit_s
        self.base_s = min(self._older_fastest, transit_s)
        self._seen = 0

    def _measure(self) -> None:
        left = (1 - ON_TIME) * (sum(self._bins) + sum(self._older))
        index = _BINS
        while left >= 0 and index:
            index -= 1
            left -= self._bins[index] + self._older[index]
        patience_s = (index + 1) * _BIN_S + MARGIN_S
        self.patience_s = min(max(patience_s, PATIENCE_MIN_S), PATIENCE_MAX_S)
