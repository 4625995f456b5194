"""A sound of ours for whoever sits at the device, over what the call plays: the tone of a key that was pressed."""

from typing import Final

import numpy as np

from bridge_codecs.pcm import HIGHEST, LOWEST, Int16

TONE_MAX_S: Final = 2
_NOTHING: Final = np.empty(0, np.int16)


class KeyTone:
    """What is still to be heard of it, at ``rate_hz``."""

    def __init__(self, rate_hz: int) -> None:
        self._most = TONE_MAX_S * rate_hz
        self._left: Int16 = _NOTHING

    @property
    def size(self) -> int:
        """Samples that are left."""
        return self._left.size

    def play(self, samples: Int16) -> None:
        """Append shape (n,) int16; what is longer than `TONE_MAX_S` in all is cut."""
        self._left = np.concatenate((self._left, samples))[: self._most]

    def stop(self) -> None:
        """Drop it."""
        self._left = _NOTHING

    def mixed(self, samples: Int16, n: int) -> Int16:
        """The next ``n`` samples of it over shape (m,) int16, m at most ``n``; the shorter one is silent then."""
        tone, self._left = self._left[:n], self._left[n:]
        if not tone.size:
            return samples
        mixed = np.zeros(max(samples.size, tone.size), np.int32)
        mixed[: samples.size] += samples
        mixed[: tone.size] += tone
        limited: Int16 = mixed.clip(int(LOWEST), int(HIGHEST)).astype(np.int16)
        return limited
