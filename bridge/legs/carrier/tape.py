"""What is recorded of the agent's audio: each frame where the caller hears it."""

from typing import Final

from bridge.audio.ledger import Ledger
from bridge.legs.recorder import Recorder
from bridge_codecs.pcm import Int16

SAME_INSTANT_S: Final = 1e-6
"""Two sums of the same durations may differ by this much, s."""


class Tape:
    """Keeps a recorder in step with a ledger."""

    __slots__ = ("_ledger", "_recorder")

    def __init__(self, recorder: Recorder, ledger: Ledger) -> None:
        self._recorder = recorder
        self._ledger = ledger

    def sent(self, frame: Int16, now_s: float) -> None:
        """The frame is sent now: put it on the account, and where it will be heard on the tape."""
        before_s = self._ledger.playing_until_s
        self._ledger.sent(frame.size, now_s)
        until_s = self._ledger.playing_until_s or now_s
        starts_s = until_s - frame.size / self._ledger.rate_hz
        joins_on = before_s is not None and starts_s - before_s < SAME_INSTANT_S
        self._recorder.sent(frame, plays_in_s=None if joins_on else starts_s - now_s)

    def cleared(self, now_s: float) -> None:
        """What the carrier has not played by now will not be played."""
        self._recorder.cleared(unplayed_s=self._ledger.ahead_ms(now_s) / 1000)
