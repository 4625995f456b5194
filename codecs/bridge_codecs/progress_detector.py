"""Hears what a telephone network tells its callers: dial tone, ringback, busy, congestion, special information.

Of the United States and of Europe, as `tones.progress_tone` makes them, from -30 dBm0 on (-36 dBFS), with noise 15 dB
below and 10 dB between two frequencies; a frequency may be 1 % beside. Speech gives none. `progress_bank` tells the
frequencies, `progress_cadence` the rhythm. A tone is reported once, however often its burst comes again:

===================  =============================================
dial                 after 1 s; after 2 s where Europe has 425 Hz
ringback             after 1 s; in Europe 0.8 s after the first ring
busy, congestion     with the second burst: after 1.1 s, 0.6 s
special information  0.2 s into its third step, after 0.9 s
===================  =============================================
"""

from dataclasses import dataclass

import numpy as np

from bridge_codecs.errors import CodecError
from bridge_codecs.filterbank import RATES_HZ
from bridge_codecs.pcm import Int16, check_int16
from bridge_codecs.progress_bank import Ear
from bridge_codecs.progress_cadence import Cadence
from bridge_codecs.tones import Tone

HOPS_AT_ONCE = 50
"""Bounds the memory of a long push."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A tone and the sample at which it began, 20 ms more or less."""

    kind: Tone
    start: int


class ProgressDetector:
    """One stream of audio, in which it hears progress tones. Not for several threads.

    Raises: CodecError for a rate that is not supported.
    """

    __slots__ = ("_cadence", "_ear", "_rest", "rate_hz")

    def __init__(self, rate_hz: int = 8_000) -> None:
        if rate_hz not in RATES_HZ:
            known = ", ".join(map(str, RATES_HZ))
            raise CodecError(f"tones are heard at {known} Hz, not at {rate_hz!r}")
        self.rate_hz = rate_hz
        self.reset()

    def reset(self) -> None:
        """Forget the stream; positions count from 0 again."""
        self._ear = Ear(self.rate_hz)
        self._cadence = Cadence()
        self._rest: Int16 = np.zeros(0, np.int16)  # less than a hop

    def push(self, samples: Int16) -> list[Progress]:
        """Take samples, shape (n,), and return the tones that they make certain, in order.

        Raises: CodecError if the samples are not one row of int16.
        """
        check_int16(samples)
        waiting = np.concatenate([self._rest, samples]) if self._rest.size else samples
        hop = self._ear.hop
        whole = waiting.size // hop * hop
        # A copy: the caller may use the memory behind its samples again.
        self._rest = waiting[whole:].copy()
        found: list[Progress] = []
        for at in range(0, whole, hop * HOPS_AT_ONCE):
            for look in self._ear.look(waiting[at : min(at + hop * HOPS_AT_ONCE, whole)]):
                heard = self._cadence.hear(look)
                if heard is not None:
                    found.append(Progress(heard.tone, round(heard.start * hop)))
        return found
