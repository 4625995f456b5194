"""Counting what happens thousands of times a second: how often a figure fell into which range.

Adding one costs half a microsecond and no memory, so that it can be done for every frame. Nothing here knows of calls,
time or metrics; all of `bridge` may use it.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

LATENESS_S: Final = (
    *(0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.025, 0.03, 0.04, 0.06, 0.08),
    *(0.1, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0),
)
"""Bounds for how late a frame or a timer is, s: fine where promises are made, at 5, 10, 20 and 25 ms."""
DURATION_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.5, 5.0, 10.0)
"""Bounds for how long a step takes that somebody waits for, s."""


class Histogram:
    """How many of the figures seen fell into each range.

    Args:
        bounds: upper bounds of the ranges, rising; a figure equal to a bound belongs below it. What is above the last
            one is counted too.

    Raises: ValueError if the bounds do not rise.
    """

    __slots__ = ("bounds", "counts", "largest", "total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(float(bound) for bound in bounds)
        if not self.bounds or not all(a < b for a, b in pairwise((*self.bounds, math.inf))):
            raise ValueError("the bounds of a histogram must rise, and be finite")
        self.counts = [0] * (len(self.bounds) + 1)
        """One for each bound, and one for what is above the last."""
        self.total = 0.0
        """The sum of all figures."""
        self.largest = -math.inf

    @property
    def n(self) -> int:
        """How many figures were seen."""
        return sum(self.counts)

    def observe(self, value: float) -> None:
        """Count one finite figure."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value
        if value > self.largest:  # noqa: PLR1730 - twice as fast as max()
            self.largest = value

    def quantile(self, q: float) -> float:
        """The figure below which the part `q` (0 to 1) of all lies, interpolated within its range; 0.0 if none.

        It is never beyond the largest figure seen, whatever the range.
        """
        left = q * self.n
        lower = min(0.0, self.bounds[0], self.largest)
        for bound, count in zip((*self.bounds, math.inf), self.counts, strict=True):
            if count and left <= count:
                return lower + (min(bound, self.largest) - lower) * left / count
            left -= count
            lower = bound
        return 0.0

    def add(self, other: "Histogram") -> None:
        """Count all that another histogram with the same bounds has seen.

        Raises: ValueError for other bounds.
        """
        if other.bounds != self.bounds:
            raise ValueError("histograms with different bounds cannot be added")
        self.counts = [a + b for a, b in zip(self.counts, other.counts, strict=True)]
        self.total += other.total
        self.largest = max(self.largest, other.largest)
