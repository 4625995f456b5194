"""Marks: what we ask the carrier to tell us when it has played so far.

Each name is used once in a call. What comes back goes to the ledger, which knows what was flushed. At most
`MAX_PENDING` wait (reliability T11): of a carrier that never answers the oldest are given up. A mark that never comes
holds nothing up: whoever waits for marks waits no longer than the play-out clock and a bound.

What becomes of pending marks at a clear differs (reference telephony 0.4): some carriers send them all back at once,
and the ledger knows that they prove nothing; others stay silent, so they are not waited for.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from bridge.audio.ledger import MARKS_KEPT, Ledger
from bridge.legs.carrier.figures import CarrierFigures
from bridge.wire.carriers.base import CarrierWire, Message

MAX_PENDING: Final = MARKS_KEPT


class Marks:
    """The marks of one call.

    Args:
        wire: makes their messages.
        send: sends a message to the carrier.
        figures: counts them.
    """

    def __init__(
        self, wire: CarrierWire, send: Callable[[Message], None], figures: CarrierFigures
    ) -> None:
        self._wire = wire
        self._send = send
        self._figures = figures
        self._pending: deque[str] = deque()
        self._n = 0
        self._none_pending: asyncio.Future[None] | None = None

    def ask(self, ledger: Ledger) -> None:
        """Ask for a mark behind all audio sent so far; nothing where the carrier has no marks."""
        name = f"m{self._n}"
        messages = self._wire.mark(name)
        if not messages:
            return
        self._n += 1
        for message in messages:
            self._send(message)
        ledger.mark(name)
        self._figures.marks_sent += 1
        self._pending.append(name)
        if len(self._pending) > MAX_PENDING:
            self._pending.popleft()
            self._figures.marks_lost += 1

    def reached(self, name: str, ledger: Ledger | None, now_s: float) -> None:
        """A mark came back. The carrier's word for one that was flushed is the ledger's."""
        if ledger is not None and ledger.acknowledged(name, now_s):
            self._take(name, proven=True)
        else:
            self._take(name, proven=False)

    def flushed(self, name: str, ledger: Ledger | None) -> None:
        """The carrier says that the audio before this mark was not played."""
        if ledger is not None:
            ledger.void(name)
        self._take(name, proven=False)

    def cleared(self) -> None:
        """The carrier was cleared: what waits proves nothing any more, whether it comes back or not."""
        self._figures.marks_flushed += len(self._pending)
        self._pending.clear()
        self._settle()

    async def all_back(self) -> None:
        """Return when no mark is pending; the caller sets the bound."""
        if self._pending:
            self._none_pending = asyncio.get_running_loop().create_future()
            await self._none_pending

    def _take(self, name: str, *, proven: bool) -> None:
        """A mark proves those before it too: they are not waited for either."""
        if name not in self._pending:
            return
        while self._pending:
            first = self._pending.popleft()
            if proven:
                self._figures.marks_back += 1
            else:
                self._figures.marks_flushed += 1
            if first == name:
                break
        self._settle()

    def _settle(self) -> None:
        if not self._pending and self._none_pending is not None:
            if not self._none_pending.done():
                self._none_pending.set_result(None)
            self._none_pending = None
