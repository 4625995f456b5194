"""Tells an agent's speech from the silence around it, in audio that never stops.

A peer connection carries silence too; a lane wants utterances with an end, so that the sink knows when it has nothing
to play, and so that two clocks that drift apart meet again in every pause. Only what a codec makes of digital silence
counts as silence: no speech, however soft, is held back.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from bridge_codecs.pcm import Int16

QUIET: Final = 8
"""Samples up to this are what Opus makes of zeros: -72 dBFS."""
HUSH_S: Final = 0.3
"""So long it must be quiet before an utterance is over; the quiet itself is passed on until then."""


class Hush:
    """Passes speech on, and ends it.

    Args:
        rate_hz: of the audio, Hz.
        push: gets mono int16 samples.
        end: called when an utterance is over.
    """

    def __init__(
        self, rate_hz: int, push: Callable[[Int16], None], end: Callable[[], None]
    ) -> None:
        self._push = push
        self._end = end
        self._enough = round(HUSH_S * rate_hz)
        self._quiet = self._enough

    def hear(self, samples: Int16) -> None:
        """Take the next samples, shape (n,)."""
        if not samples.size:
            return
        if samples.max() > QUIET or samples.min() < -QUIET:
            loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > QUIET)
            self._quiet = samples.size - 1 - int(loud[-1])
            self._push(samples)
        elif self._quiet < self._enough:
            self._quiet += samples.size
            self._push(samples)
            if self._quiet >= self._enough:
                self._end()

    def reset(self) -> None:
        """The connection is gone: an utterance that was under way is over."""
        if self._quiet < self._enough:
            self._quiet = self._enough
            self._end()
