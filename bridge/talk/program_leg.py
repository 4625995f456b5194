"""A program as the caller: numpy arrays in and out.

Like a sound device it lives on the loop's clock in ticks of 20 ms, against absolute deadlines: in each tick it gives
one frame of what the program wrote (silence where it wrote nothing: the API expects a continuous stream) and plays one
frame of the agent (silence where it says nothing). What it played is what was heard; what a clear removed never was.
"""

import asyncio
from typing import Final

from bridge.audio.lane import Lane
from bridge.audio.pacer import Pacer
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port
from bridge.legs.file import Underruns
from bridge.talk.program_audio import FRAME_MS, Microphone, Speaker
from bridge_codecs.pcm import Int16, silence

LEAD_FRAMES: Final = 2
"""What comes in step with time waits for so many frames, so that its jitter makes no holes."""


class ProgramLeg:
    """The caller's leg of a program.

    Args:
        source_hz: rate of what the program says, Hz.
        sink_hz: rate of what it hears, Hz.

    Attributes:
        microphone: where it speaks.
        speaker: what it hears.
        mic_muted: silence goes out instead of what was written; its time passes all the same.
        speaker_muted: the speaker gives silence instead of the agent.
        underruns: holes inside the agent's speech.
    """

    name = "program"

    def __init__(self, *, source_hz: int, sink_hz: int) -> None:
        self.source_hz = source_hz
        self.sink_hz = sink_hz
        self.microphone = Microphone(source_hz)
        self.speaker = Speaker(sink_hz)
        self.mic_muted = False
        self.speaker_muted = False
        self.underruns = Underruns()
        self._n_in = source_hz * FRAME_MS // 1000
        self._n_out = sink_hz * FRAME_MS // 1000
        self._playing = False
        """The last frame was full: what comes next goes on."""
        self._waited = 0
        """Ticks for which audio has waited for more."""
        self._incoming: Lane | None = None
        self._drained = asyncio.Event()

    async def run(self, port: Port) -> Ended:
        """Give and play one frame every 20 ms, until it is cancelled."""
        loop = asyncio.get_running_loop()
        self._incoming = port.incoming
        pacer = Pacer(FRAME_MS)
        pacer.start(loop.time())
        try:
            while True:
                for _ in range(pacer.due(loop.time())):
                    due_s = pacer.next_due_s  # a loudspeaker's clock does not jitter
                    pacer.sent()
                    self._tick(port, due_s)
                await asyncio.sleep(max(0.0, pacer.next_due_s - loop.time()))
        finally:
            self.microphone.close()
            self.speaker.close()

    def _tick(self, port: Port, now_s: float) -> None:
        said = self.microphone.take(self._n_in)
        port.outgoing.push(silence(self._n_in) if self.mic_muted else said)
        lane = port.incoming
        n_real = min(self._n_out, lane.depth_samples) if self._may_play(lane) else 0
        heard = lane.pull_padded(self._n_out) if n_real else silence(self._n_out)
        self._playing = n_real == self._n_out
        if n_real:
            lane.ledger.sent(n_real, now_s)
        self.underruns.played(n_real, self._n_out, now_s)
        if not lane.depth_samples:
            self._drained.set()
        self.speaker.play(silence(self._n_out) if self.speaker_muted else heard)

    def _may_play(self, lane: Lane) -> bool:
        """Whether a stretch goes on, or may begin: with a little in hand, where it comes in step with time."""
        if self._playing:
            return True
        self._waited = self._waited + 1 if lane.depth_samples else 0
        begins = (
            self._waited > LEAD_FRAMES
            or lane.depth_samples >= LEAD_FRAMES * self._n_out
            or not lane.segment_open
        )
        if begins:
            self._waited = 0
        return begins

    def play_tone(self, samples: Int16) -> None:
        """A program knows which keys it pressed: it hears no tone of them."""

    def clear(self) -> None:
        """Nothing to drop: a frame that left the lane has been heard."""
        self.underruns.segment_over()

    def receive(self, event: LegEvent) -> None:
        """Learn what is speech; all else is the session's affair."""
        if isinstance(event, MessageEvent):
            self.underruns.told(event.message)

    async def drain(self) -> None:
        """Wait until all that the agent said has been played."""
        if self._incoming is not None and self._incoming.depth_samples:
            self._drained.clear()
            await self._drained.wait()
