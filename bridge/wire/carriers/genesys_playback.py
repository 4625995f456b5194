"""What Genesys says of its playback, as proof for marks that it does not have.

Genesys says when it begins to play and when it has nothing left, no more. It has nothing left, too, when it has played
faster than we send, while our next message is under way. So "nothing left" proves a mark only if all that we sent can
have been played since playing began. Time is an argument, seconds.
"""

from collections import deque
from typing import Final

SLACK_S: Final = 0.1
"""What the two messages may differ in their delay."""
MARKS_KEPT: Final = 100


class Playback:
    """What has been sent and not yet been proved played."""

    def __init__(self) -> None:
        self._sent_s = 0.0
        self._since_s: float | None = None
        self._marks: deque[str] = deque(maxlen=MARKS_KEPT)

    def sent(self, audio_s: float) -> None:
        """So much audio has been sent."""
        self._sent_s += audio_s

    def mark(self, name: str) -> None:
        """Wait for all audio sent so far to be played."""
        self._marks.append(name)

    def cleared(self) -> None:
        """What was waiting will not be played."""
        self._sent_s = 0.0
        self._since_s = None
        self._marks.clear()

    def started(self, now_s: float) -> None:
        """Genesys has begun to play."""
        self._since_s = now_s

    def completed(self, now_s: float) -> list[str]:
        """Genesys has nothing left; the marks that this proves."""
        played_s = 0.0 if self._since_s is None else now_s - self._since_s
        self._since_s = None
        if self._sent_s > played_s + SLACK_S:
            self._sent_s -= played_s
            return []
        self._sent_s = 0.0
        proved = [*self._marks]
        self._marks.clear()
        return proved
