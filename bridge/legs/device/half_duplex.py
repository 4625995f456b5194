"""Half duplex: the microphone is muted while the loudspeaker sounds, so that an agent cannot hear itself.

For devices without echo cancellation; nobody can interrupt. It stands where a canceller stands: frames of
10 ms, mono int16. The loudspeaker counts as sounding for `HANGOVER_MS` beyond the echo's delay: rooms ring,
and words have pauses in which the microphone must not come and go.
"""

from typing import Final

import numpy as np

from bridge.audio.level import rms_dbfs
from bridge_codecs.pcm import Int16

FRAME_MS: Final = 10
PLAYED_DBFS: Final = -60.0
"""What is quieter than this cannot be heard in a room."""
HANGOVER_MS: Final = 300


class HalfDuplex:
    """The gate of one microphone and one loudspeaker; an `EchoProcessor`.

    Args:
        rate_hz: rate of both, Hz; it needs no particular one.
    """

    def __init__(self, rate_hz: int = 16_000) -> None:
        self.rate_hz = rate_hz
        self.muted_frames = 0
        self._sounding = False
        self._left_ms = 0.0

    def played(self, frame: Int16) -> None:
        """Tell a frame that goes to the loudspeaker."""
        if rms_dbfs(frame) > PLAYED_DBFS:
            self._sounding = True

    def heard(self, frame: Int16, delay_ms: float) -> Int16:
        """The microphone's frame, or silence while its echo may sound.

        Args:
            frame: as the microphone gave it.
            delay_ms: from `played` of a frame to `heard` of its first echo.
        """
        if self._sounding:
            self._sounding = False
            self._left_ms = max(0.0, delay_ms) + HANGOVER_MS
        if self._left_ms <= 0:
            return frame
        self._left_ms -= FRAME_MS
        self.muted_frames += 1
        return np.zeros_like(frame)

    def close(self) -> None:
        """Nothing is held."""
