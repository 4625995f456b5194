"""Tells a telephone network's tones by how they begin and end: the same frequencies mean different things.

Takes what `progress_bank.Ear` sees of each hop of 40 ms. Lengths are in hops.
"""

from dataclasses import dataclass
from typing import Final

from bridge_codecs.progress_bank import STEPS_HZ, Look
from bridge_codecs.tones import Tone

DIAL, RINGBACK, BUSY, EUROPE = range(4)
"""The tones by their place in `progress_bank.TONES_HZ`."""

_LASTING: Final[dict[int, tuple[Tone, int]]] = {
    DIAL: ("dial", 25),
    RINGBACK: ("ringback", 25),
    EUROPE: ("dial", 50),  # Europe rings for a second with the same frequency
}
"""What a tone is as soon as it has lasted so long."""
_RHYTHMS: Final[tuple[tuple[Tone, range], ...]] = (
    ("congestion", range(4, 9)),  # 0.25 s
    ("busy", range(10, 17)),  # 0.5 s
)
"""What a burst is that is followed by a gap as long."""
_RING: Final = range(20, 39)  # of 1 s
_RING_GAP: Final = 20
_CERTAIN: Final = range(3, 5)  # windows, until a second burst is one; one may be missing
_STEADY: Final = 2.5  # powers of one burst, and of two in a row, differ by less
_QUIET: Final = 0.25  # of the power of the tone: what a gap may have at most
_MISSES: Final = 1  # windows that a burst may lack
_AGAIN: Final = 175  # 7 s: a tone that is certain again sooner is the same one, going on
_STEP: Final = range(5, 12)  # of 0.33 s
_STEP_PAUSE: Final = 2


@dataclass(frozen=True, slots=True)
class Heard:
    """A tone, and the hop at which it began, with its fraction."""

    tone: Tone
    start: float


@dataclass(slots=True)
class _Burst:
    tone: int
    start: float
    power: float
    n: int = 1
    missing: int = 0
    gap: int = 0
    gap_power: float = 0.0
    told: bool = False

    def goes_on(self, look: Look) -> bool:
        """Take the next hop; False when it is over."""
        if look.tone == self.tone and _alike(look.power, self.power):
            self.n += 1 + self.missing
            self.missing = 0
            self.power += (look.power - self.power) / min(self.n, 8)
            return True
        self.missing += 1
        return self.missing <= _MISSES

    def is_quiet_after(self) -> bool:
        """Tell whether the gap is one, and no other sound."""
        return self.gap_power <= _QUIET * self.power * self.gap


class Cadence:
    """One stream's tones."""

    __slots__ = ("_before", "_burst", "_hops", "_last", "_said", "_steps")

    def __init__(self) -> None:
        self._hops = 0
        self._before = 0.0  # power of the hop before
        self._burst: _Burst | None = None
        self._last: _Burst | None = None  # the burst before
        self._steps = _Steps()
        self._said: dict[Tone, int] = {}  # when each was heard last

    def hear(self, look: Look) -> Heard | None:
        """Take the next hop; return the tone that it makes certain."""
        heard = self._steps.hear(look, self._hops) or self._bursts(look)
        self._before = look.power
        self._hops += 1
        if heard is None:
            return None
        said = self._said.get(heard.tone)
        self._said[heard.tone] = self._hops
        return heard if said is None or self._hops - said > _AGAIN else None

    def _bursts(self, look: Look) -> Heard | None:
        if self._burst is not None and not self._burst.goes_on(look):
            self._last = self._end(self._burst)
            self._burst = None
        burst = self._burst
        # A burst that has just ended is still in the window, but not in the hop.
        if burst is None and look.tone is not None and look.power * _STEADY >= self._before:
            start = self._hops - min(self._before / look.power, 1.0)
            self._burst = burst = _Burst(look.tone, start, look.power)
        if burst is not None:
            return None if burst.told else self._in_burst(burst)
        return None if self._last is None else self._in_gap(self._last, look)

    def _end(self, burst: _Burst) -> _Burst:
        burst.gap = burst.missing - 1  # this hop comes to it
        if burst.told:
            self._said[_LASTING[burst.tone][0]] = self._hops
        return burst

    def _in_burst(self, burst: _Burst) -> Heard | None:
        lasting = _LASTING.get(burst.tone)
        if lasting is not None and burst.n >= lasting[1]:
            burst.told = True
            return Heard(lasting[0], burst.start)
        last = self._last
        if burst.n not in _CERTAIN or last is None or last.tone != burst.tone or burst.tone < BUSY:
            return None
        if not (_alike(burst.power, last.power) and last.is_quiet_after()):
            return None
        for tone, lengths in _RHYTHMS:
            if last.n in lengths and last.gap in lengths:
                return Heard(tone, last.start)
        return None

    def _in_gap(self, last: _Burst, look: Look) -> Heard | None:
        last.gap += 1
        last.gap_power += look.power
        if last.tone != EUROPE or last.gap != _RING_GAP or last.n not in _RING:
            return None
        return Heard("ringback", last.start) if last.is_quiet_after() else None


class _Steps:
    """The special information tone: three steps upwards, and no way back."""

    __slots__ = ("_first", "_n", "_pause", "_start", "_step")

    def __init__(self) -> None:
        self._step = -1
        self._n = self._pause = 0
        # Of the first step: its place, and the power of its first hop.
        self._start = self._first = 0.0

    def hear(self, look: Look, hop: int) -> Heard | None:
        """Take the next hop, which has this number."""
        if look.step is None:
            self._pause += 1
        elif look.step == self._step and self._pause <= _STEP_PAUSE:
            if not self._step and self._n == 1:
                self._start += max(1.0 - self._first / look.power, 0.0)
            self._n += 1 + self._pause
            self._pause = 0
        else:
            self._climb(look, hop)
        if self._step == len(STEPS_HZ) - 1 and self._n == _STEP.start:
            return Heard("sit", self._start)
        return None

    def _climb(self, look: Look, hop: int) -> None:
        climbs = look.step == self._step + 1 and self._n in _STEP and self._pause <= _STEP_PAUSE
        if look.step == 0:
            self._start, self._first = hop, look.power
        elif not climbs:
            self._step = -1
            return
        self._step = look.step or 0
        self._n, self._pause = 1, 0


def _alike(one: float, other: float) -> bool:
    return one <= _STEADY * other and other <= _STEADY * one
