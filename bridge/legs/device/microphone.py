"""From the microphone's callback to the call: rate, clock, echo, mute, lane.

The callback only copies (`line`). A poll on the event loop takes what came, brings it to the rate and the
clock of the call, lets an echo processor work on it, and pushes it into the outgoing lane. While no device delivers,
the call gets silence, because the far end expects a continuous stream.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from bridge.audio.lane import Lane
from bridge.audio.reframe import Reframer
from bridge.legs.device.host import StreamAsk
from bridge.legs.device.line import LOOK_S, InputLine
from bridge.legs.device.meter import Meter
from bridge.legs.device.processing import FRAME_MS, EchoProcessor
from bridge.legs.device.reference import Reference
from bridge.legs.device.tempo import shorter_by
from bridge_codecs.drift import DELAY, DriftStage
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler

GAP_S: Final = 0.1
"""After so long without a sample from the device silence takes its place."""


class Microphone:
    """The uplink of a device leg.

    Args:
        source_hz: rate of the call, Hz.
        processor: works on what was heard, or None.
        reference: what the loudspeaker's device took, at the processor's rate.
        delay_out_s: asked for the loudspeaker's latency.
    """

    direction: Final = "microphone"

    def __init__(
        self,
        source_hz: int,
        processor: EchoProcessor | None,
        reference: Reference | None,
        delay_out_s: Callable[[], float],
    ) -> None:
        self.source_hz = source_hz
        self.silent = False
        """Muted: the call gets silence."""
        self.meter = Meter()
        self.line: InputLine | None = None
        self._lane: Lane | None = None
        self._processor = processor
        self._reference = reference
        self._delay_out_s = delay_out_s
        self._work_hz = source_hz if processor is None else processor.rate_hz
        self._back = Resampler(self._work_hz, source_hz)
        self._frames = Reframer(self._work_hz * FRAME_MS // 1000)
        self._rate = Resampler(self._work_hz, self._work_hz)
        self._drift = DriftStage()
        self._base_s: float | None = None
        """Instant of the first sample that this line gave; None before it."""
        self._made = 0
        """Samples that this line gave since, at the working rate."""
        self._framed = 0
        self._until_s = 0.0
        """What the call got reaches to here."""

    def start(self, lane: Lane, now_s: float) -> None:
        """The call begins; what was heard before is nobody's business."""
        self._lane = lane
        self._until_s = now_s
        if self.line is not None:
            self.line.look()
            self.line.take()
            self.line.crossing.overflows = 0

    def prepare(self, ask: StreamAsk) -> InputLine:
        """What a stream that is to be opened like this calls."""
        return InputLine(ask)

    def attach(self, line: InputLine, now_s: float) -> None:  # noqa: ARG002 - the loudspeaker needs it
        """The stream runs."""
        self.line = line
        self._rate = Resampler(line.rate_hz, self._work_hz)
        self._drift.reset()
        self._base_s = None
        self._made = self._framed = 0
        self._frames.flush()

    def detach(self, now_s: float, *, gone: bool = False) -> None:  # noqa: ARG002 - the loudspeaker needs them
        """The stream is gone."""
        self.line = None

    def poll(self, now_s: float) -> float:
        """Take what came; never waits. Returns when to do so again."""
        line, lane = self.line, self._lane
        if lane is None:
            return now_s + LOOK_S
        if line is not None:
            line.look()
            samples = line.take()
            if samples.size:
                self._take(line, samples, lane, now_s)
                self._until_s = now_s
        if now_s - self._until_s > GAP_S:
            lane.push(np.zeros(round((now_s - self._until_s) * self.source_hz), np.int16))
            self._until_s = now_s
        return now_s + LOOK_S if line is None else line.next_look_s(now_s)

    def _take(self, line: InputLine, samples: Int16, lane: Lane, now_s: float) -> None:
        self._set_tempo(line, line.clock.at(line.passed - samples.size))
        made = self._drift.push(self._rate.push(samples))
        self._made += made.size
        if self._processor is not None:
            made = self._processed(self._processor, made, line)
        if not made.size:
            return
        if self.silent:
            made = np.zeros(made.size, np.int16)
        self.meter.saw(made, now_s)
        lane.push(made)

    def _set_tempo(self, line: InputLine, begin_s: float) -> None:
        """As many samples go out as time passes on the loop's clock; those that come now began at ``begin_s``."""
        if self._base_s is None:
            self._base_s = begin_s
        too_much_s = self._made / self._work_hz - (begin_s - self._base_s)
        self._drift.ppm = -shorter_by(line.clock.drift_ppm, 1000 * too_much_s)

    def _processed(self, processor: EchoProcessor, made: Int16, line: InputLine) -> Int16:
        filters_s = (DELAY + self._rate.delay_samples) / self._work_hz
        delay_ms = 1000 * (filters_s + line.latency_s + self._delay_out_s())
        frames = [self._frame(processor, frame, delay_ms) for frame in self._frames.push(made)]
        return self._back.push(np.concatenate(frames)) if frames else np.empty(0, np.int16)

    def _frame(self, processor: EchoProcessor, frame: Int16, delay_ms: float) -> Int16:
        assert self._base_s is not None
        begin_s = self._base_s + self._framed / self._work_hz
        self._framed += frame.size
        if self._reference is not None:
            processor.played(self._reference.take(begin_s, frame.size))
        return processor.heard(frame, delay_ms)
