"""A stretch of audio with its place in a stream: mono int16 samples, a rate, a start position.

Positions are sample counts since the start of the stream, so they are exact after ten hours;
milliseconds are for people.
"""

from dataclasses import dataclass

from bridge_codecs.pcm import Int16


@dataclass(frozen=True, slots=True, eq=False)
class PcmFrame:
    """Mono audio. The array is never changed after the frame is made; frames compare by identity."""

    samples: Int16
    """Shape (n,), int16."""
    rate_hz: int
    start: int
    """Position of the first sample, in samples since the start of the stream."""

    def __post_init__(self) -> None:
        if self.rate_hz <= 0:
            raise ValueError(f"a frame needs a rate above 0 Hz, got {self.rate_hz}")

    @property
    def end(self) -> int:
        """Position just after the last sample: where the next frame starts."""
        return self.start + self.samples.size

    @property
    def duration_ms(self) -> float:
        """How long the frame plays, ms."""
        return 1000 * self.samples.size / self.rate_hz
