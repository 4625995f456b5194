"""What is heard of a client, on its way into the lane and the recording, whichever connection it comes by."""

import asyncio
from typing import Final

import numpy as np

from bridge.legs.base import Port, Warned
from bridge.legs.recorder import Recorder
from bridge.legs.webrtc.link import Link
from bridge_codecs.pcm import Int16

GO_ON_S: Final = 0.1
"""So often time goes on in the recording while a connection is not heard yet, and so much of it may be said by then."""


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
        """Up to when there is something in the recording, loop time."""
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, link: Link) -> None:
        """The client is there, by this connection: the recording's time begins, and goes on before it is heard."""
        if self._heard_s is None:
            self._heard_s = self._loop.time()
        self.stop()
        if link is not self._link and self.recorder is not None:
            self._go_on()

    def stop(self) -> None:
        """Wait for nobody any more; may be called again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

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
        if link is not self._link:
            self.stop()
            self._fill(now_s - n / self._rate_hz, recorder)
        self._link, self._heard_s = link, now_s

    def _go_on(self) -> None:
        """Where the agent speaks to a client that says nothing, its words get their places, and nothing piles up."""
        assert self.recorder is not None
        self._fill(self._loop.time() - GO_ON_S, self.recorder)
        self._timer = self._loop.call_later(GO_ON_S, self._go_on)

    def _fill(self, until_s: float, recorder: Recorder) -> None:
        """Silence up to this instant, unless there is something."""
        if self._heard_s is None:
            return
        gap = round((until_s - self._heard_s) * self._rate_hz)
        self._heard_s += max(0, gap) / self._rate_hz
        while gap > 0:
            piece = min(gap, self._rate_hz)
            recorder.heard(np.zeros(piece, np.int16))
            gap -= piece
