"""What a client says of itself when it opens the signalling socket, in both versions.

v1 (``/rtc/v1``): query parameter ``join_request``, base64url of a WrappedJoinRequest whose content may be gzipped.
v0 (``/rtc``): plain query parameters. What cannot be read is refused in one sentence, before the upgrade.
"""

import zlib
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from google.protobuf.message import DecodeError, Message
from livekit.protocol import models, rtc

from bridge.wire.livekit.events import Version
from bridge.wire.livekit.limits import FROM_PEER, KIB

MAX_QUERY: Final = 64 * KIB
"""Characters of a ``join_request``; a browser's has 2,400."""
MAX_UNPACKED: Final = 96 * KIB
"""Bytes of the JoinRequest once unpacked; a browser's has 18 KiB."""
GZIP_WINDOW: Final = 16 + zlib.MAX_WBITS
_TRUE: Final = frozenset({"1", "true"})
_LONGEST_WORD: Final = 64


@dataclass(frozen=True, slots=True)
class Description:
    """A session description and its number."""

    id: int
    sdp: str


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """Who joins, and how."""

    version: Version
    sdk: str = ""
    """``js``, ``python``, ``rust`` …, in lower case; empty where it is not said."""
    sdk_version: str = ""
    protocol: int = 0
    reconnect: bool = False
    """The client wants to resume a session whose socket it has lost."""
    participant_sid: str = ""
    """Its SID in that session."""
    publisher_offer: Description | None = None

    @property
    def client(self) -> str:
        """For records: ``js 2.23.0``."""
        return f"{self.sdk} {self.sdk_version}".strip() or "unknown"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a client is not let in: the HTTP status, and a sentence for its body."""

    status: int
    sentence: str


def read_join(version: Version, query: Mapping[str, str]) -> JoinRequest | Refusal:
    """Read the query parameters of the signalling socket's URL."""
    if version == "v0":
        return _read_v0(query)
    try:
        return _request(_asked(query))
    except _RefusedError as exc:
        return exc.refusal


def token_of(query: Mapping[str, str], authorization: str | None) -> str | None:
    """The token: of the ``Authorization`` header where it is a bearer's, else of the query."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    return query.get("access_token") or None


# v0


def _read_v0(query: Mapping[str, str]) -> JoinRequest:
    return JoinRequest(
        version="v0",
        sdk=_word(query.get("sdk", "")).lower(),
        sdk_version=_word(query.get("version", "")),
        protocol=_number(query.get("protocol", "")),
        reconnect=query.get("reconnect", "").lower() in _TRUE,
        participant_sid=_word(query.get("sid", "")),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _word(text: str) -> str:
    """Foreign text that is kept for records: short and printable."""
    return "".join(filter(str.isprintable, text[:_LONGEST_WORD]))


# v1


class _RefusedError(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.refusal = Refusal(status, sentence)


def _asked(query: Mapping[str, str]) -> rtc.JoinRequest:
    text = query.get("join_request", "")
    if not text:
        raise _RefusedError(400, "the query has no join_request")
    if len(text) > MAX_QUERY:
        raise _RefusedError(413, f"the join_request is longer than {MAX_QUERY} characters")
    wrapped = rtc.WrappedJoinRequest()
    packed = _decoded(text)
    if packed is None or not _parsed(wrapped, packed):
        raise _RefusedError(400, "the join_request is no base64url text of a WrappedJoinRequest")
    asked = rtc.JoinRequest()
    if not _parsed(asked, _unpacked(wrapped)):
        raise _RefusedError(400, "the join_request holds no JoinRequest")
    if len(asked.publisher_offer.sdp) > FROM_PEER.sdp_bytes:
        raise _RefusedError(413, f"the offer is longer than {FROM_PEER.sdp_bytes} bytes")
    return asked


def _request(asked: rtc.JoinRequest) -> JoinRequest:
    client, offer = asked.client_info, asked.publisher_offer
    return JoinRequest(
        version="v1",
        sdk=_sdk(client.sdk),
        sdk_version=_word(client.version),
        protocol=client.protocol,
        reconnect=asked.reconnect,
        participant_sid=_word(asked.participant_sid),
        publisher_offer=Description(offer.id, offer.sdp) if offer.sdp else None,
    )


def _sdk(number: int) -> str:
    known = models.ClientInfo.SDK.values()
    return models.ClientInfo.SDK.Name(number).lower() if number and number in known else ""


def _decoded(text: str) -> bytes | None:
    try:
        standard = text.rstrip("=").replace("-", "+").replace("_", "/")
        return b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except ValueError:
        return None


def _unpacked(wrapped: rtc.WrappedJoinRequest) -> bytes:
    content = wrapped.join_request
    if wrapped.compression == rtc.WrappedJoinRequest.Compression.GZIP:
        unpack = zlib.decompressobj(GZIP_WINDOW)
        try:
            content = unpack.decompress(content, MAX_UNPACKED + 1)
        except zlib.error:
            raise _RefusedError(400, "the join_request cannot be unpacked") from None
        if not unpack.eof and len(content) <= MAX_UNPACKED:
            raise _RefusedError(400, "the join_request is cut off")
    if len(content) > MAX_UNPACKED:
        raise _RefusedError(413, f"the join_request has over {MAX_UNPACKED} bytes once unpacked")
    return content


def _parsed(message: Message, data: bytes) -> bool:
    try:
        message.ParseFromString(data)
    except DecodeError:
        return False
    return True
