"""Notices that an agent has paused, though nothing said that its utterance is over."""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.audio.ledger import Ledger
from bridge.audio.pacer import EARLY_S

QUIET_S: Final = 0.04
"""No audio for so long past a frame: the agent has paused, and what is left goes out as it is."""


class QuietWatch:
    """One timer, which runs only while the lane is dry and the utterance open.

    Args:
        ledger: of the lane.
        frame_s: how long a frame is.
        sending: whether there is audio to send, or none may be: the lane runs dry again later.
        paused: called when the agent has paused.

    Attributes:
        pushed_s: when audio came last; the player's to set.
        timer: None while nothing is watched.
    """

    def __init__(
        self,
        ledger: Ledger,
        frame_s: float,
        sending: Callable[[], bool],
        paused: Callable[[], None],
    ) -> None:
        self.pushed_s = 0.0
        self.timer: asyncio.TimerHandle | None = None
        self._ledger = ledger
        self._quiet_s = frame_s + QUIET_S
        self._sending = sending
        self._paused = paused
        self._loop = asyncio.get_running_loop()

    def start(self) -> None:
        """The lane has run dry, and nothing says how long the pause will be."""
        if self.timer is None:
            self.timer = self._loop.call_at(self._at_s(), self._look)

    def stop(self) -> None:
        """Watch no more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def _at_s(self) -> float:
        """When the agent has paused, if nothing more comes until then.

        Counted from the last audio that came, and not before the carrier is about to have nothing left: an agent that
        speaks in pieces, with time between them that nobody hears, shall not be cut at each.
        """
        quiet_at_s, until_s = self.pushed_s + self._quiet_s, self._ledger.playing_until_s
        return quiet_at_s if until_s is None else max(quiet_at_s, until_s - QUIET_S)

    def _look(self) -> None:
        self.timer = None
        quiet_at_s = self._at_s()
        if self._sending():
            return
        if quiet_at_s > self._loop.time() + EARLY_S:
            self.timer = self._loop.call_at(quiet_at_s, self._look)
            return
        self._paused()
