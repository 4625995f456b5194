"""One timer for many who wait for nothing to happen: cheaper than a timer each, which always fires in vain.

Whoever is watched says how long it may still be left alone. Watchers look every `SWEEP_S`; what has to be done at an
instant, and not just after it, takes a timer of its own once that instant is near.
"""

import asyncio
from typing import Final, Protocol
from weakref import WeakKeyDictionary

SWEEP_S: Final = 0.02


class Watched(Protocol):
    """Looked at with every sweep."""

    def look(self, now_s: float) -> bool:
        """Whether it is to be looked at again; if not, it has seen to itself."""
        ...


class Sweep:
    """All that is watched on one loop."""

    __slots__ = ("_timer", "_watched")

    def __init__(self) -> None:
        self._watched: dict[Watched, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def add(self, watched: Watched) -> None:
        """Look at this from now on."""
        self._watched[watched] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SWEEP_S, self._sweep)

    def remove(self, watched: Watched) -> None:
        """Look at it no more."""
        self._watched.pop(watched, None)
        if not self._watched and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        done = [watched for watched in self._watched if not watched.look(now_s)]
        for watched in done:
            self._watched.pop(watched, None)
        self._timer = loop.call_later(SWEEP_S, self._sweep) if self._watched else None


_SWEEPS: Final[WeakKeyDictionary[asyncio.AbstractEventLoop, Sweep]] = WeakKeyDictionary()


def sweep_of(loop: asyncio.AbstractEventLoop) -> Sweep:
    """The one sweep of a loop."""
    sweep = _SWEEPS.get(loop)
    if sweep is None:
        sweep = _SWEEPS[loop] = Sweep()
    return sweep
