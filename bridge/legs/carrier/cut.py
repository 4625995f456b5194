"""What a clear cut off: what the caller heard, what they never will, and when it is silent."""

from dataclasses import dataclass

from bridge.audio.lane import Lane
from bridge.legs.carrier.heard import HeardText


@dataclass(frozen=True, slots=True)
class Cut:
    """What a clear cut off."""

    heard_text: str
    unheard_text: str
    unheard_ms: float
    """Agent audio that was dropped, ms."""
    silent_s: float
    """When the carrier is silent, loop time."""


class Cuts:
    """The clears of one lane.

    Args:
        lane: the agent's audio.
        heard: its words.
        clears: whether the carrier drops what it has; if not, it plays that to its end.
    """

    def __init__(self, lane: Lane, heard: HeardText, *, clears: bool) -> None:
        self._lane = lane
        self._heard = heard
        self._clears = clears
        self._seen_cleared = lane.stats.cleared

    def take(self, unplayed: int, now_s: float) -> Cut:
        """The lane was cleared, and the carrier if it can be: so many samples of what it had were not played."""
        lane = self._lane
        heard, unheard = self._heard.cut(lane.ledger.sent_samples - unplayed)
        never_sent = lane.stats.cleared - self._seen_cleared
        self._seen_cleared += never_sent
        unheard_ms = 1000 * (never_sent + unplayed) / lane.rate_hz
        until_s = lane.ledger.playing_until_s
        stops_s = now_s if self._clears or until_s is None else max(now_s, until_s)
        return Cut(heard, unheard, unheard_ms, stops_s)
