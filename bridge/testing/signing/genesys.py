"""AudioHook's signed upgrade: an HTTP Message Signature (reference telephony section 5.2).

HMAC-SHA256 with the client secret (base64) over the request target, the authority and the session's headers; the
parameters tell the key's id, a nonce, and a life of ten seconds at most.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit

LIFE_S = 10
_SIGNED = (
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    "audiohook-session-id",
    "audiohook-correlation-id",
    "x-api-key",
)


def sign(
    secret: str, url: str, headers: Mapping[str, str], *, nonce: str, created_s: int
) -> dict[str, str]:
    """The two headers; `headers` holds the session's, names in lower case."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    values = {"@request-target": target, "@authority": parts.netloc.lower(), **headers}
    names = " ".join(f'"{name}"' for name in _SIGNED)
    parameters = (
        f'({names});keyid="{headers["x-api-key"]}";nonce="{nonce}";alg="hmac-sha256";'
        f"created={created_s};expires={created_s + LIFE_S}"
    )
    lines = [f'"{name}": {values[name]}' for name in _SIGNED]
    lines.append(f'"@signature-params": {parameters}')
    digest = hmac.new(base64.b64decode(secret), "\n".join(lines).encode(), hashlib.sha256).digest()
    return {
        "Signature-Input": f"sig1={parameters}",
        "Signature": f"sig1=:{base64.b64encode(digest).decode()}:",
    }
