"""From what the loudspeaker's device is given to the echo canceller's reference: rate, clock, instants."""

from bridge.legs.device.reference import Reference
from bridge_codecs.drift import DriftStage
from bridge_codecs.pcm import Int16
from bridge_codecs.resample import Resampler


class ReferenceFeed:
    """Of one loudspeaker, whose call has ``rate_hz``."""

    def __init__(self, reference: Reference, rate_hz: int) -> None:
        self._reference = reference
        self._rate = Resampler(rate_hz, reference.rate_hz)
        self._drift = DriftStage()

    def put(self, samples: Int16, taken_s: float, ppm: float) -> None:
        """The device takes these from an instant on.

        Args:
            samples: at the call's rate, shape (n,) int16.
            taken_s: the instant, ``loop.time()``.
            ppm: how many more of them it takes than time passes on the loop's clock, parts per million.
        """
        self._drift.ppm = ppm
        self._reference.put(taken_s, self._rate.push(self._drift.push(samples)))

    def forget_from(self, taken_s: float) -> None:
        """What was to be taken from then on will not be."""
        self._reference.forget_from(taken_s)

    def reset(self) -> None:
        """What comes next does not follow what came."""
        self._rate.reset()
        self._drift.reset()
