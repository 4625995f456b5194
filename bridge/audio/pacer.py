"""When to send the next frame: absolute deadlines, never a sum of sleeps.

Frame k is due at ``start + k · frame - ahead``, so lateness of one frame does not shift the next,
and hours of calls do not drift. Time is an argument: seconds of any monotonic clock.
"""

from math import floor, inf

STALL_S = 1.0
"""After a freeze longer than this the missed frames are given up instead of sent in a burst (a
little longer where the far end is kept more than half a second ahead)."""
EARLY_S = 0.0005
"""A frame counts as due this long before its instant: uvloop rounds timers to whole ms, and a timer
that fires a little early must not spin until its instant has come."""


class Pacer:
    """Says how many frames are due.

    Before `start` nothing is due and ``next_due_s`` is infinite. A leg that falls silent on purpose
    calls `start` again for its next segment, or the pause counts as a delay to catch up with.

    Args:
        frame_ms: duration of one frame, ms.
        ahead_ms: how far ahead of real time to send, ms: 0 for RTP, devices and files,
            200 to 400 for carriers that buffer.
    """

    def __init__(self, frame_ms: float, ahead_ms: float = 0.0) -> None:
        if not frame_ms > 0 or ahead_ms < 0:
            raise ValueError(f"bad pace: frames of {frame_ms} ms, {ahead_ms} ms ahead")
        self.stalls = 0
        """How often a freeze was longer than `STALL_S`."""
        self._frame_s = frame_ms / 1000
        self._ahead_s = ahead_ms / 1000
        # To fill the buffer at the start is no freeze; nor may a burst overfill it.
        self._stall_s = max(STALL_S, min(2 * self._ahead_s, self._ahead_s + STALL_S))
        self._first_due_s = inf
        self._n_sent = 0

    @property
    def next_due_s(self) -> float:
        """The instant from which the next frame is due."""
        return self._first_due_s + self._n_sent * self._frame_s

    def start(self, now_s: float) -> None:
        """Begin a segment: its first frame shall play at ``now_s``, and is due at once."""
        self._first_due_s = now_s - self._ahead_s
        self._n_sent = 0

    def due(self, now_s: float) -> int:
        """Frames to send now. After a freeze longer than `STALL_S` this resynchronises first."""
        late_s = now_s - self._first_due_s - self._n_sent * self._frame_s
        if late_s > self._stall_s:
            self.stalls += 1
            self.resync(now_s)
            late_s = self._ahead_s
        if late_s < -EARLY_S:
            return 0
        return floor((late_s + EARLY_S) / self._frame_s) + 1

    def sent(self, n: int = 1) -> None:
        """``n`` frames were sent."""
        self._n_sent += n

    def resync(self, now_s: float) -> None:
        """Give up what was missed: the next frame shall play at ``now_s``."""
        self.start(now_s)
