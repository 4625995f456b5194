"""What the join socket of a call over WebRTC delivers: messages too long for a data channel, and the client's end."""

from collections.abc import Callable

from bridge.legs.base import LegEvent, Warned


class JoinFeed:
    """A `SocketReceiver`.

    Args:
        read: gets each text, a data message.
        tell: gets a warning.
        closed: gets the close code, the reason, and whether this end closed.
    """

    def __init__(
        self,
        read: Callable[[str], None],
        tell: Callable[[LegEvent], None],
        closed: Callable[[int, str, bool], None],
    ) -> None:
        self._read = read
        self._tell = tell
        self._closed = closed

    def on_text(self, text: str) -> None:
        """A data message of the client."""
        self._read(text)

    def on_bytes(self, data: bytes) -> None:
        """Audio has no business here."""
        sentence = f"{len(data)} bytes of binary data came on the join socket"
        self._tell(Warned("ignored: binary", sentence))

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """The client is gone, or we have closed."""
        self._closed(code, reason, ours)
