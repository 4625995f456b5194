"""What the call service needs of whoever makes brains."""

from collections.abc import Sequence
from typing import Protocol

from bridge.brains.base import Brain
from bridge.brains.speech.vad import Vad


class BrainSource(Protocol):
    """Where brains come from: a registry of models, and the voice activity that goes with them."""

    def names(self) -> Sequence[str]:
        """The models a call may ask for."""
        ...

    def make(self, model: str, *, seed: str, live_hz: int) -> Brain:
        """A new brain for one call; a live one works at ``live_hz``.

        Raises: UsageError for an unknown model.
        """
        ...

    def vad(self) -> Vad:
        """Voice activity for one call."""
        ...
