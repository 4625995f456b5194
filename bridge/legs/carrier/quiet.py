"""Notices that an agent has paused, though nothing said that its utterance is over.

Audio comes every 20 ms while it speaks, so it is looked at with the loop's sweep; a timer is set only once nothing has
come for a while.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.audio.ledger import Ledger
from bridge.audio.pacer import EARLY_S
from bridge.legs.sweep import SWEEP_S, sweep_of

QUIET_S: Final = 0.04
"""No audio for so long past a frame: the agent has paused, and what is left goes out as it is."""


class QuietWatch:
    """Watches while the lane is dry and the utterance open.

    Args:
        ledger: of the lane.
        frame_s: how long a frame is.
        sending: whether there is audio to send, or none may be: the lane runs dry again later.
        paused: called when the agent has paused.

    Attributes:
        pushed_s: when audio came last; the player's to set.
        watching: from `start` until the agent has paused, or there is audio to send.
    """

    def __init__(
        self,
        ledger: Ledger,
        frame_s: float,
        sending: Callable[[], bool],
        paused: Callable[[], None],
    ) -> None:
        self.pushed_s = 0.0
        self.watching = False
        self._timer: asyncio.TimerHandle | None = None
        self._ledger = ledger
        self._quiet_s = frame_s + QUIET_S
        self._left_alone_s = self._quiet_s - SWEEP_S
        self._sending = sending
        self._paused = paused
        self._loop = asyncio.get_running_loop()
        self._sweep = sweep_of(self._loop)

    def start(self) -> None:
        """The lane has run dry, and nothing says how long the pause will be."""
        if not self.watching:
            self.watching = True
            self._sweep.add(self)

    def stop(self) -> None:
        """Watch no more."""
        self.watching = False
        self._sweep.remove(self)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def look(self, now_s: float) -> bool:
        """See Watched."""
        if now_s - self.pushed_s < self._left_alone_s:
            return True
        self._wait()
        return False

    def _wait(self) -> None:
        """Come back when the agent has paused, if nothing more comes until then.

        Counted from the last audio that came, and not before the carrier is about to have nothing left: an agent that
        speaks in pieces, with time between them that nobody hears, shall not be cut at each.
        """
        at_s, until_s = self.pushed_s + self._quiet_s, self._ledger.playing_until_s
        if until_s is not None:
            at_s = max(at_s, until_s - QUIET_S)
        self._timer = self._loop.call_at(at_s, self._is_time, at_s)

    def _is_time(self, at_s: float) -> None:
        self._timer = None
        if self._sending():
            self.watching = False
        elif self.pushed_s + self._quiet_s > at_s + EARLY_S:
            self._sweep.add(self)  # audio has come
        else:
            self._look_closely(at_s)

    def _look_closely(self, at_s: float) -> None:
        until_s = self._ledger.playing_until_s
        if until_s is not None and until_s - QUIET_S > at_s + EARLY_S:
            self._wait()
            return
        self.watching = False
        self._paused()
