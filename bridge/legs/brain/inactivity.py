"""The user's silence: messages after times without activity, and the fallback greeting (reference 7.1, 7.2)."""

import asyncio
from collections.abc import Callable, Sequence

from bridge.legs.brain.host import TimedMessage


class Inactivity:
    """Counts the user's silence, message by message; any activity starts again at the first.

    Args:
        messages: each with its duration since the one before it.
        due: called with the message whose time has come.
    """

    def __init__(
        self, messages: Sequence[TimedMessage], due: Callable[[TimedMessage], None]
    ) -> None:
        self.activity = 0
        """How often the user was active: two equal readings mean silence in between."""
        self._messages = messages
        self._due = due
        self._next = 0
        self._timer: asyncio.TimerHandle | None = None

    def user_active(self) -> None:
        """The user spoke, typed or did anything else that counts."""
        self.activity += 1
        self._next = 0
        self.stop()

    def wait(self) -> None:
        """Nobody speaks from now on: count."""
        self.stop()
        if self._next < len(self._messages):
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._messages[self._next].duration_s, self._fire)

    def stop(self) -> None:
        """Somebody speaks: do not count."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._timer = None
        message = self._messages[self._next]
        self._next += 1
        self._due(message)
