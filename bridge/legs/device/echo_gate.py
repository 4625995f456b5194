"""Mutes what a canceller left of the echo, so that an agent never hears itself.

A canceller takes two or three seconds of sound from the loudspeaker to learn the way through the room; what
it lets through meanwhile is loud enough to interrupt an agent. And what it leaves later, at -60 dBFS and
less, is still a voice to a detector that goes by more than level. So, while the loudspeaker is heard:

- until the canceller has shown that it takes a loud echo down by `PROOF_DB` (or that there is none), nothing
  passes, for `LEARNING_MAX_S` of sound from the loudspeaker at most;
- from then on a frame passes if the canceller left most of it, it stands out from the noise, and it is not far
  weaker than the echo was of late, for `ONSET_FRAMES` in a row: short, weak remains of an echo do come through.
  Somebody who speaks over the loudspeaker is not taken away, and passes;
- where no echo comes back at all (`apart`), a voice passes as the microphone heard it, because a canceller
  without an echo takes a voice for one.

What does not pass is replaced by the room's own noise as it was of late: silence that comes and goes would
make the noise itself look like speech. While the loudspeaker is silent everything passes as it is. Frames are
mono int16 of 10 ms; levels are dBFS.
"""

from collections import deque
from typing import Final

import numpy as np

from bridge.audio.level import rms_dbfs
from bridge.legs.device.apart import Apart
from bridge_codecs.pcm import FULL_SCALE, Float32, Int16

FRAME_MS: Final = 10
PLAYED_DBFS: Final = -65.0
"""A quieter frame of the loudspeaker makes no echo that matters."""
LOUD_DBFS: Final = -35.0
"""Only while the loudspeaker is this loud can be told what becomes of its echo."""
RING_MS: Final = 250
"""How long a room goes on sounding."""
PROOF_DB: Final = 18.0
"""An echo taken down by this much is cancelled; so is one of which nothing is left but the noise."""
LOST_IN_NOISE_DB: Final = 8.0
NO_ECHO_DBFS: Final = -60.0
"""A microphone that is this quiet while the loudspeaker is loud hears none of it: headphones."""
PROOF_FRAMES: Final = 60
"""So many frames with proof, each without counting for three against it."""
AGAINST: Final = 3
LEARNING_MIN_S: Final = 2.0
"""WebRTC's module takes everything at first, whether it has learnt the way or not: that proves nothing."""
LEARNING_MAX_S: Final = 8.0
ECHO_TAKEN_DB: Final = 14.0
"""A frame of which the canceller took this much was echo."""
STANDS_OUT_DB: Final = 10.0
REMAINS_DB: Final = 12.0
"""What comes through of an echo is at least this much weaker than it was; a voice near the microphone is not."""
ECHO_FADES_DB: Final = 0.06
"""The echo's level is its highest of late: it falls by 6 dB a second at most."""
ONSET_FRAMES: Final = 3
FLOOR_FRAMES: Final = 300
FLOOR_RANK: Final = 0.2
"""The noise's level is what a fifth of the last three seconds lay below: speech has pauses, noise has none."""
FLOOR_EVERY: Final = 10
SILENT_DBFS: Final = -95.0
"""What a module gives that has not begun to work tells nothing of the noise."""
HELD_OPEN_FRAMES: Final = 10
"""A voice is not cut in the weak sounds within its words."""
KNOWN_FRAMES: Final = 30
"""So many frames tell the noise's level."""
NOISE_DB: Final = 4.0
HISS_MAX_DBFS: Final = -45.0
"""What seems louder is no noise, but an echo that the canceller has not learnt."""
NOISE_FRAMES: Final = 50
"""Frames of the room's noise that are kept, to fill what does not pass."""
_HISS: Final[Float32] = np.random.default_rng(0).normal(size=16_000).astype(np.float32)


class EchoGate:
    """The gate behind one canceller. A gain control between the two levels does it no harm."""

    def __init__(self) -> None:
        self.learnt = False
        """Whether the canceller has shown that it works."""
        self.muted_frames = 0
        self._sounding = 0
        self._loud = 0
        self._proof = 0
        self._no_echo = 0
        self._learning = 0
        self._echo_dbfs = SILENT_DBFS
        self._onset = 0
        self._held_open = 0
        self._onset_raw = 0
        self._held_raw = 0
        self._open = True
        self._raw = False
        """The last frame that passed did so as it was heard."""
        self._apart = Apart()
        self._echoed = False
        """There was an echo to cancel."""
        self._played: deque[float] = deque([SILENT_DBFS], maxlen=RING_MS // FRAME_MS)
        self._n_filled = 0
        self._levels: Float32 = np.full(FLOOR_FRAMES, np.nan, np.float32)
        self._n_levels = 0
        self._floor_dbfs = SILENT_DBFS
        self._noise: deque[Int16] = deque(maxlen=NOISE_FRAMES)

    def played(self, frame: Int16, delay_ms: float) -> None:
        """A frame goes to the loudspeaker; its echo is heard ``delay_ms`` later and rings on."""
        level = rms_dbfs(frame)
        frames = int(delay_ms + RING_MS) // FRAME_MS
        if frames != self._played.maxlen:
            self._played = deque(self._played, maxlen=frames)
        self._played.append(level)
        self._sounding = frames if level > PLAYED_DBFS else max(0, self._sounding - 1)
        self._loud = frames if level > LOUD_DBFS else max(0, self._loud - 1)

    def heard(self, heard: Int16, left: Int16) -> Int16:
        """What may pass of what the canceller left of a frame of the microphone.

        Args:
            heard: the frame as the microphone gave it.
            left: the frame as the canceller left it, as long.
        """
        left_dbfs = rms_dbfs(left)
        self._weigh(left_dbfs)
        stands_out = left_dbfs > max(NO_ECHO_DBFS, self._floor_dbfs + STANDS_OUT_DB)
        passes, raw = True, False
        if self._sounding:
            heard_dbfs = rms_dbfs(heard)
            raw = self._passes_raw(heard_dbfs)
            passes = self._passes(heard_dbfs, left_dbfs, stands_out=stands_out) or raw
        elif self._n_levels >= KNOWN_FRAMES and left_dbfs < self._floor_dbfs + NOISE_DB:
            self._noise.append(left)
        self.muted_frames += not passes
        was_raw, self._raw = self._raw, raw
        was_open, self._open = self._open, passes
        if was_open and passes:
            if raw == was_raw:
                return heard if raw else left
            return _crossed(*((left, heard) if raw else (heard, left)))
        filling = self._filling(left.size)
        if passes:
            return _crossed(filling, heard if raw else left)
        return _crossed(heard if was_raw else left, filling) if was_open else filling

    def _passes_raw(self, heard_dbfs: float) -> bool:
        """Whether a frame is let through as it was heard, because there is no echo."""
        loud, played_dbfs = self._played[-1] > LOUD_DBFS, max(self._played)
        apart = self._apart
        is_voice = apart.is_voice(heard_dbfs, played_dbfs, loud=loud, echo_known=self._echoed)
        if apart.doubted:
            apart.doubted = self.learnt = False
            self._learning = self._proof = self._no_echo = 0
        if not apart.proven:
            return False
        self._onset_raw = self._onset_raw + 1 if is_voice else 0
        if self._onset_raw >= ONSET_FRAMES:
            self._held_raw = HELD_OPEN_FRAMES
        elif self._held_raw > 0:
            self._held_raw -= 1
        return self._held_raw > 0

    def _passes(self, heard_dbfs: float, left_dbfs: float, *, stands_out: bool) -> bool:
        """Whether a frame is let through while the loudspeaker sounds."""
        is_echo = heard_dbfs - left_dbfs >= ECHO_TAKEN_DB
        self._echo_dbfs = max(self._echo_dbfs - ECHO_FADES_DB, heard_dbfs if is_echo else -np.inf)
        if not self.learnt:
            if self._loud:
                self._learn(heard_dbfs, left_dbfs)
            return False
        is_voice = stands_out and not is_echo and left_dbfs > self._echo_dbfs - REMAINS_DB
        self._onset = self._onset + 1 if is_voice else 0
        if self._onset >= ONSET_FRAMES:
            self._held_open = HELD_OPEN_FRAMES
        elif self._held_open > 0:
            self._held_open -= 1
        return self._held_open > 0

    def _learn(self, heard_dbfs: float, left_dbfs: float) -> None:
        """One more frame while the loudspeaker is loud."""
        self._learning += 1
        if heard_dbfs < NO_ECHO_DBFS:
            self._no_echo += 1
        elif self._is_cancelled(heard_dbfs, left_dbfs):
            self._proof += 1
        else:
            self._proof = max(0, self._proof - AGAINST)
            self._no_echo = 0
        self._echoed = self._echoed or self._proof >= PROOF_FRAMES
        seconds = self._learning * FRAME_MS / 1000
        self.learnt = (
            (self._proof >= PROOF_FRAMES and seconds >= LEARNING_MIN_S)
            or self._no_echo >= PROOF_FRAMES
            or seconds >= LEARNING_MAX_S
        )

    def _is_cancelled(self, heard_dbfs: float, left_dbfs: float) -> bool:
        taken_db = heard_dbfs - left_dbfs
        is_noise = left_dbfs < self._floor_dbfs + NOISE_DB
        return taken_db >= PROOF_DB or (taken_db >= LOST_IN_NOISE_DB and is_noise)

    def _weigh(self, left_dbfs: float) -> None:
        """Follow the level of the noise."""
        if left_dbfs <= SILENT_DBFS:
            return
        self._levels[self._n_levels % FLOOR_FRAMES] = left_dbfs
        self._n_levels += 1
        if self._n_levels % FLOOR_EVERY == 0:
            n = min(self._n_levels, FLOOR_FRAMES)
            rank = int(n * FLOOR_RANK)
            self._floor_dbfs = float(np.partition(self._levels[:n], rank)[rank])

    def _filling(self, n: int) -> Int16:
        """The room's noise: as it was heard, or hiss as loud while it was never heard alone."""
        self._n_filled += 1
        if self._noise and self._noise[0].size == n:
            return self._noise[self._n_filled % len(self._noise)]
        if self._n_levels < KNOWN_FRAMES:
            return np.zeros(n, np.int16)
        begin = self._n_filled * n % (_HISS.size - n)
        level = FULL_SCALE * 10 ** (min(self._floor_dbfs, HISS_MAX_DBFS) / 20)
        hiss: Int16 = (_HISS[begin : begin + n] * level).astype(np.int16)
        return hiss


def _crossed(old: Int16, new: Int16) -> Int16:
    """From the one to the other within 10 ms, so that nothing clicks."""
    share = np.linspace(0, 1, new.size, dtype=np.float32)
    crossed: Int16 = (new * share + old * (1 - share)).astype(np.int16)
    return crossed
