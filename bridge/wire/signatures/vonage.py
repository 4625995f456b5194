"""Vonage's signed webhooks: a JWT in ``Authorization: Bearer``.

Source: developer.vonage.com/en/getting-started/concepts/webhooks, "decoding signed webhooks", and the vendor's support
article on payload hashes. HS256 with the account's signature secret; ``iat`` tells when, ``payload_hash`` is the
SHA-256 of the body, or of the query's fields as one compact JSON object in their order. A GET may come without a hash.
An upgrade is not signed unless the endpoint asks for it: use a token in the path.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from bridge.wire.signatures.jwt import decode_hs256, encode_hs256
from bridge.wire.signatures.request import MAX_BODY_BYTES, MAX_FIELDS, SignedRequest

HEADER: Final = "authorization"
TOLERANCE_S: Final = 300
ISSUER: Final = "Vonage"
_NONE: Final[Mapping[str, object]] = {}


def sign_webhook(
    signature_secret: str,
    request: SignedRequest,
    now_s: float,
    claims: Mapping[str, object] = _NONE,
) -> dict[str, str]:
    """The headers that Vonage sends with this webhook.

    Args:
        signature_secret: of the account.
        request: method, target and body; its own headers do not matter.
        now_s: Unix seconds.
        claims: further ones: api_key, application_id, jti.
    """
    told = {
        "iat": int(now_s),
        "iss": ISSUER,
        "payload_hash": hashlib.sha256(_payload(request) or b"").hexdigest(),
        **claims,
    }
    return {HEADER: f"Bearer {encode_hs256(told, signature_secret)}"}


def check_webhook(signature_secret: str, request: SignedRequest, now_s: float) -> str | None:
    """None if Vonage signed this webhook, else a sentence why not.

    Args:
        signature_secret: of the account.
        request: as it came.
        now_s: Unix seconds.
    """
    if len(request.body) > MAX_BODY_BYTES:
        return f"the body is longer than {MAX_BODY_BYTES} bytes"
    scheme, _, token = request.headers.get(HEADER, "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return "the request has no token of Vonage"
    claims = decode_hs256(token.strip(), signature_secret)
    if claims is None:
        return "the token does not fit: made with another secret, or no token of Vonage"
    return _wrong_time(claims, now_s) or _wrong_payload(claims, request)


def _wrong_time(claims: Mapping[str, object], now_s: float) -> str | None:
    issued_s, expires_s = _seconds(claims.get("iat")), _seconds(claims.get("exp", now_s))
    if issued_s is None or expires_s is None:
        return "the token does not tell when it was issued"
    if abs(now_s - issued_s) > TOLERANCE_S or now_s > expires_s:
        return f"the token was not issued within {TOLERANCE_S} s of now, or has expired"
    return None


def _wrong_payload(claims: Mapping[str, object], request: SignedRequest) -> str | None:
    told = claims.get("payload_hash")
    if told is None and not request.body:
        return None
    if not isinstance(told, str):
        return "the token tells of no body"
    payload = _payload(request)
    if payload is None:
        return "the query has too many fields"
    right = hashlib.sha256(payload).hexdigest()
    is_right = hmac.compare_digest(right.encode(), told.lower().encode(errors="replace"))
    return None if is_right else "the body or the query is not the one that the token tells of"


def _payload(request: SignedRequest) -> bytes | None:
    """What the hash is of; None where there are too many fields to tell."""
    if request.method != "GET":
        return request.body
    query = request.target.partition("?")[2]
    try:
        fields = dict(parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        return None
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    return text.encode(errors="replace")


def _seconds(value: object) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
