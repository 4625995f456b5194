"""Records a call at the server: caller left, agent right, on the clock of the caller's audio.

The left channel is what came in, sample after sample; the right one is what the far end played. Each gapless stretch is
placed by the instant when it began to play, and within it sample follows sample, so that the jitter of the caller's
frames tears no hole into a word; a cleared sentence ends where the caller stopped hearing it (reference 7.5).
"""

from typing import Protocol

from bridge.audio.stereo import StereoAligner
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler

HOLD_MS = 200
"""Written this much later, so that a piece whose caller's audio came in a burst still finds its place."""


class Recorder(Protocol):
    """Takes what both sides of a caller's socket said."""

    def heard(self, samples: Int16) -> None:
        """Audio of the caller."""
        ...

    def sent(self, samples: Int16, *, plays_in_s: float | None) -> None:
        """Audio to the caller that will be heard in ``plays_in_s``; None: right after what was sent before."""
        ...

    def cleared(self, *, unplayed_s: float) -> None:
        """The last ``unplayed_s`` of what was sent are gone."""
        ...


class StereoSink(Protocol):
    """Takes interleaved frames, shape (n, 2), int16; never waits."""

    def write(self, frames: Int16) -> None:
        """The next frames."""
        ...

    async def close(self) -> None:
        """No more frames: finish the file."""
        ...


class CallRecorder:
    """Aligns both sides and streams them to a sink.

    Args:
        sink: where frames go.
        rate_hz: rate of the recording and of the caller's audio, Hz.
        agent_hz: rate of the agent's audio, Hz.
    """

    def __init__(self, sink: StereoSink, *, rate_hz: int, agent_hz: int) -> None:
        self._sink = sink
        self._rate_hz = rate_hz
        self._aligner = StereoAligner(rate_hz)
        self._resampler = Resampler(agent_hz, rate_hz)
        self._hold = rate_hz * HOLD_MS // 1000
        self._left = 0

    def heard(self, samples: Int16) -> None:
        """Audio of the caller, as it came in."""
        self._left += samples.size
        self._aligner.left(samples)
        if self._left > self._aligner.right_end + self._hold // 2:
            self._end_stretch()
        frames = self._aligner.drain(self._hold)
        if frames.size:
            self._sink.write(frames)

    def sent(self, samples: Int16, *, plays_in_s: float | None) -> None:
        """Audio to the caller: heard in ``plays_in_s`` seconds, or (None) right after what was sent before."""
        at = self._aligner.right_end
        if plays_in_s is not None:
            self._end_stretch()
            at = self._left + round(plays_in_s * self._rate_hz) - self._resampler.delay_samples
        self._aligner.right(self._resampler.push(samples), max(0, at))

    def cleared(self, *, unplayed_s: float) -> None:
        """The last ``unplayed_s`` seconds of what was sent are never heard."""
        self._end_stretch()
        self._aligner.cut_right(self._aligner.right_end - round(unplayed_s * self._rate_hz))

    def _end_stretch(self) -> None:
        """What rings in the resampler still belongs to the stretch before."""
        self._aligner.right(self._resampler.flush(), self._aligner.right_end)

    async def close(self) -> None:
        """Write what is left and finish the file."""
        self._end_stretch()
        frames = self._aligner.finish()
        if frames.size:
            self._sink.write(frames)
        await self._sink.close()
