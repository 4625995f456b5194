"""What it means that a client is gone from its room or its join socket: it hung up, is lost, or may come back.

Its join socket closed in order is a hang-up (ultravox 3.1), and so is a room left by a client that has no such socket.
A connection that broke is no end for as long as `absence` gives; a join socket that broke is none either, for a client
that has been in its room: a network that drops takes both, and the client comes back to the room alone.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.legs.base import Ended, LegEvent, Warned
from bridge.legs.webrtc.absence import Absence
from bridge.wire.agent_socket import Closed
from bridge.wire.close_codes import BROKE_OFF

LEAVING_S: Final = 1.0
"""Who leaves the room and hangs up closes the join socket within this."""


class Departure:
    """That of one client.

    Args:
        has_socket: whether it came by a join socket.
        end: called with the end of the call; more than once, perhaps.
        tell: gets warnings.
    """

    def __init__(
        self,
        *,
        has_socket: bool,
        end: Callable[[Ended], None],
        tell: Callable[[LegEvent], None],
    ) -> None:
        self._has_socket = has_socket
        self._end = end
        self._tell = tell
        self._absence = Absence(end)
        self._loop = asyncio.get_running_loop()
        self._was_there = False
        self._left = False
        self._leaving: asyncio.TimerHandle | None = None
        """Tells that the client has left its room and seems to have hung up no call."""

    @property
    def away(self) -> bool:
        """Whether the client has no connection that can be relied on."""
        return self._absence.away

    def begin(self) -> None:
        """The client was let in: it is to come."""
        self._absence.begin()

    def there(self) -> None:
        """It has a connection, of which more is expected."""
        self._was_there = True
        self._forget_leaving()
        self._absence.there()

    def ready(self) -> None:
        """Nothing more is expected."""
        self._absence.ready()

    def lost(self, why: str) -> None:
        """Its connection is gone, or not to be relied on."""
        self._forget_leaving()
        self._tell(Warned("connection_lost", why))
        self._absence.gone(why)

    def left(self, why: str) -> None:
        """It said that it leaves its room."""
        if not self._has_socket:
            self._end(Ended("hangup"))
            return
        self._forget_leaving()
        self._left = True
        lost = Warned("connection_lost", why)
        self._leaving = self._loop.call_later(LEAVING_S, self._tell, lost)
        self._absence.gone(why)

    def socket_closed(self, closed: Closed, *, ours: bool) -> None:
        """Its join socket is gone; `ours`: closed by us, over something that it did."""
        self._has_socket = False
        may_be_back = closed.code == BROKE_OFF and self._was_there
        if closed.orderly or self._left:
            self._end(Ended("hangup"))
        elif ours or (self.away and not may_be_back):
            self._end(Ended("connection_error", closed.detail))
        else:
            self._tell(Warned("join_socket_lost", closed.detail))

    def stop(self) -> None:
        """The call is over."""
        self._forget_leaving()
        self._absence.stop()

    def _forget_leaving(self) -> None:
        self._left = False
        if self._leaving is not None:
            self._leaving.cancel()
            self._leaving = None
