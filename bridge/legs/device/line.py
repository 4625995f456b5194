"""One opened stream: its callback, what crosses between the threads, its clock and its latency.

The callbacks run in the sound system's thread. They copy into memory that is there, note the instant, and return:
nothing in them waits, and no array is made.
"""

import math
from typing import Final

import numpy as np

from bridge.legs.device.crossing import Block, BlockLog, Crossing
from bridge.legs.device.device_clock import WINDOW_S, DeviceClock
from bridge.legs.device.host import StreamAsk
from bridge_codecs.pcm import Int16

ROOM_S: Final = 0.5
"""Audio that can wait in a crossing while the event loop is held up."""
BELIEVED_S: Final = 0.5
"""A device that claims to hold so much more than it was seen to take is not believed."""
AFTER_S: Final = 0.0015
"""So long after a callback is due the event loop looks at what it did."""
AGAIN_S: Final = 0.003
"""… and so much later again when it was late."""
STEP_S: Final = 0.015
"""A look that has less to see than this is not worth waking up for: it waits for one more callback."""
LOOK_S: Final = 0.03
"""Nor does it ever wait longer than this."""
_SMOOTHING: Final = 16
_USED_CHANNELS: Final = 2


class Line:
    """What both directions have in common.

    Args:
        ask: how the stream was opened; the rate is the one it really has.
        kept: channels that cross.
    """

    def __init__(self, ask: StreamAsk, kept: int) -> None:
        self.ask = ask
        self.rate_hz = ask.rate_hz
        self.crossing = Crossing(int(ROOM_S * ask.rate_hz), kept)
        self.clock = DeviceClock(ask.rate_hz)
        self.passed = 0
        """Samples that the device brought or took, as of the last look."""
        self.taken = 0
        """Position of the crossing's taking side at that point."""
        self.glitches = 0
        self.last_s: float | None = None
        """The last callback that brought or took anything."""
        self.block = ask.block
        """Samples of the largest block of late."""
        self._log = BlockLog()
        self._claimed_s: float | None = None
        self._late_s = 0.0
        """How much later than the earliest callbacks they come on average."""

    def look(self) -> list[Block]:
        """Learn what the callbacks did since the last look."""
        blocks = [block for block in self._log.take() if block.n > 0 or block.glitch]
        for block in blocks:
            self._learn(block)
        return blocks

    def _learn(self, block: Block) -> None:
        before = self.passed
        self.passed += block.n
        self.taken = block.taken
        self.glitches += block.glitch
        if not block.n:
            return
        self.last_s = block.now_s
        self.block = max(block.n, self.block - 1)
        position, claimed_s = self._clocked(before, block)
        self._late_s += (block.now_s - self.clock.at(position) - self._late_s) / _SMOOTHING
        if math.isfinite(claimed_s):
            before_s = self._claimed_s
            step_s = 0.0 if before_s is None else (claimed_s - before_s) / _SMOOTHING
            self._claimed_s = claimed_s if before_s is None else before_s + step_s

    def _clocked(self, before: int, block: Block) -> tuple[int, float]:
        """Set the clock by a block; returns the position it is called for and the latency that the device claims, s."""
        raise NotImplementedError

    def _note(self, n: int, filled: int, instants: tuple[float, float], glitch: bool) -> None:
        row = self._log.row()
        row[0], row[1], row[2] = n, filled, self.crossing.taken
        row[3], row[4] = instants
        row[5] = glitch
        self._log.noted()

    def _believed(self, floor_s: float) -> float:
        claimed_s = self._claimed_s
        if claimed_s is None or not floor_s <= claimed_s <= floor_s + BELIEVED_S:
            return floor_s
        return claimed_s


class InputLine(Line):
    """A microphone's; a callback (`bridge.legs.device.host.Callback`).

    Of one channel or two their mean is taken; of more the first, which in an array of microphones is the mixed one.
    """

    def __init__(self, ask: StreamAsk) -> None:
        super().__init__(ask, ask.channels if ask.channels <= _USED_CHANNELS else 1)

    def __call__(self, block: Int16, now_s: float, at_s: float, glitch: bool) -> None:
        """The sound system brings a block."""
        self.crossing.write(block)
        self._note(len(block), len(block), (now_s, at_s), glitch)

    def take(self) -> Int16:
        """What came since the last time: mono, shape (n,)."""
        samples = self.crossing.take()
        if samples.shape[1] == 1:
            return samples[:, 0]
        mean: Int16 = (samples.sum(axis=1, dtype=np.int32) // samples.shape[1]).astype(np.int16)
        return mean

    @property
    def latency_s(self) -> float:
        """From the sound to the callback that brings it, s."""
        return self._believed(0.0)

    def next_look_s(self, now_s: float) -> float:
        """When the event loop should look next: just after a callback, when there is enough to see."""
        if self.clock.first_s is None:
            return now_s + AGAIN_S
        blocks = math.ceil(STEP_S * self.rate_hz / self.block)
        due_s = self.clock.at(self.passed + blocks * self.block) + self._late_s + AFTER_S
        return min(max(due_s, now_s + AGAIN_S), now_s + LOOK_S)

    def _clocked(self, before: int, block: Block) -> tuple[int, float]:  # noqa: ARG002 - a microphone's block lies behind its callback
        self.clock.saw(self.passed, block.now_s)
        return self.passed, self.clock.at(self.passed) - block.at_s - block.n / self.rate_hz


class OutputLine(Line):
    """A loudspeaker's; a callback (`bridge.legs.device.host.Callback`). Mono goes to the first two channels."""

    def __init__(self, ask: StreamAsk) -> None:
        super().__init__(ask, 1)
        self._floor_s = 0.0

    def __call__(self, block: Int16, now_s: float, at_s: float, glitch: bool) -> None:
        """The sound system wants a block."""
        filled = self.crossing.take_into(block)
        self._note(len(block), filled, (now_s, at_s), glitch)

    @property
    def latency_s(self) -> float:
        """From the callback that takes a sample to its sound, s.

        No less than what the device took ahead of time when it started, whatever it claims.
        """
        return self._believed(self._floor_s)

    @property
    def next_write(self) -> int:
        """Position, in samples that the device takes, of the next sample that is written."""
        return self.passed + self.crossing.written - max(self.taken, self.crossing.dropped)

    def ready_s(self, now_s: float) -> float:
        """From now until the device takes a sample that is written now, s."""
        return max(0.0, self.clock.at(self.next_write) - now_s)

    @property
    def last_moment_s(self) -> float:
        """When audio that is made ready comes just in time for the callback that would want more than there is."""
        blocks = (self.next_write - self.passed) // self.block
        return self.clock.at(self.passed + blocks * self.block) - AGAIN_S

    def played_until_s(self, *, gone: bool) -> float:
        """Until when the device has played at the most, as its last callback tells.

        `gone`: it has vanished with what it had taken; else it has played that.
        """
        self.look()
        if self.last_s is None:
            return math.inf
        return self.last_s + (self.block / self.rate_hz / 2 if gone else self.latency_s)

    def _clocked(self, before: int, block: Block) -> tuple[int, float]:
        clock = self.clock
        clock.saw(before, block.now_s)
        assert clock.first_s is not None
        if block.now_s - clock.first_s < WINDOW_S:
            self._floor_s = max(0.0, clock.first_s - clock.offset_s)
        return before, block.at_s - clock.at(before)
