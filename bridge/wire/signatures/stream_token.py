"""A short-lived token of ours in the path of a stream's URL: who opens the socket was sent here by us.

It is for every carrier, and all there is where a carrier signs nothing (reliability reference T1, T4). Twilio refuses a
query in the URL, so the token stands in the path. Its form: base64url without padding of expiry (5 bytes, Unix
seconds, big-endian), call id (UTF-8) and the first 16 bytes of HMAC-SHA256 over carrier, expiry and call id.

That a token is good once only is for the one who keeps state: see ``replay``.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from dataclasses import dataclass
from typing import Final

from bridge.errors import LocalWireError
from bridge.wire.carriers.base import CarrierName

MAX_TOKEN: Final = 128
"""Characters."""
_EXPIRY_BYTES: Final = 5
_TAG_BYTES: Final = 16
MAX_CALL_ID_BYTES: Final = MAX_TOKEN * 3 // 4 - _EXPIRY_BYTES - _TAG_BYTES
MIN_KEY_BYTES: Final = 16
_ALPHABET: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says."""

    call_id: str
    expires_s: int
    """Unix seconds."""


class StreamTokens:
    """Issues and checks tokens.

    Args:
        key: at least 16 random bytes, the same for all processes that share calls.

    Raises: LocalWireError for a key that is too short.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < MIN_KEY_BYTES:
            raise LocalWireError(f"the key of stream tokens has fewer than {MIN_KEY_BYTES} bytes")
        self._key = key

    def issue(self, carrier: CarrierName, call_id: str, now_s: float, valid_s: float = 60) -> str:
        """A token for one stream of this call.

        Args:
            carrier: who will open the stream; the token is good for no other.
            call_id: ours or the carrier's, at most 75 bytes; who has the token can read it.
            now_s: Unix seconds.
            valid_s: how long.

        Raises: LocalWireError for a call id that is too long.
        """
        told = call_id.encode()
        if len(told) > MAX_CALL_ID_BYTES:
            raise LocalWireError(f"a call id in a token has at most {MAX_CALL_ID_BYTES} bytes")
        claim = int(now_s + valid_s).to_bytes(_EXPIRY_BYTES, "big") + told
        return urlsafe_b64encode(claim + self._tag(carrier, claim)).rstrip(b"=").decode()

    def check(self, token: str, carrier: CarrierName, now_s: float) -> Claim | str:
        """What the token says, or a sentence why it is not good."""
        raw = _decoded(token)
        if raw is None:
            return "the token is none of ours"
        claim, tag = raw[:-_TAG_BYTES], raw[-_TAG_BYTES:]
        if not hmac.compare_digest(self._tag(carrier, claim), tag):
            return "the token is none of ours for this carrier"
        expires_s = int.from_bytes(claim[:_EXPIRY_BYTES], "big")
        if now_s > expires_s:
            return f"the token expired {now_s - expires_s:.0f} s ago"
        return Claim(claim[_EXPIRY_BYTES:].decode(), expires_s)

    def _tag(self, carrier: CarrierName, claim: bytes) -> bytes:
        return hmac.digest(self._key, carrier.encode() + b"\0" + claim, "sha256")[:_TAG_BYTES]


def _decoded(token: str) -> bytes | None:
    """The bytes of a token of the right length and spelling; each token has one spelling only."""
    text = token.encode(errors="replace")
    if not len(text) <= MAX_TOKEN or not _ALPHABET.issuperset(text):
        return None
    try:
        raw = urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except Error:
        return None
    if len(raw) < _EXPIRY_BYTES + _TAG_BYTES or urlsafe_b64encode(raw).rstrip(b"=") != text:
        return None
    return raw
