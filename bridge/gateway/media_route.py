"""What the front door has to know of the places where media sockets are taken."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from bridge.errors import BridgeError
from bridge.legs.media_socket import SERVER_LIMITS, MediaSocket, SocketLimits


class UpgradeRefused(BridgeError):  # noqa: N818 - reads as what happened
    """A media socket is not taken: the status and the sentence go to the client as an HTTP answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Admission:
    """A media socket is taken."""

    take: Callable[[MediaSocket], None]
    """Gets the open socket, not yet started. It is always called once; if the client has left meanwhile, with a
    socket that closes with 1006 as soon as it is started."""


Admit: TypeAlias = Callable[[str, Mapping[str, str]], Awaitable[Admission]]
"""Gets the request target, query included, and the headers, names in lower case. Raises UpgradeRefused.
It is cancelled when the server closes."""


@dataclass(frozen=True, slots=True)
class MediaRoute:
    """Upgrade requests whose whole path matches go to `admit`."""

    path: re.Pattern[str]
    admit: Admit
    limits: SocketLimits = SERVER_LIMITS
