"""The join URL of a call: how it is written, read and admitted, for clients of both kinds and for carriers' streams.

The token stands in the path and is independent of the call's id (192 random bits), so that a client may add query
parameters of its own; unknown ones are ignored (reference 2.2). Refusals come before the upgrade: 404, 409, 410.
"""

import re
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import parse_qs, urlsplit

from bridge.calls.records import CallRecord
from bridge.calls.service import CallService
from bridge.calls.settings import JoinKind, PhoneMedium, join_kind
from bridge.legs.media_socket import MediaSocket
from bridge.legs.webrtc.entrance import Entrance

JOIN_PATH: Final = re.compile(
    r"/calls/(?P<call_id>[0-9a-f-]{36})/(?P<token>[\w-]{20,64})/(?P<kind>server_web_socket|webrtc|telephony)",
    re.ASCII,
)
_MAX_CLIENT_VERSION: Final = 100
# What SDKs of different ages call the same thing (reference webrtc 1).
_MORE_MESSAGES: Final = ("additionalMessages", "experimentalMessages")
_MAX_WANTED: Final = 32


@dataclass(frozen=True, slots=True)
class JoinTarget:
    """What a join URL says."""

    call_id: str
    token: str
    client_version: str | None
    kind: JoinKind = "server_web_socket"
    wanted: tuple[str, ...] = ()
    """Types of data messages that the client asks for besides those of its call."""


def join_url(call: CallRecord, base: str) -> str | None:
    """The call's join URL under ``base`` (``ws://host:port``); None for one that its carrier joins by our dialling."""
    medium = call.settings.medium
    if isinstance(medium, PhoneMedium):
        return None if medium.outgoing is not None else stream_url(call, base)
    return f"{base}/calls/{call.call_id}/{call.join_token}/{join_kind(medium)}"


def stream_url(call: CallRecord, base: str) -> str:
    """Where a carrier opens its media socket for this call."""
    return f"{base}/calls/{call.call_id}/{call.join_token}/telephony"


def parse_target(target: str) -> JoinTarget | None:
    """Read a request target or a whole URL; None if it is no join URL."""
    try:
        parts = urlsplit(target)
    except ValueError:  # such as half an IPv6 address
        return None
    match = JOIN_PATH.fullmatch(parts.path)
    if match is None:
        return None
    query = parse_qs(parts.query)
    version = query.get("clientVersion", [None])[0]
    wanted = ",".join(text for name in _MORE_MESSAGES for text in query.get(name, ()))
    return JoinTarget(
        match["call_id"],
        match["token"],
        None if version is None else version[:_MAX_CLIENT_VERSION],
        cast("JoinKind", match["kind"]),
        tuple(filter(None, wanted.split(",")[:_MAX_WANTED])),
    )


@dataclass(frozen=True, slots=True)
class Joining:
    """A claimed call that waits for its socket."""

    service: CallService
    target: JoinTarget
    base: str
    """Where this server's sockets are reached."""

    def take(self, socket: MediaSocket) -> None:
        """Serve the call on this socket."""
        target = self.target
        way: MediaSocket | Entrance = socket
        if target.kind == "webrtc":
            way = Entrance(socket, self.base, target.wanted)
        self.service.start(target.call_id, way, target.client_version)


async def claim(service: CallService, target: JoinTarget, base: str = "") -> Joining:
    """Claim the call that a join URL names.

    Args:
        service: whose call it is.
        target: what the URL says.
        base: where this server's sockets are reached, as ``ws://host:port``: calls over WebRTC have a second one.

    Raises: CallError with the HTTP status that refuses the upgrade.
    """
    await service.claim(target.call_id, target.token, kind=target.kind)
    return Joining(service, target, base)
