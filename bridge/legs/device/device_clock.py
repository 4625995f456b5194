"""The clock of one stream against the event loop's: its drift, and when which sample passes.

A callback comes when the device is ready for it, or later when the machine is busy, never earlier. So the earliest
callbacks of each `WINDOW_S` tell the truth, and a line through the last `WINDOWS` of them tells the drift: within
some 2 ppm after a minute and a half, with callbacks that are a few ms late at random.

All instants are ``loop.time()``; positions are samples of the stream since it was opened.
"""

from collections import deque
from typing import Final

WINDOW_S: Final = 2.0
WINDOWS: Final = 45
ENOUGH: Final = 5
"""Windows before a drift is told."""
STEP_S: Final = 0.005
"""A window that is off by more than this is no drift: the device skipped, or lost time."""
STALL_S: Final = 0.02
"""When all callbacks of `SOON_S` are later than expected by this, time was lost, and that is the new measure."""
SOON_S: Final = 0.5
MAX_PPM: Final = 1_000.0
OTHER_RATE: Final = 0.04
"""A device that is off by this part in each of `OFF` moments in a row …"""
ALIKE: Final = 0.03
"""… and by the same part each time …"""
OFF: Final = 8
RATE_SLACK: Final = 0.005
"""… and in all of them together runs, to this part, at another rate that devices have, runs at that rate. One that
stalls is right in between, or loses as much as the machine is busy."""
RATES_HZ: Final = (
    *(m * k for m in (8_000, 11_025) for k in (1, 2, 4, 8, 16)),
    12_000,
    24_000,
    48_000,
    96_000,
    192_000,
)


class DeviceClock:
    """One stream's.

    Args:
        rate_hz: the rate it is meant to run at, Hz.
    """

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self.drift_ppm = 0.0
        """How much faster than the loop's clock the device's runs."""
        self.steps = 0
        """How often the device skipped."""
        self.other_rate = False
        """It runs at another rate than it says."""
        self.first_s: float | None = None
        """The first callback."""
        self.offset_s = 0.0
        """How much later than position / rate the device is by now; the earliest callback of late says so."""
        self._window_from_s = 0.0
        self._lowest: tuple[float, float] | None = None
        self._points: deque[tuple[float, float]] = deque(maxlen=WINDOWS)
        self._off: deque[tuple[float, float]] = deque(maxlen=OFF)
        """What the last moments brought and how long they were, s, while they are off."""
        self._soon_from_s = 0.0
        self._soon_from = 0
        self._soonest: tuple[float, float] | None = None
        """The earliest callback of the last moment."""

    def saw(self, position: int, now_s: float) -> None:
        """At ``now_s`` the callback for ``position`` came."""
        offset_s = now_s - position / self.rate_hz
        if self.first_s is None:
            self.first_s = self._window_from_s = self._soon_from_s = now_s
            self._soon_from = position
            self.offset_s = offset_s
        elif now_s - self._window_from_s >= WINDOW_S:
            self._end_window(now_s)
        if self._lowest is None or offset_s < self._lowest[1]:
            self._lowest = (now_s, offset_s)
        if self._soonest is None or offset_s < self._soonest[1]:
            self._soonest = (now_s, offset_s)
        self._follow(now_s)
        if now_s - self._soon_from_s >= SOON_S:
            self._check_rate(position, now_s)
            self._check_stall(now_s)
            self._soon_from_s, self._soon_from = now_s, position

    def at(self, position: float) -> float:
        """When the callback for this position is due, or was."""
        return position / self.rate_hz + self.offset_s

    def _follow(self, now_s: float) -> None:
        """The earliest of this window and the last, brought to now by the drift."""
        points = [self._points[-1]] if self._points else []
        if self._lowest is not None:
            points.append(self._lowest)
        drift = self.drift_ppm * 1e-6
        self.offset_s = min(offset_s - drift * (now_s - at_s) for at_s, offset_s in points)

    def _check_stall(self, now_s: float) -> None:
        assert self._soonest is not None
        if self._soonest[1] > self.offset_s + STALL_S:
            self.steps += 1
            self._points.clear()
            self._lowest = self._soonest
            self._follow(now_s)
        self._soonest = None

    def _end_window(self, now_s: float) -> None:
        self._window_from_s = now_s
        assert self._lowest is not None
        if self._points and abs(self._lowest[1] - self._expected(self._lowest[0])) > STEP_S:
            self.steps += 1
            self._points.clear()
        self._points.append(self._lowest)
        self._lowest = None
        if len(self._points) >= ENOUGH:
            ppm = -1e6 * _slope(self._points)
            self.drift_ppm = min(max(ppm, -MAX_PPM), MAX_PPM)

    def _expected(self, now_s: float) -> float:
        at_s, offset_s = self._points[-1]
        return offset_s - self.drift_ppm * 1e-6 * (now_s - at_s)

    def _check_rate(self, position: int, now_s: float) -> None:
        passed = (position - self._soon_from) / self.rate_hz
        lasted_s = now_s - self._soon_from_s
        if abs(passed / lasted_s - 1) <= OTHER_RATE or self._soon_from_s == self.first_s:
            self._off.clear()
        else:
            self._off.append((passed, lasted_s))
        self.other_rate = self.other_rate or self._is_other_rate()

    def _is_other_rate(self) -> bool:
        if len(self._off) < OFF:
            return False
        parts = [passed / lasted_s for passed, lasted_s in self._off]
        whole = sum(passed for passed, _ in self._off) / sum(lasted_s for _, lasted_s in self._off)
        alike = max(parts) - min(parts) < ALIKE
        ratios = (rate_hz / self.rate_hz for rate_hz in RATES_HZ)
        return alike and any(abs(whole / ratio - 1) < RATE_SLACK for ratio in ratios)


def _slope(points: deque[tuple[float, float]]) -> float:
    """Of the line of least squares."""
    mean_at = sum(at for at, _ in points) / len(points)
    mean = sum(value for _, value in points) / len(points)
    spread = sum((at - mean_at) ** 2 for at, _ in points)
    return sum((at - mean_at) * (value - mean) for at, value in points) / spread
