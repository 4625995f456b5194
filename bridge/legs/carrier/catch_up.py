"""Working off what a network that froze has added to the agent's delay.

What was on its way in a freeze reaches the carrier at once, and is played to its end: everything after it comes as much
later. An agent that pauses without sending anything makes up for it by itself. One that sends its silence too, as live
audio has it, would stay behind for good: so its pauses are shortened until it has caught up. No word is left out.
"""

from typing import Final

from bridge.legs.carrier.figures import CarrierFigures
from bridge_codecs.pcm import Int16

BEHIND_S: Final = 0.5
"""A carrier that has so much more to play than we keep ahead was held up; less is jitter."""
QUIET_PEAK: Final = 100
"""No sample of a pause is larger: -50 dBFS."""
NEAR_S: Final = 0.1
"""A carrier that has no more than this to play is level with us."""
KEPT_MS: Final = 100
"""So much of each pause stays at least, in whole frames: words do not run into each other."""


class CatchUp:
    """The delay of one lane's audio.

    Args:
        rate_hz: of the audio, Hz.
        figures: counts what is left out.

    Attributes:
        behind: samples to be caught up; 0 almost always.
    """

    __slots__ = ("_figures", "_kept", "_quiet", "_rate_hz", "behind")

    def __init__(self, rate_hz: int, figures: CarrierFigures) -> None:
        self.behind = 0
        self._rate_hz = rate_hz
        self._figures = figures
        self._kept = rate_hz * KEPT_MS // 1000
        self._quiet = 0

    def waits(self, ahead_s: float, lead_s: float) -> None:
        """The next frame has to wait: the carrier has so much to play, and should have so much at most."""
        if ahead_s > lead_s + BEHIND_S:
            if not self.behind:
                self._quiet = 0  # of the last time
            self.behind = max(self.behind, int(ahead_s * self._rate_hz))

    def ran_dry(self, ahead_s: float) -> None:
        """All that there is was sent, and the carrier has so much of it to play."""
        self.behind = 0 if ahead_s <= NEAR_S else min(self.behind, int(ahead_s * self._rate_hz))

    def leaves_out(self, frame: Int16) -> bool:
        """Whether this frame, shape (n,) int16, is not to be sent: it belongs to a pause. Ask only while `behind`."""
        if int(frame.max()) > QUIET_PEAK or int(frame.min()) < -QUIET_PEAK:
            self._quiet = 0
            return False
        begins_at, self._quiet = self._quiet, self._quiet + frame.size
        if begins_at < self._kept:
            return False
        self.behind = max(0, self.behind - frame.size)
        self._figures.agent_pauses_left_out_ms += 1000 * frame.size / self._rate_hz
        return True
