"""How the service comes to its end without cutting anybody off.

From the moment it drains it takes no new calls (`Admission`, `Gate`) and says so to whoever asks whether it is ready
(`/readyz`); the calls that are up, and those that were let in and have not begun, go on to their own end or to a
deadline.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, Protocol

LOOK_S: Final = 0.05
"""How often it is looked whether calls are left."""


class Draining(Protocol):
    """A part of the service that has calls."""

    @property
    def n_live(self) -> int:
        """How many calls have been let in and have not come to their end, their last words and records included."""
        ...


class Drain:
    """Whether the service is on its way out."""

    def __init__(self) -> None:
        self._begun = False

    @property
    def begun(self) -> bool:
        """Whether no new calls are taken any more."""
        return self._begun

    def begin(self) -> None:
        """Take no new calls from now on; cannot be taken back."""
        self._begun = True

    async def empty(self, parts: Sequence[Draining], limit_s: float) -> bool:
        """Wait until no call is left, at most `limit_s`; whether that came about."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + limit_s
        while any(part.n_live for part in parts):
            if loop.time() >= deadline_s:
                return False
            await asyncio.sleep(min(LOOK_S, max(0.0, deadline_s - loop.time())))
        return True
