"""What the caller says on its way to a room: all of its words, as soon as a real-time medium takes them.

What was said before the room was there, or while its connection was away, comes all at once. It is kept, sent at twice
its tempo for as long as receivers have room for that (`bridge.legs.webrtc.voice.Voice`, ``ahead_ms``), and the rest of
the delay is worked off in the caller's pauses: while more waits than should, silence is left out, but for the end of
the word before it and the beginning of the next one. Design 4: the keeping is bounded, and what is lost is counted.
"""

from collections import deque
from typing import Final

import numpy as np

from bridge.audio.lane import Lane
from bridge_codecs.pcm import Int16

KEEPS_MS: Final = 12_000.0
"""So much may wait: a carrier's ten seconds of first words, and what is said meanwhile; older audio gives way."""
LAG_MS: Final = 60.0
"""While more than this waits, the caller's pauses are left out: so a clock that runs faster than ours is caught up."""
TAIL_MS: Final = 100.0
"""Of a pause, this much is always said: a word ends softly."""
HEAD_MS: Final = 40.0
"""And this much before the next word: it may begin softly."""
FRAME_MS: Final = 20
AUDIBLE: Final = 184
"""A sample up to this is silence on any line: -45 dBFS."""
OVER_NOISE: Final = 2
"""On a noisy line, so are frames whose peak is at most so many times that of the softest of late."""
NOISE_MAX: Final = 1_000
"""But nothing above this is, -30 dBFS,"""
BELOW_SPEECH: Final = 4
"""and nothing above this part of the loudest that the caller has said."""
WINDOW_FRAMES: Final = 100
"""Of late: the last two to four seconds. Speech has softer moments than its words in any two."""


class Uplink:
    """The caller's audio in front of the room.

    Args:
        rate_hz: of what is pushed and of the lane, Hz.
    """

    def __init__(self, rate_hz: int) -> None:
        self.lane = Lane(rate_hz, KEEPS_MS, "drop_oldest")
        """What the room pulls from."""
        self._frame = rate_hz * FRAME_MS // 1000
        self._samples_per_ms = rate_hz / 1000
        self._quiet = 0
        """Samples of the present pause that were let through."""
        self._held: deque[Int16] = deque()
        """The last frames of a pause; dropped or said when it is known what follows."""
        self._n_held = 0
        self._left_out = 0
        self._silence = AUDIBLE
        """The peak up to which a frame is silence now."""
        self._softest = self._softest_before = NOISE_MAX
        self._loudest = 0
        self._n_looked = 0

    @property
    def lost_ms(self) -> float:
        """What gave way because too much waited: words may have been among it."""
        return self.lane.stats.dropped / self._samples_per_ms

    @property
    def pauses_left_out_ms(self) -> float:
        """Silence that was not sent, to catch up."""
        return self._left_out / self._samples_per_ms

    @property
    def waiting_ms(self) -> float:
        """What has not been pulled yet."""
        return (self.lane.depth_samples + self._n_held) / self._samples_per_ms

    def push(self, samples: Int16) -> None:
        """Mono int16, any number of samples."""
        for at in range(0, samples.size, self._frame):
            frame = samples[at : at + self._frame]
            if self._is_silent(frame):
                self._pause(frame)
            else:
                self._say_held()
                self._quiet = 0
                self.lane.push(frame)

    def clear(self) -> None:
        """Drop what has not been pulled."""
        self.lane.clear()
        self._held.clear()
        self._n_held = 0

    def _is_silent(self, frame: Int16) -> bool:
        peak = max(int(frame.max()), -int(frame.min()))
        self._softest = min(self._softest, peak)
        self._loudest = max(self._loudest, peak)
        self._n_looked += 1
        if self._n_looked == WINDOW_FRAMES:
            noise = min(self._softest, self._softest_before)
            most = min(NOISE_MAX, self._loudest // BELOW_SPEECH)
            self._silence = max(AUDIBLE, min(OVER_NOISE * noise, most))
            self._softest_before, self._softest = self._softest, NOISE_MAX
            self._n_looked = 0
        return peak <= self._silence

    def _pause(self, frame: Int16) -> None:
        self._held.append(frame)
        self._n_held += frame.size
        if self.waiting_ms <= LAG_MS or self._quiet < TAIL_MS * self._samples_per_ms:
            self._quiet += self._n_held
            self._say_held()
        elif self._n_held > HEAD_MS * self._samples_per_ms:
            left_out = self._held.popleft().size
            self._n_held -= left_out
            self._left_out += left_out

    def _say_held(self) -> None:
        if self._held:
            self.lane.push(np.concatenate(self._held))
            self._held.clear()
            self._n_held = 0
