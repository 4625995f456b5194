"""When a stream of which all comes too late is behind for good, and not only held up for a moment."""

from typing import Final

LAGGING_S: Final = 0.3
"""A stream of which all comes too late for so long is behind for good, and is taken as it is from there. No stream is
taken up anew sooner: one that runs ahead all the time gets no more than a few times its time."""
PACKETS: Final = 5
"""So many at least must have come too late."""


class Lagging:
    """The packets in a row that all came too late."""

    __slots__ = ("_began_s", "_last", "_n")

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """One came in time, or the stream begins anew."""
        self._n = self._last = 0
        self._began_s = 0.0

    def for_good(self, timestamp: int, now_s: float) -> bool:
        """A packet came too late; true if all are like it by now. One older than the one before says nothing."""
        if self._n and timestamp <= self._last:
            return False
        if not self._n:
            self._began_s = now_s
        self._n += 1
        self._last = timestamp
        return self._n >= PACKETS and now_s - self._began_s >= LAGGING_S
