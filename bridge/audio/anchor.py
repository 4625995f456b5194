"""Where a sender's clock stands, and so which packet is too far ahead of its time to be believed.

A sender's clock may be faster than ours, and the network may have held its first packets up; a timestamp that is
further ahead than that is of a stream that was set anew. What is allowed is that of a window, not of the whole call:
else after an hour a leap of half a minute would pass. Transits and times are seconds.
"""

from typing import Final

LEAP_S: Final = 1.0
"""A stream that is so far ahead of its time was set anew."""
FAST: Final = 0.01
"""No sender's clock is faster than this, as a part of the time."""
WINDOW_S: Final = 5.0
"""So often it is looked where the sender's clock stands."""


class Anchor:
    """That of one stream."""

    __slots__ = ("_since_s", "_transit_s", "began_s")

    def __init__(self) -> None:
        self.restart(0.0, 0.0)

    def restart(self, transit_s: float, now_s: float) -> None:
        """The stream begins, or begins anew."""
        self.began_s = self._since_s = now_s
        self._transit_s = transit_s

    def is_leap(self, transit_s: float, base_s: float, now_s: float) -> bool:
        """Whether a packet that comes now is ahead of what any clock would do.

        Args:
            transit_s: the packet's.
            base_s: that of the fastest packets of late.
            now_s: the time.
        """
        went_s = now_s - self._since_s
        if went_s >= WINDOW_S:
            # A clock that is slow is followed at once; one that is fast no faster than a clock can be.
            self._transit_s = max(base_s, self._transit_s - FAST * went_s)
            self._since_s, went_s = now_s, 0.0
        return transit_s < self._transit_s - LEAP_S - FAST * went_s
