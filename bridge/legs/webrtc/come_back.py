"""Has a lost connection back: tries again with growing pauses, within a bound, and gives up in one sentence."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from bridge.errors import JoinRefused
from bridge.wire.limits import Strikes

BACK_S: Final = 15.0
"""A lost connection must be had back within this; a server of ours waits for 20 s."""
PAUSES_S: Final = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 4.0)
"""Before each try."""
LOSSES: Final = 8
LOSSES_WITHIN_S: Final = 120.0
"""A connection that is lost so often is given up."""
NO_USE: Final = frozenset({400, 401, 403, 404, 410})
"""A room that refuses us with one of these will not think better of it."""


class ComeBack:
    """Watches over one call's connection.

    Args:
        enter: one try; raises JoinRefused.
        back: called when a try has worked.
        give_up: called with a sentence when no try will.
    """

    def __init__(
        self,
        enter: Callable[[], Awaitable[None]],
        back: Callable[[], None],
        give_up: Callable[[str], None],
    ) -> None:
        self._enter = enter
        self._back = back
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._losses = Strikes(LOSSES, LOSSES_WITHIN_S)
        self._trying: asyncio.Task[None] | None = None

    def lost(self, why: str) -> None:
        """The connection is gone: have it back, unless that is under way."""
        if self._losses.strike(self._loop.time()):
            self._give_up(f"the connection was lost {LOSSES} times, last: {why}")
        elif self._trying is None or self._trying.done():
            self._trying = self._loop.create_task(self._try(why), name="room rejoin")

    def stop(self) -> None:
        """The call is over."""
        if self._trying is not None:
            self._trying.cancel()

    async def _try(self, why: str) -> None:
        deadline_s = self._loop.time() + BACK_S
        for pause_s in PAUSES_S:
            try:
                async with asyncio.timeout_at(deadline_s):
                    await asyncio.sleep(pause_s)
                    await self._enter()
            except TimeoutError:
                break
            except JoinRefused as exc:
                why = str(exc)
                if exc.status in NO_USE:
                    break
            else:
                self._back()
                return
        self._give_up(f"a lost connection could not be had back: {why}")
