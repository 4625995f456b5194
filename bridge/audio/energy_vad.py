"""Voice activity by level alone: the floor under any better detector, and one that costs nothing.

Speech stands out from the noise around it. The noise floor is a low percentile of the levels of
the last seconds: speech has pauses between its syllables, noise has none. So the floor follows a
noise that sets in within four seconds, and stays down through a long sentence. Levels are smoothed
over three chunks, because babble flickers. It cannot tell a voice from any other sound that comes
and goes.
"""

from math import exp, log10

import numpy as np

from bridge_codecs.pcm import FULL_SCALE, Float32, Int16

CHUNK_MS = 32
WINDOW_CHUNKS = 160
"""Levels that make the floor: 5 s."""
FLOOR_RANK = 0.2
FLOOR_MIN_DBFS = -62.0
"""Below lies what codecs and quiet lines make of silence."""
FLOOR_MAX_DBFS = -28.0
"""Above, all sound is speech: a noise as loud as that leaves nothing to tell."""
SPEECH_DB = 10.0
"""A chunk this far above the floor is speech as likely as not."""
SLOPE_DB = 1.4
"""How fast the odds change with level: 3 dB below `SPEECH_DB` the probability is 0.1."""
SMOOTH_CHUNKS = 3
SILENT_DBFS = -72.0
"""Silence weighs no more than this in the smoothed level, or the first sounds would be missed."""
_EMPHASIS = np.float32(0.9)


class EnergyVad:
    """One stream's voice activity.

    Args:
        rate_hz: rate of the audio, Hz; it is judged in chunks of 32 ms (512 samples at 16 kHz).
    """

    def __init__(self, rate_hz: int = 16_000) -> None:
        self.chunk_samples = rate_hz * CHUNK_MS // 1000
        if self.chunk_samples < 1:
            raise ValueError(f"voice activity needs a higher rate than {rate_hz} Hz")
        self._window: Float32 = np.empty(WINDOW_CHUNKS, np.float32)
        self._line: Float32 = np.zeros(self.chunk_samples + 1, np.float32)
        self._bright: Float32 = np.empty(self.chunk_samples, np.float32)
        self._full_energy = self.chunk_samples * float(FULL_SCALE) ** 2
        self.reset()

    def reset(self) -> None:
        """Forget the stream so far."""
        self._n_chunks = 0
        self._line[:] = 0.0
        self._recent = [SILENT_DBFS] * SMOOTH_CHUNKS

    def push(self, samples: Int16) -> float:
        """The probability of speech in the next chunk, 0 to 1; exactly 0 for digital silence.

        Raises:
            ValueError: not exactly ``chunk_samples`` samples.
        """
        if samples.size != self.chunk_samples:
            raise ValueError(f"a chunk has {self.chunk_samples} samples, not {samples.size}")
        level = self._level_dbfs(samples)
        self._window[self._n_chunks % WINDOW_CHUNKS] = level
        self._n_chunks += 1
        self._recent = [*self._recent[1:], level]
        if level == SILENT_DBFS and not samples.any():
            return 0.0
        smooth = sum(self._recent) / SMOOTH_CHUNKS
        return 1 / (1 + exp((self._floor_dbfs() + SPEECH_DB - smooth) / SLOPE_DB))

    def _level_dbfs(self, samples: Int16) -> float:
        """Level with the lows weakened (hum, rumble), not below `SILENT_DBFS`."""
        line, bright = self._line, self._bright
        line[0] = line[-1]
        line[1:] = samples
        np.multiply(line[:-1], _EMPHASIS, out=bright)
        np.subtract(line[1:], bright, out=bright)
        energy = float(np.dot(bright, bright)) / self._full_energy
        return max(SILENT_DBFS, 10 * log10(energy)) if energy > 0.0 else SILENT_DBFS

    def _floor_dbfs(self) -> float:
        n = min(self._n_chunks, WINDOW_CHUNKS)
        rank = int(n * FLOOR_RANK)
        floor = float(np.partition(self._window[:n], rank)[rank])
        return min(max(floor, FLOOR_MIN_DBFS), FLOOR_MAX_DBFS)
