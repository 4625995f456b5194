"""Cuts a stream of any chunk sizes into frames of one size."""

import numpy as np

from bridge_codecs.pcm import Int16


class Reframer:
    """Frames of exactly ``n_samples`` out of chunks of any size; order and content are kept.

    A frame may share memory with the chunk it came from; neither is changed afterwards.

    Args:
        n_samples: samples per frame, at least 1.
    """

    def __init__(self, n_samples: int) -> None:
        if n_samples < 1:
            raise ValueError(f"a frame needs at least 1 sample, got {n_samples}")
        self.n_samples = n_samples
        self._carry = np.empty(n_samples, np.int16)
        self._pending = 0

    @property
    def pending(self) -> int:
        """Samples that wait for the rest of their frame: 0 … n_samples - 1."""
        return self._pending

    def push(self, samples: Int16) -> list[Int16]:
        """Take shape (n,) int16; return the frames that are now complete."""
        size = self.n_samples
        if not self._pending and samples.size == size:
            return [samples]
        frames: list[Int16] = []
        at = 0
        if self._pending:
            at = min(size - self._pending, samples.size)
            self._keep(samples[:at])
            if self._pending < size:
                return frames
            frames.append(self._take())
        whole = at + (samples.size - at) // size * size
        frames.extend(samples[begin : begin + size] for begin in range(at, whole, size))
        self._keep(samples[whole:])
        return frames

    def flush(self) -> Int16 | None:
        """The samples of the unfinished frame, shorter than a frame; None when there are none."""
        return self._take() if self._pending else None

    def _keep(self, rest: Int16) -> None:
        # Copied, so that a few samples do not keep a large chunk alive.
        self._carry[self._pending : self._pending + rest.size] = rest
        self._pending += rest.size

    def _take(self) -> Int16:
        frame = self._carry[: self._pending].copy()
        self._pending = 0
        return frame
