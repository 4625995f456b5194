"""When somebody was audible, in the clock of the loop: the end of the user's speech, the agent's first sound.

Both are found in the audio itself, as the figures of a recording are (`bridge.audio.level`): the user's speech ends
with the last 10 ms frame that stands 20 dB above the noise of the last seconds; the agent is audible from the first
sample above -45 dBFS that the caller's side plays.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

import numpy as np

from bridge.audio.lane import Lane
from bridge.audio.level import audible_spans
from bridge_codecs.pcm import Int16

KEPT_S: Final = 12.0
"""How far back the end of the user's speech may lie, s."""
HOLE_S: Final = 0.1
"""Audio that is this late will not come: what follows is spoken later."""
AUDIBLE: Final = 184
"""A sample above this is audible: -45 dBFS, well above codec noise and below any speech."""


class SourceClock:
    """Says when audio was spoken that comes in pieces, with jitter: sample follows sample, unless a hole is long.

    Args:
        rate_hz: of the audio, Hz.
        since_s: nothing is older, loop time.
        time: the loop's clock.
    """

    def __init__(self, rate_hz: int, since_s: float, time: Callable[[], float]) -> None:
        self._rate_hz = rate_hz
        self._time = time
        self._since_s = since_s
        self._end_s: float | None = None

    def push(self, n: int) -> float:
        """The end of the next ``n`` samples, which came just now, loop time."""
        now_s = self._time()
        follows_s = (self._since_s if self._end_s is None else self._end_s) + n / self._rate_hz
        jitter_s = 0.0 if self._end_s is None else HOLE_S
        self._end_s = follows_s if now_s - follows_s <= jitter_s else now_s
        return self._end_s


class RecentSpeech:
    """The last `KEPT_S` of the user's audio.

    Args:
        rate_hz: of the audio, Hz.
        clock: says when it was spoken.
    """

    def __init__(self, rate_hz: int, clock: SourceClock) -> None:
        self._rate_hz = rate_hz
        self._clock = clock
        self._most = round(KEPT_S * rate_hz)
        self._frames: deque[Int16] = deque()
        self._n = 0
        self._until_s = 0.0

    def add(self, samples: Int16) -> None:
        """The next of it, just heard."""
        self._frames.append(samples)
        self._n += samples.size
        self._until_s = self._clock.push(samples.size)
        while self._n - self._frames[0].size >= self._most:
            self._n -= self._frames.popleft().size

    def ended_s(self) -> float | None:
        """When the user was audible last, loop time; None if not within what is kept."""
        if not self._n:
            return None
        spans = audible_spans(np.concatenate(self._frames), self._rate_hz)
        if not spans:
            return None
        return self._until_s - (self._n - spans[-1].end) / self._rate_hz


class FirstSound:
    """Waits for the first audible sample of an utterance, and for the instant when it is played.

    Args:
        lane: the agent's audio on its way to the caller.
        heard: told that instant, loop time.
    """

    def __init__(self, lane: Lane, heard: Callable[[float], None]) -> None:
        self._lane = lane
        self._heard = heard
        self._expected = True
        self._position: int | None = None

    def expect(self) -> None:
        """The next sound begins an utterance."""
        self._expected = True

    def came(self, samples: Int16) -> None:
        """Audio of the agent is about to be put into the lane, at the lane's `source_hz`; whether it is the first."""
        if not self._expected:
            return
        loud = np.flatnonzero((samples > AUDIBLE) | (samples < -AUDIBLE))
        if not loud.size:
            return
        self._expected = False
        lane = self._lane
        within = int(loud[0]) * lane.rate_hz // lane.source_hz
        self._position = lane.ledger.sent_samples + lane.depth_samples + within

    def cleared(self) -> None:
        """What was not played by now never will be; later audio takes its place."""
        self.look()
        self._position = None

    def look(self) -> None:
        """Tell the instant if it is known by now."""
        if self._position is None or self._lane.ledger.sent_samples <= self._position:
            return
        at_s = self._lane.ledger.time_of(self._position)
        self._position = None
        if at_s is not None:
            self._heard(at_s)
