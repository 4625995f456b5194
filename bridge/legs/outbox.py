"""What sockets send within one round of the loop goes out together, at its end.

A message that is sent wakes whoever reads it, and that costs the sender more than the message itself. Readers that are
woken once for several messages, and a processor that does the same thing several times in a row, cost a gateway of a
hundred calls 6 % less.

A socket leaves one message in the box, and sends the next itself: what waits here needs no bound.
"""

import asyncio
from typing import Final
from weakref import WeakKeyDictionary

from picows import WSMsgType, WSTransport


class Outbox:
    """The box of one loop.

    Attributes:
        round: changes whenever the box is emptied.
        messages: to be sent at the end of the round, the first first. Whoever puts in the first calls `begin`.
    """

    __slots__ = ("messages", "round")

    def __init__(self) -> None:
        self.round = 0
        self.messages: list[tuple[WSTransport, WSMsgType, str | bytes]] = []

    def begin(self) -> None:
        """The first message of a round is about to be put in."""
        asyncio.get_running_loop().call_soon(self.empty)

    def empty(self) -> None:
        """Send all of it now."""
        self.round += 1
        messages, self.messages = self.messages, []
        for transport, kind, message in messages:
            transport.send(kind, message)


_BOXES: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Outbox]] = WeakKeyDictionary()


def outbox_of(loop: asyncio.AbstractEventLoop) -> Outbox:
    """The one box of a loop."""
    box = _BOXES.get(loop)
    if box is None:
        box = _BOXES[loop] = Outbox()
    return box
