"""How a client came to a call over WebRTC: by its join socket, or with a connection of its own (WHIP).

The join socket gets one ``room_info`` and nothing else: some clients take every message on it for another room
(reference webrtc 1). It takes the client's messages that are too long for the data channel, and ends with the call.
"""

from dataclasses import dataclass
from typing import Final

from bridge.legs.media_socket import MediaSocket
from bridge.legs.webrtc.link import Link
from bridge.wire.close_codes import GOING_AWAY, NORMAL

_NEITHER: Final = "a client comes by a join socket or with a link"


@dataclass(frozen=True, slots=True)
class Entrance:
    """What the call has of its client at first: exactly one of `socket` and `link`."""

    socket: MediaSocket | None = None
    """The join socket, not yet started."""
    base: str = ""
    """Where this server's sockets are reached, as ``ws://host:port``: the room's URL begins with it."""
    wanted: tuple[str, ...] = ()
    """Types of data messages that the client asked for in its join URL, besides those of its call."""
    link: Link | None = None
    """A connection that is there already, not yet started."""

    def __post_init__(self) -> None:
        """Raises: ValueError."""
        if (self.socket is None) == (self.link is None):
            raise ValueError(_NEITHER)

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Send the client away."""
        if self.socket is not None:
            self.socket.close(code, reason)
        if self.link is not None:
            self.link.stop("server stops" if code == GOING_AWAY else "over")
