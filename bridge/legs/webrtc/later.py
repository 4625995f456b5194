"""What a leg has for its relay before the relay runs it: kept, and done in order when it does."""

from collections.abc import Callable
from typing import Final

from bridge.legs.base import Port

MOST: Final = 2_000
"""Acts that are kept: 40 s of frames. What comes later still is lost."""


class Later:
    """Acts on a port that may not be there yet."""

    def __init__(self) -> None:
        self._port: Port | None = None
        self._kept: list[Callable[[Port], None]] = []

    def do(self, act: Callable[[Port], None]) -> None:
        """Now, or when there is a port."""
        if self._port is not None:
            act(self._port)
        elif len(self._kept) < MOST:
            self._kept.append(act)

    def begin(self, port: Port) -> None:
        """The port is there."""
        self._port = port
        kept, self._kept = self._kept, []
        for act in kept:
            act(port)
