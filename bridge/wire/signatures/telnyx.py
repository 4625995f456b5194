"""Telnyx: signed webhooks, and the token that its media socket brings along.

Source: developers.telnyx.com/docs/voice/programmable-voice/voice-api-webhooks (Ed25519 over ``timestamp|body``,
headers ``telnyx-signature-ed25519`` and ``telnyx-timestamp``, 300 s of tolerance), and ``stream_auth_token`` of the
streaming reference (header ``x-telnyx-streaming-auth-token`` of the upgrade).
"""

import hmac
import re
from base64 import b64decode, b64encode
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from bridge.wire.signatures.request import MAX_BODY_BYTES, SignedRequest

SIGNATURE_HEADER: Final = "telnyx-signature-ed25519"
TIMESTAMP_HEADER: Final = "telnyx-timestamp"
TOKEN_HEADER: Final = "x-telnyx-streaming-auth-token"  # noqa: S105 - a header's name
TOLERANCE_S: Final = 300
_SECONDS: Final = re.compile(r"[0-9]{1,12}")


def public_key(private_key: str) -> str:
    """The public key (base64) that belongs to a private one (base64 of 32 bytes)."""
    return b64encode(_private(private_key).public_key().public_bytes_raw()).decode()


def sign_webhook(private_key: str, body: bytes, now_s: float) -> dict[str, str]:
    """The headers that Telnyx sends with a webhook.

    Args:
        private_key: base64 of 32 bytes.
        body: of the webhook.
        now_s: Unix seconds.
    """
    timestamp = str(int(now_s))
    signature = _private(private_key).sign(_signed(timestamp, body))
    return {SIGNATURE_HEADER: b64encode(signature).decode(), TIMESTAMP_HEADER: timestamp}


def sign_upgrade(stream_auth_token: str) -> dict[str, str]:
    """The headers that Telnyx sends when it opens a media socket."""
    return {TOKEN_HEADER: stream_auth_token}


def check_webhook(public_key: str, request: SignedRequest, now_s: float) -> str | None:
    """None if Telnyx signed this webhook, else a sentence why not.

    Args:
        public_key: the account's, base64.
        request: as it came.
        now_s: Unix seconds.
    """
    given = _decoded(request.headers.get(SIGNATURE_HEADER, ""), 64)
    timestamp = request.headers.get(TIMESTAMP_HEADER, "")
    key = _decoded(public_key, 32)
    if given is None or not _SECONDS.fullmatch(timestamp):
        return "the request has no signature of Telnyx, or none with a time"
    if key is None:
        return "the configured public key of Telnyx is no Ed25519 key"
    if len(request.body) > MAX_BODY_BYTES:
        return f"the body is longer than {MAX_BODY_BYTES} bytes"
    if abs(now_s - int(timestamp)) > TOLERANCE_S:
        return f"the signature is {now_s - int(timestamp):.0f} s old; at most {TOLERANCE_S} s pass"
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(given, _signed(timestamp, request.body))
    except InvalidSignature:
        return "the signature does not fit: made with another key, or of another body"
    return None


def check_upgrade(stream_auth_token: str, request: SignedRequest) -> str | None:
    """None if the socket brings the token that the stream was asked for with, else a sentence why not."""
    given = request.headers.get(TOKEN_HEADER, "")
    if not given:
        return "the socket brings no streaming token of Telnyx"
    if not stream_auth_token or not hmac.compare_digest(
        given.encode(errors="replace"), stream_auth_token.encode()
    ):
        return "the socket brings another streaming token than the stream was asked for with"
    return None


def _signed(timestamp: str, body: bytes) -> bytes:
    return timestamp.encode() + b"|" + body


def _private(private_key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(b64decode(private_key, validate=True))


def _decoded(text: str, n_bytes: int) -> bytes | None:
    """The bytes that base64 text stands for, if there are as many."""
    try:
        raw = b64decode(text.strip(), validate=True)
    except ValueError:  # no base64, or not ASCII
        return None
    return raw if len(raw) == n_bytes else None
