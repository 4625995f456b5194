"""What the far end has played of the audio that was sent to it, and when.

The far end plays what it gets at once, or as soon as it has played what came before: that is the
play-out clock, gaps included. Marks that the far end echoes prove what the clock only supposes. An
echo that comes early moves the clock on, if it is no earlier than a far end can be. One that comes
late has the way there and back in it, so it moves nothing, unless it is later than its like by more
than jitter explains: then the far end is behind (the network held our audio up), and the clock is
moved back to where the echo puts it.
A mark that was waiting when the far end was cleared proves nothing: carriers echo every pending
mark after a clear.

Positions are samples sent since the start of the direction. Every sample sent is either played,
flushed, lost or still ahead. Time is an argument: seconds of any monotonic clock.
"""

from collections import deque
from dataclasses import dataclass

RUNS_KEPT = 64
"""Stretches of gapless audio that are remembered, for `Ledger.time_of`."""
MARKS_KEPT = 100
"""Marks that wait for their echo; a far end that never echoes costs no more memory than this."""
EARLY_MAX_S = 0.25
"""An echo earlier than this is no proof: nobody plays faster than the audio is long."""
WAY_MAX_S = 0.4
"""No echo's way there and back is taken for longer than this, before a shorter one is seen."""
LATE_S = 0.25
"""An echo that is later than its like by more than this tells that the far end is behind."""
GAP_FLOOR_S = 0.001
"""Lateness below this is jitter of the sender's timer; no far end makes a gap of it."""
ROUNDING_SAMPLES = 1e-3
"""Instants are floats: a sample counts as played when all but this part of it is."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What became of all samples sent, in samples; the parts add up to ``sent``."""

    sent: int
    played_acknowledged: int
    played_interpolated: int
    flushed: int
    lost: int
    ahead: int


@dataclass(slots=True)
class Gaps:
    """Silence between samples sent. Underruns are the gaps inside a segment: holes in speech."""

    count: int = 0
    total_ms: float = 0.0
    underruns: int = 0
    underrun_ms: float = 0.0


@dataclass(slots=True)
class _Run:
    """Gapless audio: positions ``start`` to ``end``, played from ``at_s`` on, over by ``over_s``."""

    start: int
    end: int
    at_s: float
    over_s: float


@dataclass(slots=True)
class _Mark:
    name: str
    position: int
    flushed: bool = False


class Ledger:
    """The account of one direction of audio towards one far end.

    Args:
        rate_hz: rate at which the far end plays, Hz.
    """

    def __init__(self, rate_hz: int) -> None:
        if rate_hz <= 0:
            raise ValueError(f"a ledger needs a rate above 0 Hz, got {rate_hz}")
        self.rate_hz = rate_hz
        self.sent_samples = 0
        self.flushed = 0
        self.lost = 0
        self.played_acknowledged = 0
        """Samples that echoed marks prove played."""
        self.gaps = Gaps()
        self.clearable = True
        """Whether the far end drops what is unplayed when it is cleared; if not, it plays it."""
        self.playing_until_s: float | None = None
        """The instant when the last sample is or was played; None when none was sent or remains."""
        self._busy_until_s: float | None = None
        self._way_s = WAY_MAX_S
        self._shift_s = 0.0
        """How far echoes have moved the clock since the far end began to play; above 0 it is behind."""
        self._played = 0
        self._segment_from: int | None = None
        self._runs: deque[_Run] = deque(maxlen=RUNS_KEPT)
        self._open: _Run | None = None
        """The last run, unless its end was dropped."""
        self._marks: deque[_Mark] = deque(maxlen=MARKS_KEPT)

    def without(self, n: int, position: int) -> int:
        """Where the sample at ``position`` comes when the next ``n`` that were to be sent are left out."""
        return position if position <= self.sent_samples else max(self.sent_samples, position - n)

    def busy_until(self, until_s: float) -> None:
        """Until then the far end plays what is on another account; what is sent now comes after it."""
        self._busy_until_s = until_s

    def sent(self, n: int, now_s: float) -> None:
        """``n`` samples were sent; they play from ``now_s`` on, or after what is playing."""
        if n <= 0:
            return
        run = self._open
        if run is None or now_s > run.over_s + GAP_FLOOR_S:
            run = self._open = self._begin_run(now_s)
        self.sent_samples = run.end = end = self.sent_samples + n
        over_s = run.at_s + (end - run.start) / self.rate_hz
        run.over_s = self.playing_until_s = over_s

    def mark(self, name: str) -> None:
        """A mark was sent: its echo shall prove that all samples sent so far were played."""
        self._marks.append(_Mark(name, self.sent_samples))

    def acknowledged(self, name: str, now_s: float) -> bool:
        """The echo of a mark came; False if it proves nothing.

        It proves the marks before it too. Unknown names prove nothing, nor do marks that were flushed.
        """
        mark = next((mark for mark in self._marks if mark.name == name), None)
        if mark is None:
            return False
        while self._marks.popleft() is not mark:
            continue
        late_s = self._lateness(mark.position, now_s)
        if mark.flushed or late_s + self._shift_s < -EARLY_MAX_S:
            return False
        # What is gone lies before the mark: a flush or loss voids the marks that waited for it.
        proven = mark.position - self.flushed - self.lost
        self.played_acknowledged = max(self.played_acknowledged, proven)
        self._set_clock(mark.position, late_s, now_s)
        self._played = max(self._played, self.played_acknowledged)
        return True

    def void(self, name: str) -> None:
        """The far end said that the audio before this mark was not played: it proves nothing."""
        for mark in self._marks:
            mark.flushed = mark.flushed or mark.name == name

    def flush(self, now_s: float) -> int:
        """The far end was cleared: what is unplayed will never be. Returns the samples flushed."""
        if not self.clearable:
            return 0
        n = self._drop_unplayed(now_s)
        self.flushed += n
        for mark in self._marks:
            mark.flushed = True
        return n

    def lose(self, now_s: float) -> int:
        """The far end broke: what is unplayed is lost, and no echo will come. Returns the samples."""
        n = self._drop_unplayed(now_s)
        self.lost += n
        self._marks.clear()
        return n

    def begin_segment(self) -> None:
        """The next samples begin a piece of gapless speech: gaps inside it are underruns."""
        self._segment_from = self.sent_samples

    def end_segment(self) -> None:
        """The piece of speech is complete: the silence that follows is meant."""
        self._segment_from = None

    def played(self, now_s: float) -> int:
        """Samples that the far end has played: by its echoes, between them by the play-out clock."""
        if self._runs:
            run = self._runs[-1]
            # Runs before the last are over: a run begins only when nothing plays.
            n = int((now_s - run.at_s) * self.rate_hz + ROUNDING_SAMPLES)
            here = min(max(n, 0), run.end - run.start)
            self._played = max(self._played, run.start + here - self.flushed - self.lost)
        return self._played

    def ahead_ms(self, now_s: float) -> float:
        """Audio that was sent and is still to be played, ms."""
        return 1000 * (self._alive - self.played(now_s)) / self.rate_hz

    def heard(self, now_s: float) -> Heard:
        """The whole account at ``now_s``."""
        played = self.played(now_s)
        return Heard(
            sent=self.sent_samples,
            played_acknowledged=self.played_acknowledged,
            played_interpolated=played - self.played_acknowledged,
            flushed=self.flushed,
            lost=self.lost,
            ahead=self._alive - played,
        )

    @property
    def all_proven(self) -> bool:
        """Whether echoes prove that all of what was sent was played, but for what was flushed or lost."""
        return self.played_acknowledged >= self._alive

    def time_of(self, position: int) -> float | None:
        """The instant when this sample is, was or will be played.

        None for a sample that was flushed or lost, is not sent yet, or lies too far back.
        """
        for run in reversed(self._runs):
            if position >= run.start:
                if position >= run.end:
                    return None
                return min(run.at_s + (position - run.start) / self.rate_hz, run.over_s)
        return None

    @property
    def _alive(self) -> int:
        return self.sent_samples - self.flushed - self.lost

    def _begin_run(self, now_s: float) -> _Run:
        at_s = now_s
        if self._runs:
            last = self._runs[-1]
            at_s = max(now_s, last.over_s)
            self._count_gap(1000 * (at_s - last.over_s))
        elif self._busy_until_s is not None:
            at_s = max(now_s, self._busy_until_s)
        self._shift_s = 0.0
        run = _Run(self.sent_samples, self.sent_samples, at_s, at_s)
        self._runs.append(run)
        return run

    def _count_gap(self, gap_ms: float) -> None:
        self.gaps.count += 1
        self.gaps.total_ms += gap_ms
        if self._segment_from is not None and self.sent_samples > self._segment_from:
            self.gaps.underruns += 1
            self.gaps.underrun_ms += gap_ms

    def _lateness(self, position: int, now_s: float) -> float:
        """How much later than the clock says is it, if everything before ``position`` is over just now, s."""
        last_s = self.time_of(position - 1)
        # Where the account does not reach so far back, nothing is known to be late.
        return self._way_s if last_s is None else now_s - last_s - 1 / self.rate_hz

    def _set_clock(self, position: int, late_s: float, now_s: float) -> None:
        """The echo of a mark at ``position`` came: move the clock if it is far from what that proves."""
        if self._shift_s > 0 and late_s < self._way_s:
            caught_up_s = min(self._way_s - late_s, self._shift_s)
            self._shift_s -= caught_up_s
            self._place(position, now_s - late_s - caught_up_s)
            late_s += caught_up_s
        self._way_s = max(0.0, min(self._way_s, late_s))
        if late_s < -GAP_FLOOR_S:
            self._shift_s += late_s
            self._place(position, now_s)
        elif late_s > self._way_s + LATE_S:
            self._shift_s += late_s - self._way_s
            self._place(position, now_s - self._way_s)

    def _place(self, position: int, at_s: float) -> None:
        """Everything before ``position`` is over at ``at_s``, and the rest, which is there, follows."""
        while self._runs[-1].start >= position:
            self._runs.pop()
        run = self._runs[-1]
        run.end, run.over_s = position, at_s
        if self.sent_samples > position:
            over_s = at_s + (self.sent_samples - position) / self.rate_hz
            self._runs.append(_Run(position, self.sent_samples, at_s, over_s))
        self._open = self._runs[-1]
        self.playing_until_s = self._open.over_s
        self._played = position - self.flushed - self.lost

    def _drop_unplayed(self, now_s: float) -> int:
        n = self._alive - self.played(now_s)
        if self._segment_from is not None:
            # The hole that a clear leaves is meant.
            self._segment_from = self.sent_samples
        if n:
            self._open = None
            run = self._runs[-1]
            run.end -= n
            run.over_s = min(run.over_s, run.at_s + (run.end - run.start) / self.rate_hz)
            if run.end == run.start:
                self._runs.pop()
            self.playing_until_s = self._runs[-1].over_s if self._runs else None
        return n
