"""What is heard of a client, on its way into the lane and the recording, whichever connection it comes by."""

import asyncio

import numpy as np

from bridge.legs.base import Port, Warned
from bridge.legs.recorder import Recorder
from bridge.legs.webrtc.link import Link
from bridge_codecs.pcm import Int16


class Hearing:
    """Before the first packet and between two connections nothing is heard; time goes on in the recording all the same.

    Args:
        rate_hz: of the audio, Hz.
        recorder: gets it too.
    """

    def __init__(self, rate_hz: int, recorder: Recorder | None) -> None:
        self.recorder = recorder
        self._rate_hz = rate_hz
        self._loop = asyncio.get_running_loop()
        self._link: Link | None = None
        self._heard_s: float | None = None

    def begin(self) -> None:
        """The client is there: the recording's time begins, unless it has."""
        if self._heard_s is None:
            self._heard_s = self._loop.time()

    def hear(self, link: Link, samples: Int16, port: Port) -> None:
        """Mono int16 of this connection, gapless but for a change of it."""
        if self.recorder is not None:
            self._fill_gap(link, samples.size, self.recorder)
            self.recorder.heard(samples)
        stats = port.outgoing.stats
        dropped = stats.dropped
        port.outgoing.push(samples)
        if stats.dropped != dropped:
            port.emit(Warned("audio_overflow", "audio came faster than it was heard; some is lost"))

    def _fill_gap(self, link: Link, n: int, recorder: Recorder) -> None:
        now_s = self._loop.time()
        if link is not self._link and self._heard_s is not None:
            gap = round((now_s - self._heard_s) * self._rate_hz) - n
            while gap > 0:
                piece = min(gap, self._rate_hz)
                recorder.heard(np.zeros(piece, np.int16))
                gap -= piece
        self._link, self._heard_s = link, now_s
