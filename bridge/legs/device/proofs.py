"""Marks in what is played, by which the ledger learns when it was: one at a time, twice a second.

So it follows a device that lost time and caught up.
"""

from collections.abc import Callable
from typing import Final

from bridge.audio.ledger import Ledger

PROOF_S: Final = 0.5


class Proofs:
    """One loudspeaker's; positions are samples of the device."""

    def __init__(self) -> None:
        self._n = 0
        self._under_way: tuple[str, int] | None = None
        self._last_s = 0.0

    def begin_anew(self) -> None:
        """What was marked is not played any more."""
        self._under_way = None

    def look(
        self, ledger: Ledger, passed: int, due_s: Callable[[int], float], now_s: float
    ) -> bool:
        """Tell the ledger when the place of the mark was played; whether that was just now.

        Args:
            ledger: of the lane.
            passed: position up to which the device has taken samples.
            due_s: when a position is heard.
            now_s: the instant.
        """
        if self._under_way is None or passed < self._under_way[1]:
            return False
        name, position = self._under_way
        heard_s = due_s(position)
        if now_s < heard_s:
            return False
        ledger.acknowledged(name, heard_s)
        self._under_way, self._last_s = None, now_s
        return True

    def mark(self, ledger: Ledger, position: int, now_s: float) -> None:
        """What has been sent so far ends at this position; mark it, if it is time."""
        if self._under_way is None and now_s - self._last_s > PROOF_S:
            self._n += 1
            self._under_way = (f"device {self._n}", position)
            ledger.mark(self._under_way[0])
