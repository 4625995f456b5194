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
        self._pending: deque[tuple[str, Ledger]] = deque()
        self._n = 0
        self._none_pending = asyncio.Event()
        self._none_pending.set()

    def ask(self, ledger: Ledger) -> None:
        """Ask for a mark behind all audio sent so far; nothing where the carrier has no marks."""
        name = f"m{self._n}"
        messages = self._wire.mark(name)
        # A carrier that tells of its playback unasked proves marks without a message of ours.
        if not messages and self._wire.traits.marks == "none":
            return
        self._n += 1
        for message in messages:
            self._send(message)
        ledger.mark(name)
        self._figures.marks_sent += 1
        self._pending.append((name, ledger))
        self._none_pending.clear()
        if len(self._pending) > MAX_PENDING:
            self._pending.popleft()
            self._figures.marks_lost += 1

    def reached(self, name: str, now_s: float) -> None:
        """A mark came back, and proves those before it too; one that nobody waits for proves nothing."""
        taken = self._take(name)
        self._figures.marks_back += len(taken)
        # Of each ledger the last one: those before it may have come back in time and been lost on the way.
        for ledger, last in {ledger: pending for pending, ledger in taken}.items():
            ledger.acknowledged(last, now_s)

    def flushed(self, name: str) -> None:
        """The carrier says that the audio before this mark was not played."""
        for pending, ledger in self._take(name):
            self._figures.marks_flushed += 1
            ledger.void(pending)

    def cleared(self) -> None:
        """The carrier was cleared: what waits proves nothing any more, whether it comes back or not."""
        self._figures.marks_flushed += len(self._pending)
        self._pending.clear()
        self._none_pending.set()

    async def all_back(self) -> None:
        """Return when no mark is pending; the caller sets the bound."""
        await self._none_pending.wait()

    def _take(self, name: str) -> list[tuple[str, Ledger]]:
        """The pending marks up to this one, which are not waited for any more; none if it is unknown."""
        taken: list[tuple[str, Ledger]] = []
        if any(pending == name for pending, _ in self._pending):
            while not taken or taken[-1][0] != name:
                taken.append(self._pending.popleft())
        if not self._pending:
            self._none_pending.set()
        return taken
