"""One timer for all who send a frame every 20 ms, on absolute deadlines.

A timer of its own costs each voice more than its packet. All voices of a loop share a grid of four phases, 5 ms apart,
so that they do not all encode at once; lateness of one beat does not shift the next. After a freeze the missed beats
are made up for, unless it was longer than `STALL_S`: then they are left out, and the grid stands where it stood.
"""

import asyncio
from math import floor
from typing import Final, Protocol
from weakref import WeakKeyDictionary

from bridge.audio.pacer import EARLY_S, STALL_S

FRAME_S: Final = 0.02
PHASES: Final = 4
STEP_S: Final = FRAME_S / PHASES


class Beaten(Protocol):
    """Somebody who has something to do every 20 ms."""

    def beat(self, due_s: float) -> None:
        """The instant `due_s`, loop time, has come; each is 20 ms after the one before, but after a long freeze."""
        ...


class Beat:
    """The beat of one loop."""

    __slots__ = ("_at", "_loop", "_phases", "_start_s", "_timer", "stalls")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.stalls = 0
        """How often a freeze was longer than `STALL_S`."""
        self._loop = loop
        self._phases: list[dict[Beaten, None]] = [{} for _ in range(PHASES)]
        self._start_s = 0.0
        self._at = 0
        """The number of the next step."""
        self._timer: asyncio.TimerHandle | None = None

    def add(self, member: Beaten) -> None:
        """Beat for this one from now on."""
        if self._timer is None:
            self._start_s = self._loop.time()
            self._at = 0
        min(self._phases, key=len)[member] = None
        self._arm()

    def remove(self, member: Beaten) -> None:
        """Beat for this one no more; may be called again, and within a beat."""
        for phase in self._phases:
            phase.pop(member, None)
        if self._timer is not None and not any(self._phases):
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        """Wait for the next step at which there is something to do."""
        if self._timer is not None:
            self._timer.cancel()
        at = self._at
        while not self._phases[at % PHASES]:
            at += 1
        self._timer = self._loop.call_at(self._start_s + at * STEP_S, self._strike)

    def _strike(self) -> None:
        late_s = self._loop.time() - self._start_s - self._at * STEP_S
        if late_s > STALL_S:
            self.stalls += 1
            self._at += floor(late_s / STEP_S)
        last = floor((self._loop.time() - self._start_s + EARLY_S) / STEP_S)
        while self._at <= last and self._timer is not None:
            due_s = self._start_s + self._at * STEP_S
            phase = self._phases[self._at % PHASES]
            self._at += 1
            for member in tuple(phase):
                if member in phase:
                    self._beat(member, due_s)
        if any(self._phases):
            self._arm()

    def _beat(self, member: Beaten, due_s: float) -> None:
        try:
            member.beat(due_s)
        except Exception as exc:  # noqa: BLE001 - one that breaks must not stop the others
            self.remove(member)
            self._loop.call_exception_handler(
                {"message": "a voice broke; it is silent from now on", "exception": exc}
            )


_BEATS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Beat]] = WeakKeyDictionary()


def beat_of(loop: asyncio.AbstractEventLoop) -> Beat:
    """The one beat of a loop."""
    beat = _BEATS.get(loop)
    if beat is None:
        beat = _BEATS[loop] = Beat(loop)
    return beat
