"""Where a client opens the signalling socket, and what it says of itself there, in both versions.

The room's URL keeps its path: ``/rtc`` (v0) or ``/rtc/v1`` is appended to it. The token goes into the query, where
every server looks for it.
"""

import gzip
from base64 import urlsafe_b64encode
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from livekit.protocol import models, rtc

from bridge.errors import RemoteWireError
from bridge.wire.livekit.events import Version
from bridge.wire.livekit.join_request import Description

PROTOCOL: Final = 16
"""The level of the protocol that we speak, as clients number it."""
SDK_VERSION: Final = "1.2.0"
"""The same level in the numbers of the Python SDK, by which servers tell what a client can do."""
OURSELVES: Final = "tipring"
NO_ROOM: Final = "the room's URL is not one of ws, wss, http or https with a host"
_SCHEMES: Final = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_PATHS: Final[dict[Version, str]] = {"v0": "/rtc", "v1": "/rtc/v1"}


def signal_url(
    room_url: str, version: Version, token: str, offer: Description | None = None
) -> str:
    """The URL to open.

    Args:
        room_url: ws, wss, http or https, as it came.
        version: of the signalling.
        token: to join with.
        offer: of the peer connection (v1).

    Raises: RemoteWireError for a room URL that is none; the URL is not repeated.
    """
    try:
        parts = urlsplit(room_url)
        host = parts.hostname
    except ValueError:
        raise RemoteWireError(NO_ROOM) from None
    scheme = _SCHEMES.get(parts.scheme.lower())
    if scheme is None or not host:
        raise RemoteWireError(NO_ROOM)
    said = _v1(offer) if version == "v1" else _v0()
    query = urlencode([*parse_qsl(parts.query), ("access_token", token), *said])
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + _PATHS[version], query, ""))


def _v0() -> list[tuple[str, str]]:
    return [
        ("auto_subscribe", "1"),
        ("sdk", "python"),
        ("version", SDK_VERSION),
        ("protocol", str(PROTOCOL)),
        ("adaptive_stream", "0"),
    ]


def _v1(offer: Description | None) -> list[tuple[str, str]]:
    request = rtc.JoinRequest(
        client_info=models.ClientInfo(
            sdk=models.ClientInfo.SDK.PYTHON,
            version=SDK_VERSION,
            protocol=PROTOCOL,
            other_sdks=OURSELVES,
        ),
        connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
    )
    if offer is not None:
        request.publisher_offer.CopyFrom(
            rtc.SessionDescription(type="offer", sdp=offer.sdp, id=offer.id)
        )
    wrapped = rtc.WrappedJoinRequest(
        compression=rtc.WrappedJoinRequest.Compression.GZIP,
        join_request=gzip.compress(request.SerializeToString(), mtime=0),
    )
    return [("join_request", urlsafe_b64encode(wrapped.SerializeToString()).decode())]
