"""How late the event loop is: the one figure that says whether audio can still be sent in time.

A timer fires every 20 ms, as a frame of audio would, against absolute deadlines. Ticks that a busy loop has missed
altogether count too, each by how late it is: else a loop that stands still for a second would show as one late tick.

The first seconds are measured and not judged: the first calls of a process find everything untouched, and hold the loop
up as none after them.
"""

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from heapq import nlargest
from typing import Final

from bridge.stats import LATENESS_S, Histogram

TICK_S: Final = 0.020
WINDOW_S: Final = 5.0
SETTLE_S: Final = 2.0
"""How long after the start nobody is refused for it."""
GRAIN_S: Final = 0.001
"""Timers of uvloop come up to a millisecond early; waiting for the rest would be spinning."""


class LoopLag:
    """Measures the running loop between `start` and `stop`."""

    def __init__(
        self, *, tick_s: float = TICK_S, window_s: float = WINDOW_S, settle_s: float = SETTLE_S
    ) -> None:
        self.histogram = Histogram(LATENESS_S)
        """Of all ticks since the start, s."""
        self._tick_s = tick_s
        self._settle_s = settle_s
        self._n_recent = round(window_s / tick_s)
        self._recent: deque[float] = deque(maxlen=self._n_recent)
        self._due_s = self._judged_from_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin; on a loop that is running."""
        self._loop = asyncio.get_running_loop()
        now_s = self._loop.time()
        self._due_s, self._judged_from_s = now_s + self._tick_s, now_s + self._settle_s
        self._timer = self._loop.call_at(self._due_s, self._tick)

    def settle(self, *, over: bool = True) -> None:
        """The start goes on (not `over`), and is not judged, or it is over only now."""
        now_s = self._loop.time()
        self._judged_from_s = now_s + self._settle_s if over else math.inf
        self._recent.clear()

    def stop(self) -> None:
        """End; what was measured stays."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def recent_s(self, part: float = 0.95) -> float:
        """How late this part of the ticks of the last seconds was at most, s.

        Ticks from before the start, and those of the first seconds after it, count as on time.
        """
        n_later = int((1 - part) * self._n_recent)
        return nlargest(n_later + 1, self._recent)[-1] if len(self._recent) > n_later else 0.0

    def _tick(self) -> None:
        now_s = self._loop.time()
        # After a machine was suspended only the last ticks matter: older ones would fall out of the window at once.
        self._due_s = max(self._due_s, now_s - self._n_recent * self._tick_s)
        while self._due_s < now_s + GRAIN_S:
            late_s = max(0.0, now_s - self._due_s)
            if self._due_s >= self._judged_from_s:
                self._recent.append(late_s)
            self.histogram.observe(late_s)
            self._due_s += self._tick_s
        self._timer = self._loop.call_at(self._due_s, self._tick)


@contextmanager
def measured(lag: LoopLag) -> Iterator[None]:
    """Measure the running loop for the time of the context."""
    lag.start()
    try:
        yield
    finally:
        lag.stop()
