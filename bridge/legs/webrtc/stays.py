"""Our stays in the room of one call: how one begins, which one counts, and that all of them are left in the end.

The messages for the room belong to it: they wait while there is no stay (`bridge.legs.webrtc.mailbox`).
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.errors import JoinRefused
from bridge.legs.base import Ended
from bridge.legs.webrtc.mailbox import Mailbox
from bridge.legs.webrtc.room import Room

CLOSING_S: Final = 1.0
"""How long stays may take to give everything back."""


class Stays:
    """Those of one call.

    Args:
        make: makes a stay that has not begun.
        ended: done when the call is over: nothing is waited for then.
        lost: told how many messages gave way while there was no stay.

    Attributes:
        current: the one that counts; None while there is none.
    """

    def __init__(
        self,
        make: Callable[[], Room],
        ended: "asyncio.Future[Ended]",
        lost: Callable[[int], None],
    ) -> None:
        self.current: Room | None = None
        self._make = make
        self._ended = ended
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._mail = Mailbox(self._loop.time)
        self._closing: set[asyncio.Task[None]] = set()

    async def enter(self) -> None:
        """Begin a stay. Raises: JoinRefused."""
        room = self.current = self._make()
        joining = self._loop.create_task(room.join(), name="room join")
        try:
            await asyncio.wait((joining, self._ended), return_when=asyncio.FIRST_COMPLETED)
            self._must_go_on()
            joining.result()
        except BaseException:
            self._stop(room)
            raise
        finally:
            joining.cancel()
            await asyncio.wait((joining,))
        if self.current is room:  # not lost again already
            self._open(room)

    def post(self, text: str) -> None:
        """Send a data message, now or when there is a stay."""
        self._mail.post(text)

    def leave(self) -> None:
        """The stay that counts is over, if there is one."""
        if self.current is not None:
            self._stop(self.current)

    async def closed(self) -> None:
        """Return when all stays are left, or have had their time for it."""
        if self._closing:
            _, slow = await asyncio.wait(self._closing, timeout=CLOSING_S)
            for task in slow:
                task.cancel()

    def _must_go_on(self) -> None:
        if self._ended.done():
            detail = self._ended.result().detail or "its agent hung up"
            raise JoinRefused(f"the call was over before we were in its room: {detail}")

    def _open(self, room: Room) -> None:
        self._mail.open(lambda text: room.send(text.encode()))
        if n_dropped := self._mail.take_dropped():
            self._lost(n_dropped)

    def _stop(self, room: Room) -> None:
        if room is self.current:
            self.current = None
            self._mail.shut(room.heard_s)
        room.stop()
        task = self._loop.create_task(room.closed(), name="room closing")
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)
