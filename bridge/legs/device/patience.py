"""How much longer than it must audio waits before it is played, because of holes that were heard of late."""

from typing import Final

EXTRA_S: Final = 0.005
"""So much more after each hole in speech …"""
EXTRA_MAX_S: Final = 0.06
FORGET_S: Final = 30.0
"""… until so long later."""


class Patience:
    """One loudspeaker's."""

    def __init__(self) -> None:
        self.extra_s = 0.0
        """How much longer, s."""
        self._since_s = 0.0
        self._holes = 0

    def look(self, holes: int, now_s: float) -> None:
        """There were so many holes by now."""
        if holes > self._holes:
            self._holes = holes
            self.extra_s = min(self.extra_s + EXTRA_S, EXTRA_MAX_S)
            self._since_s = now_s
        elif self.extra_s and now_s - self._since_s > FORGET_S:
            self.extra_s = max(0.0, self.extra_s - EXTRA_S)
            self._since_s = now_s
