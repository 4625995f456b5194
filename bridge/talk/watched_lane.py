"""A lane that lets somebody else see what passes: the recording, the words, the latency of a turn.

Who watches looks at the samples and gives them back at once; nothing is copied, nothing waits.
"""

from collections.abc import Callable

from bridge.audio.lane import Lane, WhenFull
from bridge_codecs.pcm import Int16


class WatchedLane(Lane):
    """See Lane. What `on_frame` takes is not seen leaving."""

    def __init__(
        self,
        rate_hz: int,
        max_ms: float,
        when_full: WhenFull,
        source_hz: int | None = None,
        *,
        opening_ms: float = 0.0,
    ) -> None:
        super().__init__(rate_hz, max_ms, when_full, source_hz, opening_ms=opening_ms)
        self.on_come: Callable[[Int16], None] | None = None
        """Sees what is pushed, at `source_hz`, before it is inside."""
        self.on_gone: Callable[[Int16], None] | None = None
        """Sees what is pulled, at `rate_hz`, without the zeros that stand for what is missing."""

    def push(self, samples: Int16) -> None:
        """See Lane."""
        if self.on_come is not None and samples.size:
            self.on_come(samples)
        super().push(samples)

    def pull(self, n: int) -> Int16:
        """See Lane."""
        taken = super().pull(n)
        if self.on_gone is not None and taken.size:
            self.on_gone(taken)
        return taken

    def pull_padded(self, n: int) -> Int16:
        """See Lane."""
        n_real = min(n, self.depth_samples)
        padded = super().pull_padded(n)
        if self.on_gone is not None and n_real:
            self.on_gone(padded[:n_real])
        return padded
