"""How long a client may be away before its call is over.

A client that is gone, or has not come yet, has `GRACE_S` to join; all the time until its microphone is published and
its data channel open is bounded too, generously, because a person is asked for the microphone (reference webrtc 2.6).
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.legs.base import Ended

GRACE_S: Final = 20.0
READY_S: Final = 60.0
_NOT_JOINED: Final = f"the client did not join its room within {GRACE_S:g} s"
_NOT_READY: Final = (
    f"the client did not publish a microphone and open a data channel within {READY_S:g} s"
)


class Absence:
    """The deadlines of one client.

    Args:
        end: called with the end of the call when one has passed.

    Attributes:
        away: whether the client has no connection that can be relied on.
    """

    def __init__(self, end: Callable[[Ended], None]) -> None:
        self.away = True
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._grace: asyncio.TimerHandle | None = None
        self._unready: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """The client was let in: it is to come."""
        self._wait(GRACE_S, _NOT_JOINED)

    def gone(self, why: str) -> None:
        """The connection is gone; it says why."""
        self._wait(GRACE_S, f"the client was gone for {GRACE_S:g} s: {why}")

    def there(self) -> None:
        """There is a connection, of which more is expected."""
        self.away = False
        _cancel(self._grace)
        self._grace = None

    def ready(self) -> None:
        """Nothing more is expected."""
        self.there()
        _cancel(self._unready)
        self._unready = None

    def stop(self) -> None:
        """Watch no more."""
        self.ready()

    def _wait(self, grace_s: float, sentence: str) -> None:
        self.away = True
        _cancel(self._grace)
        self._grace = self._after(grace_s, sentence)
        if self._unready is None:
            self._unready = self._after(READY_S, _NOT_READY)

    def _after(self, wait_s: float, sentence: str) -> asyncio.TimerHandle:
        return self._loop.call_later(wait_s, self._end, Ended("connection_error", sentence))


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
