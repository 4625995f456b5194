"""Tells which tone of a telephone network a stretch of audio is, if it is one and hardly anything else.

The audio is looked at through windows of 80 ms, one every 40 ms. Each tone has a band for each of its frequencies; all
sounds inside a band span a few dimensions of the space of windows, and how much of a window lies there is one product
of matrices. Of a window that is a tone nearly everything does: noise 15 dB below leaves 97 %, speech very rarely so
much. The three steps of the special information tone have wide bands and are looked for in 40 ms.

Levels are mean squares with full scale 1.
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.pcm import FULL_SCALE, Float32, Int16

HOP_MS: Final = 40

TONES_HZ: Final = ((350, 440), (440, 480), (480, 620), (425,))
"""The frequencies of the tones, here known by their place: dial, ringback, busy and congestion of the United States,
and the one that Europe has for all four."""
STEPS_HZ: Final = (950, 1_400, 1_800)
"""The special information tone, step by step."""

_TOLERANCE: Final = 0.012  # networks keep theirs within 0.5 %
_STEP_TOLERANCE_HZ: Final = 50.0  # ITU-T E.180
_KEPT: Final = (
    0.15  # of the first singular value; dimensions with less hold next to nothing of a band
)
_MIN_PURITY: Final = 0.86
_MAX_TWIST: Final = 10 ** (10 / 10)
_MIN_POWER: Final = 10 ** (-42 / 10)


class Look(NamedTuple):
    """What a hop showed."""

    power: float
    """Of the hop."""
    tone: int | None
    """Which of `TONES_HZ` the window is that ends with this hop."""
    step: int | None
    """Which of `STEPS_HZ` the hop is."""


class Ear:
    """Looks at one stream, hop after hop."""

    __slots__ = ("_bank", "_before", "_carry", "hop")

    def __init__(self, rate_hz: int) -> None:
        self.hop = rate_hz * HOP_MS // 1_000
        self._bank = _bank(self.hop)
        self._before = 0.0  # power of the hop before
        # What the newest hop adds to the window that begins with it.
        self._carry: Float32 = np.zeros(self._bank.n_window, np.float32)

    def look(self, samples: Int16) -> list[Look]:
        """Take whole hops."""
        bank, n_window = self._bank, self._bank.n_window
        hops = samples.astype(np.float32).reshape(-1, self.hop)
        parts = hops.dot(bank.filters)
        powers = (np.einsum("ij,ij->i", hops, hops) * bank.power_scale).tolist()
        ends = parts[:, n_window:]
        ends[0, :n_window] += self._carry
        ends[1:, :n_window] += parts[:-1, :n_window]
        self._carry = parts[-1, :n_window].copy()
        ends *= ends
        inside = np.add.reduceat(ends, bank.starts, axis=1).tolist()
        return [self._seen(power, bands) for power, bands in zip(powers, inside, strict=True)]

    def _seen(self, power: float, bands: list[float]) -> Look:
        before, self._before = self._before, power
        window = (before + power) / 2
        tone = step = None
        if window >= _MIN_POWER:
            tone = _tone(bands, _MIN_PURITY * window)
        if power >= _MIN_POWER:
            step = _step(bands, _MIN_PURITY * power)
        return Look(power, tone, step)


def _tone(bands: list[float], enough: float) -> int | None:
    """The tone that holds enough of a window, in each of its bands. `bands` is a row as `_bank` has them."""
    at = 0
    for tone, hz in enumerate(TONES_HZ):
        if len(hz) == 1:
            return tone if bands[at] >= enough else None
        low, high = bands[at], bands[at + 1]
        if low + high >= enough and high <= _MAX_TWIST * low and low <= _MAX_TWIST * high:
            return tone
        at += len(hz)
    return None


def _step(bands: list[float], enough: float) -> int | None:
    powers = bands[-len(STEPS_HZ) :]
    loudest = max(powers)
    return powers.index(loudest) if loudest >= enough else None


@dataclass(frozen=True, slots=True)
class _Bank:
    """The bands' dimensions for a hop of so many samples; read-only.

    Columns of `filters`: `n_window` for a hop that begins a window, as many for one that ends it, and those of the
    steps. `starts` says where each band begins, counted from the second lot on.
    """

    filters: Float32
    n_window: int
    starts: list[int]
    power_scale: float


@cache
def _bank(hop: int) -> _Bank:
    rate_hz = hop * 1_000 / HOP_MS
    windows = []
    for tone in TONES_HZ:
        taken: NDArray[np.float64] = np.zeros((2 * hop, 0))
        for hz in tone:
            # Each band is made orthogonal to the one before: a single frequency is not counted in both.
            band = _band(2 * hop, rate_hz, hz, hz * _TOLERANCE, taken)
            taken = np.hstack([taken, band])
            windows.append(band / math.sqrt(2 * hop) / FULL_SCALE)
    none: NDArray[np.float64] = np.zeros((hop, 0))
    steps = [
        _band(hop, rate_hz, hz, _STEP_TOLERANCE_HZ, none) / math.sqrt(hop) / FULL_SCALE
        for hz in STEPS_HZ
    ]
    both = np.hstack(windows)
    filters = np.hstack([both[:hop], both[hop:], *steps]).astype(np.float32)
    filters.setflags(write=False)
    starts = np.cumsum([0, *(band.shape[1] for band in [*windows, *steps])])[:-1].tolist()
    return _Bank(filters, both.shape[1], starts, 1 / (hop * FULL_SCALE**2))


def _band(
    n: int, rate_hz: float, hz: float, beside_hz: float, taken: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Orthonormal columns that span all sines of a band, in n samples, without what is taken."""
    frequencies = np.linspace(hz - beside_hz, hz + beside_hz, 11)
    at = np.arange(n) - (n - 1) / 2
    turns = np.outer(at, frequencies) * (2 * math.pi / rate_hz)
    sines = np.hstack([np.cos(turns), np.sin(turns)])
    sines -= taken @ (taken.T @ sines)
    # The singular vectors by way of the small matrix of products: half the time.
    squares, ways = np.linalg.eigh(sines.T @ sines)
    large = squares >= _KEPT**2 * squares[-1]
    kept: NDArray[np.float64] = sines @ ways[:, large] / np.sqrt(squares[large])
    return kept
