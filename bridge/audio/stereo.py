"""Puts two sides of a call sample-locked into one stereo recording.

The left channel is the clock: it never stops, and its sample n is position n. Pieces of the right
channel are placed at positions on that clock, possibly ahead of it, and may be taken back as long
as they have not been drained. Where nothing was placed there is silence.

Memory is bounded: what would be held beyond the bound is dropped and counted.
"""

import numpy as np

from bridge.audio.ring import Ring
from bridge_codecs.pcm import Int16

MAX_MS = 60_000
"""Most that is held of a channel, ms: more than the longest client buffer in use (30 s)."""


class StereoAligner:
    """A caller (left) and an agent (right) on one time axis.

    Args:
        rate_hz: rate of both channels, Hz.
        max_ms: most that is held of a channel until it is drained, ms.
    """

    def __init__(self, rate_hz: int, max_ms: float = MAX_MS) -> None:
        self._max_samples = int(rate_hz * max_ms / 1000)
        if rate_hz <= 0 or self._max_samples < 1:
            raise ValueError(f"cannot align {max_ms} ms at {rate_hz} Hz")
        self.rate_hz = rate_hz
        self.dropped = 0
        """Positions lost to the bound: nobody drained, or right was too far ahead."""
        # Both rings always begin at the same position: what was drained last.
        self._left = Ring(rate_hz, self._max_samples)
        self._right = Ring(rate_hz, self._max_samples)

    @property
    def position(self) -> int:
        """Where the left channel has arrived, samples."""
        return self._left.tail

    @property
    def right_end(self) -> int:
        """Where the right channel has arrived, samples; silence that was drained included."""
        return self._right.tail

    @property
    def nbytes(self) -> int:
        """Memory held for samples, bytes."""
        return self._left.nbytes + self._right.nbytes

    def left(self, samples: Int16) -> None:
        """Continue the left channel with shape (n,) int16: the clock moves on.

        When nobody drains, the oldest positions of both channels give way.
        """
        for begin in range(0, samples.size, self._max_samples):
            piece = samples[begin : begin + self._max_samples]
            excess = self._left.depth + piece.size - self._max_samples
            if excess > 0:
                self._left.skip(excess)
                self._right.skip(excess)
                self.dropped += excess
            self._left.write(piece)

    def right(self, samples: Int16, at: int) -> None:
        """Place shape (n,) int16 at position ``at``, or after what was placed before.

        Nothing is overwritten, and what is drained is past: a piece that starts too early begins
        as soon as it can. What lies further ahead than the bound is dropped.
        """
        limit = self._right.head + self._max_samples
        begin = min(max(at, self._right.tail), limit)
        fitting = samples[: limit - begin]
        self.dropped += samples.size - fitting.size
        if fitting.size:
            self._right.write(np.zeros(begin - self._right.tail, np.int16))
            self._right.write(fitting)

    def cut_right(self, at: int) -> None:
        """Take back what was placed at ``at`` or later and is not drained."""
        self._right.cut(max(0, self._right.tail - max(at, self._right.head)))

    def drain(self, hold: int = 0) -> Int16:
        """What is complete since the last drain: shape (n, 2) int16, up to where left has come.

        The last ``hold`` samples before that stay, for pieces of the right channel that come late.
        """
        return self._take(max(0, self._left.depth - hold))

    def finish(self) -> Int16:
        """The rest, shape (n, 2) int16: up to the end of the longer channel."""
        return self._take(max(self._left.depth, self._right.depth))

    def _take(self, n: int) -> Int16:
        stereo = np.zeros((n, 2), np.int16)
        for column, ring in enumerate((self._left, self._right)):
            n_held = min(n, ring.depth)
            stereo[:n_held, column] = ring.read(n_held)
            ring.skip(n - n_held)
        return stereo
