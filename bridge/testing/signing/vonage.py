"""Vonage's signed webhooks and application tokens (developer.vonage.com, signed webhooks; reference telephony 5.1).

A webhook carries ``Authorization: Bearer`` and a JWT: HS256 with the account's signature secret, and for a body its
SHA-256 as ``payload_hash``. Requests to the API carry a JWT of the application: RS256 with its private key.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa


def sign(secret: str, claims: Mapping[str, object], body: bytes) -> str:
    """The value of the Authorization header of a webhook."""
    payload = dict(claims)
    if body:
        payload["payload_hash"] = hashlib.sha256(body).hexdigest()
    text = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(payload)}"
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()
    return f"Bearer {text}.{_encoded(signature)}"


def claims_of(token: str, public_key: str) -> dict[str, Any] | None:
    """The claims of an application's token; None if it is none, or not signed with the key's other half.

    Without a key (empty) the signature is taken on trust.
    """
    parts = token.split(".")
    try:
        header, payload = (json.loads(_decoded(part)) for part in parts[:2])
        signature = _decoded(parts[2])
    except (ValueError, IndexError, binascii.Error):
        return None
    if len(parts) != 3 or not isinstance(payload, dict) or header.get("alg") != "RS256":
        return None
    if public_key and not _is_signed(f"{parts[0]}.{parts[1]}".encode(), signature, public_key):
        return None
    return payload


def _is_signed(text: bytes, signature: bytes, public_key: str) -> bool:
    key = serialization.load_pem_public_key(public_key.encode())
    if not isinstance(key, rsa.RSAPublicKey):
        return False
    try:
        key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _part(value: Mapping[str, object]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
