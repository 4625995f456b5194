"""Speech brought to one level, in whole numbers so that the same samples give the same result."""

import math
from typing import Final

import numpy as np

from bridge_codecs.pcm import Int16

SPEECH_DBFS: Final = -20.0
"""Level of active speech after `normalised`."""
PEAK_DBFS: Final = -3.0
"""No sample is louder after `normalised`; a peaky voice stays below `SPEECH_DBFS` for it."""

_FRAMES_PER_S: Final = 50
_ACTIVE_DB: Final = 25.0  # frames this far below the loudest are pauses
_GAIN_ONE: Final = 1 << 12


def active_dbfs(samples: Int16, rate_hz: int) -> float:
    """RMS level of the frames of 20 ms in which there is speech; minus infinity for silence."""
    n_frame = rate_hz // _FRAMES_PER_S
    n_frames = samples.size // n_frame
    whole = samples[: n_frames * n_frame] if n_frames else samples
    if not whole.size:
        return -math.inf
    powers = np.square(whole.astype(np.int64)).reshape(max(1, n_frames), -1).sum(axis=1)
    active = powers[powers * 10 ** (_ACTIVE_DB / 10) >= powers.max()]
    mean = int(active.sum()) / (active.size * (whole.size // max(1, n_frames)))
    return 10 * math.log10(mean / 32_768**2) if mean else -math.inf


def normalised(samples: Int16, rate_hz: int) -> Int16:
    """The samples with active speech at `SPEECH_DBFS` and peaks below `PEAK_DBFS`; read-only."""
    level = active_dbfs(samples, rate_hz)
    wide = samples.astype(np.int64)
    if math.isfinite(level):
        peak = int(np.abs(wide).max())
        gain = 10 ** ((SPEECH_DBFS - level) / 20)
        most = 32_768 * 10 ** (PEAK_DBFS / 20) / peak
        wide = (wide * int(min(gain, most) * _GAIN_ONE)) >> 12
    levelled = wide.astype(np.int16)
    levelled.flags.writeable = False
    return levelled
