"""Levels of audio, and where in a recording there is something to hear.

Levels are dB relative to full scale (dBFS): a square wave of ±32768 has 0, a full-scale sine -3.01.
Silence has no level; it counts as `SILENCE_DBFS`, far below the rounding floor of int16.

A stretch is audible from its first to its last 10 ms frame that is more than 20 dB above the noise
floor of its channel; pauses shorter than 200 ms belong to it.
"""

from dataclasses import dataclass
from math import log10
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.pcm import Int16

Float64: TypeAlias = NDArray[np.float64]

FULL_SCALE = 32_768
SILENCE_DBFS = -120.0
FRAMES_PER_S = 100
"""Levels are measured in frames of 10 ms."""
FLOOR_PERCENTILE = 10
FLOOR_MIN_DBFS = -70.0
"""Digital silence would put the floor infinitely low, and every dither noise above it."""
AUDIBLE_DB = 20.0
HANGOVER_MS = 200
_BLOCK_FRAMES = 1_000
"""Recordings are measured in blocks, so that an hour needs no gigabyte of squares."""


@dataclass(frozen=True, slots=True)
class Span:
    """Samples ``start`` to ``end`` (exclusive) of a recording."""

    start: int
    end: int


def rms_dbfs(samples: Int16) -> float:
    """Level of shape (n,) int16, dBFS; `SILENCE_DBFS` for zeros and for no samples."""
    if not samples.size:
        return SILENCE_DBFS
    wide = samples.astype(np.float64)
    return _dbfs(float(np.dot(wide, wide)) / samples.size)


def peak_dbfs(samples: Int16) -> float:
    """Level of the largest sample of shape (n,) int16, dBFS."""
    if not samples.size:
        return SILENCE_DBFS
    # abs(-32768) does not fit into int16.
    return _dbfs(float(max(int(samples.max()), -int(samples.min()))) ** 2)


def frame_levels_dbfs(samples: Int16, rate_hz: int) -> Float64:
    """Level of each 10 ms frame of shape (n,) int16, dBFS: shape (ceil(n · 100 / rate),).

    Frame k begins at sample ⌈k · rate / 100⌉, also where 10 ms are no whole number of samples;
    the last frame may be shorter.
    """
    n_frames = -(-samples.size * FRAMES_PER_S // rate_hz)
    starts = frame_start(np.arange(n_frames), rate_hz)
    bounds = np.append(starts, samples.size)
    means = np.empty(n_frames)
    for first in range(0, n_frames, _BLOCK_FRAMES):
        last = min(first + _BLOCK_FRAMES, n_frames)
        wide = samples[bounds[first] : bounds[last]].astype(np.float64)
        sums = np.add.reduceat(wide * wide, starts[first:last] - bounds[first])
        means[first:last] = sums / np.diff(bounds[first : last + 1])
    silence = FULL_SCALE**2 * 10 ** (SILENCE_DBFS / 10)
    levels: Float64 = 10 * np.log10(np.maximum(means, silence) / FULL_SCALE**2)
    return levels


def noise_floor_dbfs(levels: Float64) -> float:
    """Noise floor of a channel from the levels of its frames; never below `FLOOR_MIN_DBFS`."""
    if not levels.size:
        return FLOOR_MIN_DBFS
    return max(FLOOR_MIN_DBFS, _percentile(levels, FLOOR_PERCENTILE))


def _percentile(values: Float64, percent: float) -> float:
    """What `np.percentile` gives, which imports a part of numpy when first asked: 12 ms in the midst of a call."""
    ordered = np.sort(values)
    at = percent / 100 * (ordered.size - 1)
    below = int(at)
    above = min(below + 1, ordered.size - 1)
    return float(ordered[below] + (at - below) * (ordered[above] - ordered[below]))


def audible_spans(samples: Int16, rate_hz: int) -> list[Span]:
    """The audible stretches of a channel, shape (n,) int16, in order; right to 10 ms.

    A channel that is never quiet (less than a tenth of its time) has no audible stretch: there is
    no floor to stand out from.
    """
    levels = frame_levels_dbfs(samples, rate_hz)
    loud = np.flatnonzero(levels > noise_floor_dbfs(levels) + AUDIBLE_DB)
    if not loud.size:
        return []
    quiet_frames = np.diff(loud) - 1
    breaks = np.flatnonzero(quiet_frames * 1000 >= HANGOVER_MS * FRAMES_PER_S)
    first = loud[np.append(0, breaks + 1)]
    last = loud[np.append(breaks, loud.size - 1)]
    starts = frame_start(first, rate_hz)
    ends = np.minimum(frame_start(last + 1, rate_hz), samples.size)
    return [Span(int(start), int(end)) for start, end in zip(starts, ends, strict=True)]


def frame_start(frames: NDArray[np.intp], rate_hz: int) -> NDArray[np.intp]:
    """First sample of each of these 10 ms frames."""
    return -(-frames * rate_hz // FRAMES_PER_S)


def _dbfs(mean_square: float) -> float:
    if mean_square <= 0:
        return SILENCE_DBFS
    return max(SILENCE_DBFS, 10 * log10(mean_square / FULL_SCALE**2))
