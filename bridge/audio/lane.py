"""One direction of audio between two legs: the source pushes, the sink pulls, nobody waits.

A lane is bounded in milliseconds. When it is full, either the oldest samples give way (live audio:
old is worthless) or the newest (speech: keep the order); both are counted. What is inside may end
in a segment end, so that the last samples of an utterance need not wait for a whole frame. Control
overtakes audio: `Lane.clear` is a call, not an item in the queue.

Memory follows use: the ring of samples grows as audio piles up, and shrinks when it has run dry.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bridge.audio.ledger import Ledger
from bridge.audio.ring import Ring
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler

WhenFull = Literal["drop_oldest", "drop_newest"]
_INT16 = np.dtype(np.int16)
_NOTHING = np.empty(0, np.int16)


@dataclass(slots=True)
class LaneStats:
    """Samples at the lane's rate: pushed = pulled + dropped + cleared + what is inside."""

    passed: int = 0
    """Pushed and pulled at once, by way of `Lane.on_frame`."""
    put_in: int = 0
    """Pushed in any other way."""
    taken_out: int = 0
    """Pulled in any other way."""
    dropped: int = 0
    cleared: int = 0
    padded: int = 0
    """Zeros that `Lane.pull_padded` put in where audio was missing; in none of the others."""
    overflows: int = 0
    """How often something had to be dropped."""

    @property
    def pushed(self) -> int:
        """All that came."""
        return self.passed + self.put_in

    @property
    def pulled(self) -> int:
        """All that was taken."""
        return self.passed + self.taken_out


class Lane:
    """A bounded queue of mono int16 samples, resampled on the way in where the rates differ.

    Args:
        rate_hz: rate at which the sink pulls, Hz.
        max_ms: most audio the lane holds, ms.
        when_full: which samples give way.
        source_hz: rate at which the source pushes, Hz; ``rate_hz`` when left out.
        opening_ms: none of the first so many ms is dropped, whatever the bound: what was said before the sink was
            there comes all at once.
    """

    def __init__(
        self,
        rate_hz: int,
        max_ms: float,
        when_full: WhenFull,
        source_hz: int | None = None,
        *,
        opening_ms: float = 0.0,
    ) -> None:
        max_samples = int(rate_hz * max_ms / 1000)
        if rate_hz <= 0 or max_samples < 1:
            raise ValueError(f"a lane cannot hold {max_ms} ms at {rate_hz} Hz")
        self.rate_hz = rate_hz
        self.source_hz = rate_hz if source_hz is None else source_hz
        self.max_samples = max_samples
        self.ledger = Ledger(rate_hz)
        self.stats = LaneStats()
        self.on_ready: Callable[[], None] | None = None
        """Called after each push that made more audio pullable, and when an open segment ends; it may pull."""
        self.on_frame: Callable[[Int16], bool] | None = None
        """Offered what is pushed while the lane is empty, at the lane's rate: true takes it as if it had pulled it, at
        once and without the way through the lane; else it goes that way."""
        self.on_left_out: Callable[[int], None] | None = None
        """Called by a sink that leaves out so many samples, the next that it would have sent: what follows comes as
        much sooner. For a source that counts in positions of the ledger."""
        self.segment_open = False
        """Whether samples were pushed since the last segment end or clear."""
        self._drop_oldest = when_full == "drop_oldest"
        self._opening = int(rate_hz * opening_ms / 1000)
        self._resampler = None if self.source_hz == rate_hz else Resampler(self.source_hz, rate_hz)
        self._ring = Ring(rate_hz, max(max_samples, self._opening))
        self._ends: deque[int] = deque()
        """Segment ends as positions in the ring, each after the ring's head."""

    @property
    def depth_samples(self) -> int:
        """Samples inside, at the lane's rate."""
        return self._ring.depth

    @property
    def depth_ms(self) -> float:
        """Audio inside, ms."""
        return 1000 * self._ring.depth / self.rate_hz

    def push(self, samples: Int16) -> None:
        """Put shape (n,) int16 at ``source_hz`` in; never waits, drops what exceeds the bound.

        Raises:
            TypeError: the samples are not int16.
        """
        if samples.dtype is not _INT16 and samples.dtype != _INT16:
            raise TypeError(f"a lane takes int16 samples, not {samples.dtype}")
        if self._resampler is not None:
            samples = self._resampler.push(samples)
        self.segment_open = True
        on_frame = self.on_frame
        if on_frame is not None and not self._ring.depth and on_frame(samples):
            self.stats.passed += len(samples)
        elif self._put(samples) and self.on_ready is not None:
            self.on_ready()

    def end_segment(self) -> None:
        """End the utterance: what is inside may be pulled though it is no whole frame."""
        if not self.segment_open:
            return
        self.segment_open = False
        if self._resampler is not None:
            self._put(self._resampler.flush())
        if self._ring.depth:
            self._ends.append(self._ring.tail)
        if self.on_ready is not None:
            self.on_ready()

    def pull(self, n: int) -> Int16:
        """Take ``n`` samples, shape (n,) int16.

        Fewer, but more than none, at the end of a segment; none when less than ``n`` is inside
        and no segment ends in it.
        """
        ring = self._ring
        if self._ends:
            n = min(n, self._ends[0] - ring.head)
        elif ring.depth < n:
            return _NOTHING
        self.stats.taken_out += n
        taken = ring.read(n)
        if self._ends:
            self._forget_ends()
        return taken

    def pull_padded(self, n: int) -> Int16:
        """Take exactly ``n`` samples across segment ends; zeros stand for what is missing."""
        n_real = min(n, self._ring.depth)
        if n_real == n:
            padded = self._ring.read(n)
        else:
            padded = np.zeros(n, np.int16)
            padded[:n_real] = self._ring.read(n_real)
            self.stats.padded += n - n_real
        self.stats.taken_out += n_real
        self._forget_ends()
        return padded

    def clear(self) -> int:
        """Drop all that is inside and what rings in the resampler; returns the samples dropped."""
        n = self._ring.depth
        self._ring.skip(n)
        self._ends.clear()
        self.segment_open = False
        self.stats.cleared += n
        if self._resampler is not None:
            self._resampler.reset()
        return n

    def _put(self, samples: Int16) -> int:
        """Put samples in within the bound; returns how many of them are inside."""
        stats = self.stats
        n = samples.size
        stats.put_in += n
        excess = self._ring.depth + n - self.max_samples
        if excess > 0 and stats.pushed > self._opening:
            if not self._drop_oldest:
                excess = min(excess, n)  # more than that may be over the bound: the opening
            stats.dropped += excess
            stats.overflows += 1
            if self._drop_oldest:
                n_old = min(excess, self._ring.depth)
                self._ring.skip(n_old)
                samples = samples[excess - n_old :]
            else:
                samples = samples[: n - excess]
            self._forget_ends()
        self._ring.write(samples)
        return samples.size

    def _forget_ends(self) -> None:
        ends = self._ends
        while ends and ends[0] <= self._ring.head:
            ends.popleft()
