"""An agent that is a recording: what a caller hears when there is no AI to talk to."""

import asyncio
from typing import Final

from bridge.audio.lane import Lane
from bridge.legs.base import Ended, LegEvent, Port
from bridge_codecs.pcm import Int16

PIECE_S: Final = 5.0
HIGH_WATER_S: Final = 10.0


class PromptLeg:
    """Plays a recording once and ends the call like an agent that hangs up; it hears nothing.

    Args:
        samples: the recording, shape (n,) int16.
        rate_hz: its rate, Hz.
    """

    name = "prompt"

    def __init__(self, samples: Int16, rate_hz: int) -> None:
        self.source_hz = rate_hz
        self.sink_hz = rate_hz
        self._samples = samples

    async def run(self, port: Port) -> Ended:
        """Give the recording as fast as the lane has room; the relay lets the caller hear it to its end."""
        incoming, outgoing = port.incoming, port.outgoing
        incoming.on_ready = lambda: _drop(incoming)
        piece = int(PIECE_S * self.source_hz)
        try:
            for begin in range(0, self._samples.size, piece):
                outgoing.push(self._samples[begin : begin + piece])
                while outgoing.depth_ms > 1000 * HIGH_WATER_S:  # noqa: ASYNC110 - the sink tells nobody
                    await asyncio.sleep(outgoing.depth_ms / 1000 - HIGH_WATER_S)
            outgoing.end_segment()
            return Ended("agent_hangup")
        finally:
            incoming.on_ready = None

    def clear(self) -> None:
        """A recording cannot be interrupted."""

    def receive(self, event: LegEvent) -> None:
        """A recording takes no messages."""

    async def drain(self) -> None:
        """What the caller says is dropped: nothing waits."""


def _drop(lane: Lane) -> None:
    lane.clear()
