"""telnyx-signature-ed25519 (developers.telnyx.com, webhook signing; reference telephony section 2).

Ed25519 over ``timestamp|raw body``, base64 of 64 bytes; the account's public key is base64 of 32 bytes.
"""

import base64

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNATURE = "telnyx-signature-ed25519"
TIMESTAMP = "telnyx-timestamp"


def sign(private_key: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The two headers; the key is base64 of the 32 bytes it is made of."""
    signature = _key(private_key).sign(f"{timestamp_s}|".encode() + body)
    return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: str(timestamp_s)}


def public_key(private_key: str) -> str:
    """What the application checks with, base64."""
    return base64.b64encode(_key(private_key).public_key().public_bytes_raw()).decode()


def _key(private_key: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key))
