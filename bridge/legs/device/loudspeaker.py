"""From the call to the loudspeaker's callback: lane, mute, key tones, clock, rate, ledger.

What comes in step with time (a telephone's 20 ms every 20 ms) is made ready for the callback at once; it begins to play
`_lead_s` after it came, and goes on as late: enough for the next block of the device and some jitter, and for a while
more when the loudspeaker ran dry. What comes faster waits in the lane, and some `READY_S` of it lie ready, so that a
loop that is held up is not heard. Whatever lies ready is dropped at a clear, as what is in the lane.

The ledger is told, for all that leaves the lane, when the device will play it: by the device's clock, its latency
included. Twice a second it is told by a mark when that was, so that it follows a device that lost time and caught up.
"""

from functools import partial
from typing import Final

import numpy as np

from bridge.audio.lane import Lane
from bridge.legs.device.arrears import Arrears
from bridge.legs.device.host import StreamAsk
from bridge.legs.device.key_tone import KeyTone
from bridge.legs.device.line import AGAIN_S, LOOK_S, OutputLine
from bridge.legs.device.meter import Meter
from bridge.legs.device.patience import Patience
from bridge.legs.device.proofs import Proofs
from bridge.legs.device.reference import Reference
from bridge.legs.device.reference_feed import ReferenceFeed
from bridge.legs.device.tempo import shorter_by
from bridge.legs.file import Underruns
from bridge_codecs.drift import DELAY, DriftStage
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler

READY_S: Final = 0.08
REFILL_S: Final = 0.05
"""Less than this is filled up to `READY_S` …"""
AT_ONCE_S: Final = 0.04
"""… and a lane that holds no more than this is emptied at once."""
MARGIN_S: Final = 0.008
"""Lateness of a frame, or of the event loop, that is not heard."""
IN_STEP_S: Final = 0.5
"""Audio that comes so much before it is needed does not come in step with time: its depth says nothing."""
TAIL_S: Final = 0.004
"""Longer than the filters ring on."""
_SMOOTHING: Final = 32


class Loudspeaker:
    """The downlink of a device leg.

    Args:
        sink_hz: rate of the call, Hz.
        reference: is told what the device takes, or None.
    """

    direction: Final = "loudspeaker"

    def __init__(self, sink_hz: int, reference: Reference | None) -> None:
        self.sink_hz = sink_hz
        self.silent = False
        """Muted: time goes on, nothing is heard."""
        self.meter = Meter()
        self.underruns = Underruns()
        self.line: OutputLine | None = None
        self.heard_until = 0
        """Position in the call's audio up to which it was heard when it was cleared last, samples."""
        self._lane: Lane | None = None
        self._reference = None if reference is None else ReferenceFeed(reference, sink_hz)
        self._rate = Resampler(sink_hz, sink_hz)
        self._drift = DriftStage()
        self._idle = True
        """Nothing plays: what comes next begins a stretch."""
        self._too_much_s = 0.0
        self._pushed = 0
        self._patience = Patience()
        self._arrears = Arrears(sink_hz)
        self._tone = KeyTone(sink_hz)
        self._proofs = Proofs()
        self._discarded_s = 0.0

    def start(self, lane: Lane, now_s: float) -> None:
        """The call begins. What the device has taken is played, whatever is cleared then (see `clear`)."""
        self._lane = lane
        self._discarded_s = now_s
        lane.ledger.clearable = False

    def prepare(self, ask: StreamAsk) -> OutputLine:
        """What a stream that is to be opened like this calls."""
        return OutputLine(ask)

    def attach(self, line: OutputLine, now_s: float) -> None:
        """The stream runs."""
        if self._lane is not None:
            self._discard(self._lane, now_s)
        self.line = line
        self._rate = Resampler(self.sink_hz, line.rate_hz)
        self._restart()

    def detach(self, now_s: float, *, gone: bool = False) -> None:
        """The stream is closed, and with it what it had not played; `gone`: the device has vanished with what it had.

        A device that fails is noticed some time afterwards. It played no more than it had taken.
        """
        line, self.line = self.line, None
        self._discarded_s = now_s
        if self._lane is None:
            return
        over_s = now_s if line is None else min(now_s, line.played_until_s(gone=gone))
        self._lane.ledger.lose(over_s)

    def play_tone(self, samples: Int16) -> None:
        """Mix a sound for whoever sits here into what they hear, shape (n,) int16 at ``sink_hz``."""
        self._tone.play(samples)

    @property
    def latency_s(self) -> float:
        """From the callback to the sound, s; 0 while there is no device."""
        return 0.0 if self.line is None else self.line.latency_s

    @property
    def buffered_s(self) -> float:
        """Audio between the lane and the callback."""
        line = self.line
        return 0.0 if line is None else line.crossing.depth / line.rate_hz

    @property
    def lost_ms(self) -> float:
        """Audio of the call that nobody heard because there was no device."""
        lane = self._lane
        return 0.0 if lane is None else 1000 * lane.ledger.lost / self.sink_hz

    def drained(self, now_s: float) -> bool:
        """Whether all that the agent said has been heard."""
        lane = self._lane
        return lane is None or not (lane.depth_samples or lane.ledger.ahead_ms(now_s) > 0)

    def audio_came(self, now_s: float) -> None:
        """The lane has got more."""
        line, lane = self.line, self._lane
        if line is None or lane is None:
            return
        new = lane.stats.pushed - self._pushed
        self._pushed = lane.stats.pushed
        self._look(line, now_s)
        self._arrears.came(new, self._waiting_s(line, lane), now_s)
        if not self._idle:
            waiting_s = (lane.depth_samples - new) / self.sink_hz
            self._observe(line.ready_s(now_s) + waiting_s - self._lead_s(line))
        self._fill(line, lane, now_s)

    def poll(self, now_s: float) -> float:
        """Keep the callback supplied; never waits. Returns when to do so again."""
        line, lane = self.line, self._lane
        if lane is None:
            return now_s + LOOK_S
        if line is None:
            self._discard(lane, now_s)
            return now_s + LOOK_S
        self._look(line, now_s)
        if self._proofs.look(lane.ledger, line.passed, partial(self._heard_s, line), now_s):
            self._arrears.told()
        self._fill(line, lane, now_s)
        return self._next_poll_s(line, now_s)

    def clear(self, now_s: float) -> None:
        """Drop all that the device has not taken; the ledger learns where that was."""
        line, lane = self.line, self._lane
        self._tone.stop()
        self.underruns.segment_over()
        self._arrears.begin_anew()
        if lane is None:
            return
        over_s = now_s
        if line is not None:
            self._look(line, now_s)
            line.crossing.drop()
            taken_s = max(line.clock.at(line.passed), now_s)
            over_s = taken_s + line.latency_s
            if self._reference is not None:
                self._reference.forget_from(taken_s)
        # The device plays what it has: that will have been heard.
        lane.ledger.clearable = True
        n = lane.ledger.flush(over_s)
        lane.ledger.clearable = False
        self.heard_until = lane.ledger.sent_samples - n
        self._restart()

    def _restart(self) -> None:
        self._drift.reset()
        self._rate.reset()
        if self._reference is not None:
            self._reference.reset()
        self._idle = True
        self._too_much_s = 0.0
        self._proofs.begin_anew()

    def _look(self, line: OutputLine, now_s: float) -> None:
        for block in line.look():
            self.underruns.played(block.filled, block.n, block.now_s)
            if block.filled < block.n and not line.crossing.depth:
                self._idle = True
        self._patience.look(self.underruns.count, now_s)

    def _heard_s(self, line: OutputLine, position: int) -> float:
        """When what is at a position of the device is heard."""
        return line.clock.at(position) + self._delay_s(line)

    def _delay_s(self, line: OutputLine) -> float:
        """From the instant at which the device takes what is written to its sound, the filters included."""
        filters_s = DELAY / self.sink_hz + self._rate.delay_samples / line.rate_hz
        return line.latency_s + filters_s

    def _lead_s(self, line: OutputLine) -> float:
        return line.block / line.rate_hz + MARGIN_S + self._patience.extra_s

    def _waiting_s(self, line: OutputLine, lane: Lane) -> float:
        return lane.depth_samples / self.sink_hz + line.crossing.depth / line.rate_hz

    def _observe(self, too_much_s: float) -> None:
        """Audio that comes in step with time shall wait as long as at its beginning."""
        if too_much_s < IN_STEP_S:
            self._too_much_s += (too_much_s - self._too_much_s) / _SMOOTHING

    def _fill(self, line: OutputLine, lane: Lane, now_s: float) -> None:
        if line.clock.first_s is None:
            return
        wanted = max(lane.depth_samples, self._tone.size)
        if not wanted:
            if not self._idle and now_s >= line.last_moment_s - AGAIN_S / 2:
                self._end_stretch(line, now_s)
            return
        if self._idle:
            self._begin_stretch(line, now_s)
        n = min(wanted, self._room(line, wanted, now_s))
        if n > 0:
            self._set_tempo(line)
            self._write(line, self._mixed(line, lane, n, now_s), now_s)
            if not self._tone.size:
                self._proofs.mark(lane.ledger, line.next_write, now_s)

    def _room(self, line: OutputLine, wanted: int, now_s: float) -> int:
        """Samples that are to be made ready now."""
        ready_s = line.ready_s(now_s)
        refill_s = max(REFILL_S, self._lead_s(line))
        if ready_s >= refill_s:
            return 0
        if wanted <= AT_ONCE_S * self.sink_hz:
            return wanted
        return round((refill_s + READY_S - REFILL_S - ready_s) * self.sink_hz)

    def _begin_stretch(self, line: OutputLine, now_s: float) -> None:
        missing_s = self._lead_s(line) - line.ready_s(now_s)
        if missing_s > 0:
            line.crossing.write(np.zeros((round(missing_s * line.rate_hz), 1), np.int16))
        self._idle = False

    def _end_stretch(self, line: OutputLine, now_s: float) -> None:
        """What still rings in the filters belongs to the last word; it goes out before the device runs dry."""
        self._write(line, np.zeros(round(TAIL_S * self.sink_hz), np.int16), now_s)
        self._restart()

    def _next_poll_s(self, line: OutputLine, now_s: float) -> float:
        if line.clock.first_s is None:
            return now_s + AGAIN_S
        if self._idle:
            return now_s + LOOK_S
        dry_s = line.last_moment_s
        return min(dry_s, now_s + LOOK_S) if dry_s > now_s else now_s + AGAIN_S

    def _set_tempo(self, line: OutputLine) -> None:
        self._drift.ppm = -shorter_by(-line.clock.drift_ppm, 1000 * self._too_much_s)

    def _mixed(self, line: OutputLine, lane: Lane, n: int, now_s: float) -> Int16:
        """The next ``n`` samples to be heard; the ledger is told of those of the call."""
        samples = lane.pull_padded(min(n, lane.depth_samples))
        at_s = now_s + line.ready_s(now_s) + self._delay_s(line)
        lane.ledger.sent(samples.size, at_s)
        samples = self._arrears.caught_up(samples, self._waiting_s(line, lane))
        if self.silent:
            samples = np.zeros(samples.size, np.int16)
        samples = self._tone.mixed(samples, n)
        self.meter.saw(samples, now_s)
        return samples

    def _write(self, line: OutputLine, samples: Int16, now_s: float) -> None:
        if self._reference is not None:
            taken_s = now_s + line.ready_s(now_s)
            # On the loop's clock the device's own drift does not show, but what is worked off does.
            self._reference.put(samples, taken_s, self._drift.ppm - line.clock.drift_ppm)
        made = self._rate.push(self._drift.push(samples))
        line.crossing.write(made[:, np.newaxis])

    def _discard(self, lane: Lane, now_s: float) -> None:
        """Nobody hears it: time goes on all the same, so that what comes later is not late."""
        n = min(lane.depth_samples, int((now_s - self._discarded_s) * self.sink_hz))
        self._discarded_s = now_s
        if n > 0:
            lane.pull_padded(n)
            lane.ledger.sent(n, now_s)
            lane.ledger.lose(now_s)
