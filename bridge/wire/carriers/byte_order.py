"""A guess at the byte order of L16 audio, for carriers whose documents do not say it.

Read in the wrong order, speech looks like white noise: its samples differ from each other about as much as random
numbers do. The rougher order is the wrong one (reference telephony section 2).
"""

from typing import Final, Literal

import numpy as np

from bridge_codecs.l16 import decode_l16

ByteOrder = Literal["big", "little"]

ROUGHER: Final = 8.0  # times the energy of sample differences: far more than any sound explains
_TRIES: Final = 10  # seconds that may be silent before nothing more is looked at


class ByteOrderHint:
    """Listens to the caller's first second of audio that is not silent."""

    def __init__(self, configured: ByteOrder, rate_hz: int) -> None:
        self._configured: ByteOrder = configured
        self._second_bytes = 2 * rate_hz
        self._heard = bytearray()
        self._tries_left = _TRIES

    @property
    def decided(self) -> bool:
        """Whether there is nothing more to find out."""
        return not self._tries_left

    def hear(self, payload: bytes) -> ByteOrder | None:
        """Listen to whole samples; the other byte order, once, if that is the smoother one."""
        if self.decided:
            return None
        self._heard += payload
        if len(self._heard) < self._second_bytes:
            return None
        other: ByteOrder = "little" if self._configured == "big" else "big"
        own, its = _roughness(self._heard, self._configured), _roughness(self._heard, other)
        self._heard.clear()
        sure = own > ROUGHER * its or its > ROUGHER * own
        self._tries_left = 0 if sure else self._tries_left - 1
        return other if own > ROUGHER * its else None


def _roughness(heard: bytearray, order: ByteOrder) -> float:
    """The energy of the differences between samples."""
    steps = np.diff(decode_l16(heard, order).astype(np.float64))
    return float(np.dot(steps, steps))
