"""What the loudspeaker's device took and when: the reference that an echo canceller compares the microphone with.

A stretch of silence on the event loop's clock, into which audio for the loudspeaker is written at the instants when
its device takes it, and out of which frames are read in step with the microphone's. So there is a frame of the
loudspeaker for each of the microphone, and the distance between them does not drift.
"""

from typing import Final

import numpy as np

from bridge_codecs.pcm import Int16

ROOM_S: Final = 2
SLACK_S: Final = 0.005
"""Audio that is meant to follow what was written before by no more than this does follow it: instants have jitter."""


class Reference:
    """One loudspeaker's, at ``rate_hz``. Instants are ``loop.time()``."""

    def __init__(self, rate_hz: int) -> None:
        self.rate_hz = rate_hz
        self._size = ROOM_S * rate_hz
        self._ring: Int16 = np.zeros(self._size, np.int16)
        self._written = 0
        self._read = 0
        self._begun = False

    def put(self, at_s: float, samples: Int16) -> None:
        """The device takes shape (n,) int16 from ``at_s`` on."""
        place = self._near(at_s, self._written)
        if not self._begun:
            return
        first = max(place, self._read)
        last = min(place + samples.size, self._read + self._size)
        if last > first:
            self._set(first, samples[first - place : last - place])
            self._written = last

    def take(self, at_s: float, n: int) -> Int16:
        """What the device took in the ``n`` samples from about ``at_s`` on, shape (n,) int16."""
        place = self._near(at_s, self._read)
        if not self._begun or place != self._read:
            self._skip_to(place)
        index = np.arange(place, place + n) % self._size
        taken: Int16 = self._ring[index]
        self._ring[index] = 0
        self._read = place + n
        return taken

    def forget_from(self, at_s: float) -> None:
        """What was to be taken from ``at_s`` on will not be."""
        place = max(round(at_s * self.rate_hz), self._read)
        if place < self._written:
            self._set(place, np.zeros(self._written - place, np.int16))
            self._written = place

    def _near(self, at_s: float, following: int) -> int:
        place = round(at_s * self.rate_hz)
        return following if abs(place - following) <= SLACK_S * self.rate_hz else place

    def _skip_to(self, place: int) -> None:
        """Begin, or begin anew: time was lost."""
        if not self._begun or not 0 <= place - self._read < self._size:
            self._ring[:] = 0
            self._written = place
        else:
            self._ring[np.arange(self._read, place) % self._size] = 0
        self._begun = True
        self._read = place

    def _set(self, place: int, samples: Int16) -> None:
        self._ring[np.arange(place, place + samples.size) % self._size] = samples
