"""Hears DTMF digits in a stream of audio, after ITU-T Q.24; speech gives none.

The audio is looked at through Hann windows of 20 ms, one every 10 ms. For each of the eight
frequencies there is what Goertzel's filters would give, as one product of matrices. From this and the
window before:

- *frequency*: the phase of a tone moves on between two windows by its true frequency; up to 1.5 %
  beside the nominal one is accepted, from 3.5 % on nothing (the limit is at 2.3 %);
- *purity*: at least 88 % of the energy in both windows must be the two tones. Noise 15 dB below them
  leaves 97 %, speech very rarely so much;
- *twist*: the high tone is at most 4 dB (the limit is at 5) above the low one and 8 (9) below;
- *level*: each tone has at least -33 dBFS, which is beyond the -25 dBm that Q.24 asks for;
- *steadiness*: neither tone changes by more than 3 dB from one window to the next;
- *duration*: windows add up to the length of the tone; 40 ms are accepted, 25 ms are not.

A digit is reported once, 35 to 55 ms after its start, however long it lasts. Gaps of up to 10 ms do not
split it; after 30 ms the same digit counts again.
"""

import cmath
import math
from collections import deque
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np

from bridge_codecs.errors import CodecError
from bridge_codecs.filterbank import RATES_HZ
from bridge_codecs.pcm import FULL_SCALE, Float32, Int16, check_int16
from bridge_codecs.tones import HIGH_HZ, KEYS, LOW_HZ

_HOPS_PER_S: Final = 100
_HOPS_AT_ONCE: Final = 50  # bounds the memory of a long push
_HZ: Final = (*LOW_HZ, *HIGH_HZ)
_ROWS: Final = len(LOW_HZ)
_FILTERS: Final = 2 * len(_HZ)
_RISE_WINDOWS: Final = 4  # two windows prove a tone, its rise lies in two more

_TOLERANCE: Final = 0.023
_MIN_PURITY: Final = 0.88
_MIN_RAW_PURITY: Final = 0.5  # before the loss beside the nominal frequency, 1.5 dB, is made good
_MAX_TWIST: Final = 10 ** (5 / 10)  # of powers, high over low
_MIN_TWIST: Final = 10 ** (-9 / 10)
_MIN_POWER: Final = 10 ** (-33 / 10)
_MAX_STEP: Final = 10 ** (3 / 20)  # of amplitudes
_MIN_TONE_HOPS: Final = 3.2  # in the middle between what must be and what must not
_GONE: Final = 0.4  # of the loudest window: below that twice in a row a tone is over
_FADE: Final = 0.95  # what counts as loudest follows a fading tone: 0.4 dB a window


@dataclass(frozen=True, slots=True)
class Digit:
    """A digit and the sample at which its tone began, 2 ms more or less."""

    key: str
    start: int


class DtmfDetector:
    """One stream of audio, in which it hears digits. Not for several threads.

    Raises: CodecError for a rate other than 8, 12, 16, 24, 32, 44.1 and 48 kHz.
    """

    __slots__ = ("_bank", "_carry", "_heard", "_last", "_past", "_rest", "_tone", "rate_hz")

    def __init__(self, rate_hz: int = 8_000) -> None:
        if rate_hz not in RATES_HZ or rate_hz % _HOPS_PER_S:
            raise CodecError(f"no DTMF is heard at {rate_hz!r} Hz; 8,000 is enough")
        self.rate_hz = rate_hz
        self._bank = _bank(rate_hz // _HOPS_PER_S)
        self.reset()

    def reset(self) -> None:
        """Forget the stream; positions count from 0 again."""
        self._rest: Int16 = np.zeros(0, np.int16)  # less than a hop
        # What the newest hop adds to the window that begins with it: its filters, its energy.
        self._carry: tuple[Float32, float] = (np.zeros(2 * len(_HZ), np.float32), 0.0)
        self._past: deque[list[float]] = deque(maxlen=_RISE_WINDOWS)  # powers, oldest first
        self._last: _Window | None = None  # the window before, if it may be a digit
        self._tone: _Tone | None = None
        self._heard = 0  # hops

    def push(self, samples: Int16) -> list[Digit]:
        """Take samples, shape (n,), and return the digits that they make certain, in order.

        Raises: CodecError if the samples are not one row of int16.
        """
        check_int16(samples)
        waiting = np.concatenate([self._rest, samples]) if self._rest.size else samples
        hop = self._bank.hop
        whole = waiting.size // hop * hop
        # A copy: the caller may use the memory behind its samples again.
        self._rest = waiting[whole:].copy()
        digits: list[Digit] = []
        for at in range(0, whole, hop * _HOPS_AT_ONCE):
            digits += self._listen(waiting[at : min(at + hop * _HOPS_AT_ONCE, whole)])
        return digits

    def _listen(self, samples: Int16) -> list[Digit]:
        """Whole hops: one window ends with each."""
        bank = self._bank
        hops = samples.astype(np.float32).reshape(-1, bank.hop)
        parts = hops.dot(bank.filters)
        hops *= hops
        energies = hops.dot(bank.energy).tolist()
        carried, carried_energy = self._carry
        # A window is the first half of the hop before and the second half of this one.
        filters = parts[:, _FILTERS:]
        filters[0] += carried
        filters[1:] += parts[:-1, :_FILTERS]
        squares = filters * filters
        powers = (squares[:, : len(_HZ)] + squares[:, len(_HZ) :]).tolist()
        self._carry = (parts[-1, :_FILTERS], energies[-1][0])
        found = []
        for index, (first, second) in enumerate(energies):
            window = _Window(filters[index], carried_energy + second)
            digit = self._look(window, powers[index])
            carried_energy = first
            if digit is not None:
                found.append(digit)
        return found

    def _look(self, window: "_Window", powers: list[float]) -> Digit | None:
        """Take the next window; return the digit that it makes certain."""
        self._heard += 1
        self._past.append(powers)
        tone, last = self._tone, self._last
        if tone is not None and not tone.goes_on(powers):
            self._tone = tone = None
        loudest = max(powers[:_ROWS]) + max(powers[_ROWS:])
        pure = loudest > _MIN_POWER and loudest > _MIN_RAW_PURITY * window.energy
        self._last = window if pure else None
        if pure and last is not None:
            pair = _pair(powers)
            if (tone is None or tone.pair != pair) and _is_digit(pair, last, window):
                self._tone = tone = self._begun(pair)
        if tone is None or not tone.is_due():
            return None
        tone.reported = True
        return Digit(KEYS[tone.pair[0]][tone.pair[1] - _ROWS], tone.start)

    def _begun(self, pair: tuple[int, int]) -> "_Tone":
        """The tone that the newest two windows prove; the ones before may hold its beginning."""
        *rise, before, now = (_level(pair, powers) for powers in self._past)
        peak = max(before, now)
        hops = (sum(min(level, peak) for level in rise) + before + now) / peak
        # The newest window has its middle one hop back. Up to there it adds half a hop.
        start = round((self._heard - 0.5 - hops) * self._bank.hop)
        return _Tone(pair, max(start, 0), peak, hops * peak)


class _Window(NamedTuple):
    """What the filters gave for 20 ms, and the energy of all that is in there."""

    filters: Float32
    energy: float


class _Tone:
    """A pair of tones that has been proved once: how long it is, and whether it is still there."""

    __slots__ = ("_faint", "_peak", "_total", "pair", "reported", "start")

    def __init__(self, pair: tuple[int, int], start: int, peak: float, total: float) -> None:
        self.pair, self.start = pair, start
        self.reported = False
        self._peak, self._total = peak, total
        self._faint = 0  # windows in a row

    def goes_on(self, powers: list[float]) -> bool:
        """Take the next window; tell whether the tone is still there, or only in a short gap."""
        level = _level(self.pair, powers)
        # A tone that fades away shall not end and begin again.
        self._peak = max(level, self._peak * _FADE if self.reported else self._peak)
        self._total += level
        self._faint = self._faint + 1 if level < _GONE * self._peak else 0
        return self._faint < 2

    def is_due(self) -> bool:
        """Tell whether it is long enough and has not been reported."""
        return not self.reported and self._total >= _MIN_TONE_HOPS * self._peak


def _pair(powers: list[float]) -> tuple[int, int]:
    """The loudest of the low and of the high frequencies, as places in `_HZ`."""
    low, high = powers[:_ROWS], powers[_ROWS:]
    return low.index(max(low)), _ROWS + high.index(max(high))


def _level(pair: tuple[int, int], powers: list[float]) -> float:
    """The amplitude of the pair; it grows evenly with the part of a window that has the tone."""
    return math.sqrt(powers[pair[0]] + powers[pair[1]])


def _is_digit(pair: tuple[int, int], before: _Window, now: _Window) -> bool:
    """Tell whether two windows in a row are the two tones, and nothing much beside them."""
    low, high = (_steady_powers(index, before.filters, now.filters) for index in pair)
    if low is None or high is None:
        return False
    return (
        min(*low, *high) >= _MIN_POWER
        # Of both windows together: noise moves the level of a single short one too much.
        and _MIN_TWIST <= sum(high) / sum(low) <= _MAX_TWIST
        and low[0] + high[0] >= _MIN_PURITY * before.energy
        and low[1] + high[1] >= _MIN_PURITY * now.energy
    )


def _steady_powers(index: int, before: Float32, now: Float32) -> tuple[float, float] | None:
    """The powers in two windows of a steady tone near `_HZ[index]`, or None if it is none."""
    first = complex(before[index], before[index + len(_HZ)])
    second = complex(now[index], now[index + len(_HZ)])
    if not first or not 1 / _MAX_STEP <= abs(second) / abs(first) <= _MAX_STEP:
        return None
    turns = cmath.phase(second / first) / (2 * math.pi) - _HZ[index] / _HOPS_PER_S
    beside_hz = (turns - round(turns)) * _HOPS_PER_S
    if abs(beside_hz) > _TOLERANCE * _HZ[index]:
        return None
    left = _hann_response(beside_hz / _HOPS_PER_S * 2) ** 2
    return abs(first) ** 2 / left, abs(second) ** 2 / left


def _hann_response(bins: float) -> float:
    """What a Hann window leaves of the amplitude of a tone so many of its bins beside."""
    if not bins:
        return 1.0
    return math.sin(math.pi * bins) / (math.pi * bins * (1 - bins * bins))


@dataclass(frozen=True, slots=True)
class _Bank:
    """The eight filters and the window's energy, for the two hops of a window; read-only.

    Columns of `filters`: 16 for a hop that begins a window, 16 for one that ends it; of each the
    cosines, then the sines. Columns of `energy`: the same two. Scaled so that the sum of a cosine's
    and a sine's square is the mean square of a tone, and so is the energy, with full scale 1.
    """

    hop: int
    filters: Float32
    energy: Float32


@cache
def _bank(hop: int) -> _Bank:
    n = 2 * hop
    at = np.arange(n)
    window = 0.5 - 0.5 * np.cos(2 * math.pi * (at + 0.5) / n)
    turns = np.outer(at, _HZ) * (2 * math.pi / (hop * _HOPS_PER_S))
    waves = window[:, np.newaxis] * np.hstack([np.cos(turns), -np.sin(turns)])
    waves *= math.sqrt(2) / (window.sum() * FULL_SCALE)
    squares = window**2 / ((window**2).sum() * FULL_SCALE**2)
    return _Bank(
        hop,
        np.hstack([waves[:hop], waves[hop:]]).astype(np.float32),
        np.stack([squares[:hop], squares[hop:]], axis=1).astype(np.float32),
    )
