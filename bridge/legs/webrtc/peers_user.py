"""Who has peer connections, one or one for each direction, and what they tell it. Nothing here waits."""

from typing import Protocol

from bridge_codecs.pcm import Int16


class PeersUser(Protocol):
    """A link or a stay."""

    def hear(self, samples: Int16) -> None:
        """What the far end says, mono int16 at the options' ``ear_hz``."""
        ...

    def data(self, packet: bytes | str) -> None:
        """A message on a channel."""
        ...

    def too_long(self) -> None:
        """A message on a channel was too long to be looked at."""
        ...

    def broke(self, why: str) -> None:
        """A connection is lost."""
        ...
