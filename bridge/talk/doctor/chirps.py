"""The sound that is played: short chirps at uneven distances, and silence before them.

A chirp sweeps over the band of speech, so that its arrival can be told to a few microseconds and noise does not hide
it. The distances differ, so that the train fits the recording at one delay only. All is made at whatever rate a
device has; positions are seconds.
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from bridge_codecs.pcm import Int16

Float64: TypeAlias = NDArray[np.float64]

CHIRP_S: Final = 0.06
FROM_HZ: Final = 500.0
TO_HZ: Final = 3_000.0
"""Low enough for a device of 8 kHz, so that the same chirp is played and looked for at any rate."""
EDGE_S: Final = 0.01
"""Faded in and out so long: no click."""
PEAK_DBFS: Final = -12.0
"""Loud enough for a weak microphone, too weak to hurt or to overdrive a laptop's loudspeaker."""
QUIET_S: Final = 0.6
"""Silence first, in which the microphone's noise is measured."""
GAPS_S: Final = (0.93, 0.71, 1.09, 0.83, 0.97, 0.77, 1.13, 0.87)
"""From the start of one chirp to that of the next: no two sums of neighbours are alike."""
DELAY_MAX_S: Final = 1.5
"""A chirp that has not come back by then is not waited for: wireless loudspeakers take half a second at most."""


@dataclass(frozen=True, slots=True)
class ChirpTrain:
    """When each chirp begins, s from the first sample played, and how long all of it is played."""

    starts_s: tuple[float, ...]
    duration_s: float


def chirp_train() -> ChirpTrain:
    """The test sound's times: nine chirps in 7.9 s, and the time the last may take to come back."""
    starts = np.concatenate(([0.0], np.cumsum(GAPS_S))) + QUIET_S
    last_s = float(starts[-1])
    return ChirpTrain(tuple(map(float, starts)), last_s + CHIRP_S + DELAY_MAX_S)


def chirp(rate_hz: int) -> Float64:
    """One chirp, shape (n,), peak 1.0."""
    at_s = np.arange(round(CHIRP_S * rate_hz)) / rate_hz

    phase = 2 * np.pi * (FROM_HZ * at_s + (TO_HZ - FROM_HZ) / (2 * CHIRP_S) * at_s**2)
    rise = np.clip(np.minimum(at_s, CHIRP_S - at_s) / EDGE_S, 0, 1)
    made: Float64 = np.sin(phase) * np.sin(np.pi / 2 * rise) ** 2
    return made


def sound(train: ChirpTrain, rate_hz: int) -> Int16:
    """What is played, mono int16 of ``train.duration_s`` at a device's rate."""
    made = np.zeros(round(train.duration_s * rate_hz), np.int16)
    peak = 32_767 * 10 ** (PEAK_DBFS / 20)
    one = np.rint(peak * chirp(rate_hz)).astype(np.int16)
    for start_s in train.starts_s:
        at = round(start_s * rate_hz)
        made[at : at + one.size] = one
    return made
