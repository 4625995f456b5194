"""JSON Web Tokens, as much as carriers need: HS256 made and read, RS256 made.

Source: RFC 7515, 7518 (sections 3.2 and 3.3), 7519. A token is read with the one algorithm that is expected: what its
own header says of it is only compared.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final, TypeAlias

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from bridge.errors import ConfigError, WireError
from bridge.wire.strict_json import JsonLimits, decode

MAX_TOKEN: Final = 8 * 1024
"""Characters."""
_LIMITS: Final = JsonLimits(max_bytes=MAX_TOKEN, max_nodes=200, max_depth=8)
Claims: TypeAlias = dict[str, object]


def encode_hs256(claims: Mapping[str, object], secret: str | bytes) -> str:
    """A token with these claims, signed by a shared secret."""
    signed = _signed("HS256", claims)
    return f"{signed}.{_text(_mac(signed, secret))}"


def encode_rs256(claims: Mapping[str, object], private_key: RSAPrivateKey) -> str:
    """A token with these claims, signed by a private key."""
    signed = _signed("RS256", claims)
    return f"{signed}.{_text(private_key.sign(signed.encode(), PKCS1v15(), SHA256()))}"


def load_rsa_key(pem: str) -> RSAPrivateKey:
    """A private key from its PEM text; the check of its numbers takes 0.1 to 0.5 s. Raises: ConfigError."""
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError):  # no PEM, or one with a password
        raise ConfigError("the private key is no PEM text of an RSA key") from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError("the private key is no RSA key")
    return key


def decode_hs256(token: str, secret: str | bytes) -> Claims | None:
    """The claims of a token that was signed by this secret, else None. When it is good is not looked at."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN or len(parts) != 3 or not secret:
        return None
    header, claims, given = map(_bytes, parts)
    if header is None or claims is None or given is None:
        return None
    if not hmac.compare_digest(_mac(f"{parts[0]}.{parts[1]}", secret), given):
        return None
    said = _object(header)
    return _object(claims) if said is not None and said.get("alg") == "HS256" else None


def _signed(algorithm: str, claims: Mapping[str, object]) -> str:
    header = {"alg": algorithm, "typ": "JWT"}
    return ".".join(
        _text(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)
    )


def _mac(signed: str, secret: str | bytes) -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.digest(key, signed.encode(), "sha256")


def _object(raw: bytes) -> Claims | None:
    try:
        value = decode(raw, _LIMITS)
    except WireError:
        return None
    return value if isinstance(value, dict) else None


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes | None:
    try:
        raw = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if _text(raw) == text else None
