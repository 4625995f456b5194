"""Mutes what a canceller left of the echo, so that an agent never hears itself.

A canceller takes two or three seconds of sound from the loudspeaker to learn the way through the room; what
it lets through meanwhile is loud enough to interrupt an agent. And what it leaves later, at -60 dBFS and
less, is still a voice to a detector that goes by more than level. So, while the loudspeaker is heard:

- until the canceller has shown that it takes the echo down by `PROOF_DB` (or that there is none), nothing
  passes, for `LEARNING_MAX_S` of sound from the loudspeaker at most;
- from then on a frame passes unless the canceller took most of it away: then it was echo. Somebody who
  speaks over the loudspeaker is not taken away, and passes.

While the loudspeaker is silent everything passes as it is. Frames are mono int16 of 10 ms; levels are dBFS.
"""

from typing import Final

import numpy as np

from bridge.audio.level import rms_dbfs
from bridge_codecs.pcm import Float32, Int16

FRAME_MS: Final = 10
PLAYED_DBFS: Final = -55.0
"""A quieter frame of the loudspeaker makes no echo that matters."""
RING_MS: Final = 250
"""How long a room goes on sounding."""
PROOF_DB: Final = 18.0
"""An echo taken down by this much is cancelled."""
NO_ECHO_DBFS: Final = -60.0
"""A microphone that is this quiet while the loudspeaker sounds hears none of it: headphones."""
PROOF_FRAMES: Final = 60
"""So many frames with proof, each without counting for three against it."""
AGAINST: Final = 3
LEARNING_MAX_S: Final = 8.0
ECHO_TAKEN_DB: Final = 14.0
"""A frame of which the canceller took this much was echo."""
HELD_OPEN_FRAMES: Final = 10
"""A voice is not cut in the weak sounds within its words."""


class EchoGate:
    """The gate behind one canceller. `gain_db` of a gain control between the two levels does it no harm."""

    def __init__(self) -> None:
        self.learnt = False
        """Whether the canceller has shown that it works."""
        self.muted_frames = 0
        self._sounding = 0
        self._proof = 0
        self._learning = 0
        self._held_open = 0
        self._open = True
        self._ramp: Float32 = np.zeros(0, np.float32)

    def played(self, frame: Int16, delay_ms: float) -> None:
        """A frame goes to the loudspeaker; its echo is heard ``delay_ms`` later and rings on."""
        if rms_dbfs(frame) > PLAYED_DBFS:
            self._sounding = int(delay_ms + RING_MS) // FRAME_MS

    def heard(self, heard: Int16, left: Int16) -> Int16:
        """What may pass of what the canceller left of a frame of the microphone.

        Args:
            heard: the frame as the microphone gave it.
            left: the frame as the canceller left it, as long.
        """
        if self._sounding > 0:
            self._sounding -= 1
            passes = self._passes(rms_dbfs(heard), rms_dbfs(left))
        else:
            passes = True
        self.muted_frames += not passes
        was_open, self._open = self._open, passes
        if was_open and passes:
            return left
        return self._faded(left, opening=passes) if was_open or passes else np.zeros_like(left)

    def _passes(self, heard_dbfs: float, left_dbfs: float) -> bool:
        if not self.learnt:
            self._learn(heard_dbfs, left_dbfs)
            return False
        if left_dbfs > NO_ECHO_DBFS and heard_dbfs - left_dbfs < ECHO_TAKEN_DB:
            self._held_open = HELD_OPEN_FRAMES
        elif self._held_open > 0:
            self._held_open -= 1
        return self._held_open > 0

    def _learn(self, heard_dbfs: float, left_dbfs: float) -> None:
        self._learning += 1
        if heard_dbfs < NO_ECHO_DBFS or heard_dbfs - left_dbfs >= PROOF_DB:
            self._proof += 1
        else:
            self._proof = max(0, self._proof - AGAINST)
        self.learnt = (
            self._proof >= PROOF_FRAMES or self._learning * FRAME_MS >= 1000 * LEARNING_MAX_S
        )

    def _faded(self, frame: Int16, *, opening: bool) -> Int16:
        """The frame from silence to full or back, so that it does not click."""
        if self._ramp.size != frame.size:
            self._ramp = np.linspace(0, 1, frame.size, dtype=np.float32)
        ramp = self._ramp if opening else self._ramp[::-1]
        faded: Int16 = (frame * ramp).astype(np.int16)
        return faded
