"""What the front door has to know of the places where media sockets are taken."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bridge.errors import BridgeError
from bridge.legs.media_socket import SERVER_LIMITS, MediaSocket, SocketLimits


class UpgradeRefused(BridgeError):  # noqa: N818 - reads as what happened
    """A media socket is not taken: the status and the sentence go to the client as an HTTP answer.

    `retry_after_s` tells it when to come again.
    """

    def __init__(self, status: int, detail: str, *, retry_after_s: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Knock:
    """A request for a media socket."""

    target: str
    """Of the request, query included."""
    headers: Mapping[str, str]
    """Names in lower case; the values of a header that comes more than once are joined by a comma."""
    source: str = ""
    """The client's address; behind a trusted proxy the one that the proxy tells. Empty if it is not known."""
    secure: bool = False
    """Whether the client came over TLS, to us or to a trusted proxy."""

    @property
    def subprotocols(self) -> tuple[str, ...]:
        """What the client offers to speak, the one it likes best first."""
        offered = self.headers.get("sec-websocket-protocol", "").split(",")
        return tuple(word.strip() for word in offered if word.strip())


@dataclass(frozen=True, slots=True)
class Admission:
    """A media socket is taken."""

    take: Callable[[MediaSocket], None]
    """Gets the open socket, not yet started. It is always called once; if the client has left meanwhile, with a
    socket that closes with 1006 as soon as it is started."""
    subprotocol: str | None = None
    """Which of the offered subprotocols is spoken; the client hears of none that it has not offered."""


Admit: TypeAlias = Callable[[Knock], Awaitable[Admission]]
"""Decides about a request for a media socket. Raises UpgradeRefused. It is cancelled when the server closes."""


@dataclass(frozen=True, slots=True)
class MediaRoute:
    """Upgrade requests whose whole path matches go to `admit`."""

    path: re.Pattern[str]
    admit: Admit
    limits: SocketLimits = SERVER_LIMITS
