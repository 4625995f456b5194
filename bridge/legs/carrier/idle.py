"""Notices a carrier that sends nothing any more, though nobody said that the call is over (reliability R17)."""

import asyncio
from collections.abc import Callable
from typing import Final

MEDIA_IDLE_S: Final = 60.0


class IdleWatch:
    """Looks once per limit, so that a carrier that is there costs nothing.

    Args:
        heard_s: says when something came last, loop time.
        limit_s: `on_idle` is called after this long without anything.
        on_idle: called at most once for each `start`.
    """

    def __init__(
        self, heard_s: Callable[[], float], limit_s: float, on_idle: Callable[[], None]
    ) -> None:
        self._heard_s = heard_s
        self._limit_s = limit_s
        self._on_idle = on_idle
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Watch from now on."""
        left_s = self._heard_s() + self._limit_s - self._loop.time()
        if left_s <= 0:
            self._timer = None
            self._on_idle()
        else:
            self._timer = self._loop.call_later(left_s, self.start)

    def stop(self) -> None:
        """Watch no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
