"""One deadline that moves: setting it again forgets what it was."""

import asyncio
from collections.abc import Callable


class Deadline:
    """Calls an action when its time has come, unless it is set anew or cleared before."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        """Whether an action is to come."""
        return self._timer is not None

    def set(self, delay_s: float, action: Callable[[], None]) -> None:
        """Call the action after this delay, s."""
        self.clear()
        self._timer = self._loop.call_later(delay_s, self._run, action)

    def clear(self) -> None:
        """Call nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _run(self, action: Callable[[], None]) -> None:
        self._timer = None
        action()
