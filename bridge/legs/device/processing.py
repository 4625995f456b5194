"""What stands between the microphone and the call: echo cancellation, or a gate in its place.

The device leg feeds it in frames of 10 ms, one frame of the loudspeaker before each of the microphone. Both are on
one clock, the event loop's, whatever the clocks of the two devices are: the leg has corrected their drift before.
"""

from typing import Protocol

from bridge_codecs.pcm import Int16

FRAME_MS = 10


class EchoProcessor(Protocol):
    """One microphone and one loudspeaker; all frames are mono int16 of 10 ms. Never waits."""

    @property
    def rate_hz(self) -> int:
        """Rate of both, Hz: 8, 12, 16, 24, 32 or 48 kHz."""
        ...

    def played(self, frame: Int16) -> None:
        """A frame, shape (rate_hz // 100,), that the loudspeaker's device took; silence included."""
        ...

    def heard(self, frame: Int16, delay_ms: float) -> Int16:
        """What of a frame of the microphone goes into the call: as many samples.

        Args:
            frame: as the microphone gave it, shape (rate_hz // 100,).
            delay_ms: from `played` of a frame to `heard` of its first echo, as far as the devices tell.
        """
        ...

    def close(self) -> None:
        """Give back what is held; nothing is asked afterwards."""
        ...
