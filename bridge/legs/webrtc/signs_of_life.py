"""Notices that a peer has fallen silent: one timer, set anew only when it fires."""

import asyncio
from collections.abc import Callable


class SignsOfLife:
    """Watches over one connection.

    Args:
        silent_s: a peer of which nothing came for so long is gone.
        heard_s: when anything last came, loop time.
        lost: called once with a sentence when it is gone.
    """

    def __init__(
        self, silent_s: float, heard_s: Callable[[], float], lost: Callable[[str], None]
    ) -> None:
        self._silent_s = silent_s
        self._heard_s = heard_s
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Something is to come from now on."""
        left_s = self._heard_s() + self._silent_s - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self.begin)
        else:
            self._lost(f"no sign of life for {self._silent_s:g} s")

    def stop(self) -> None:
        """Watch no more; may be called again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
