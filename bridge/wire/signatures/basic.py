"""HTTP Basic credentials of a socket or a webhook: Exotel, jambonz, mod_audio_fork, Asterisk.

Source: RFC 7617. The carrier is given them in its own settings, or in the URL's user part, which it turns into the
header. They name no request and no time: use them beside a token in the path where there can be one.
"""

import hmac
from base64 import b64decode, b64encode
from typing import Final

from bridge.wire.signatures.request import SignedRequest

HEADER: Final = "authorization"


def sign_basic(user: str, password: str) -> dict[str, str]:
    """The header with these credentials."""
    return {HEADER: f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def check_basic(user: str, password: str, request: SignedRequest) -> str | None:
    """None if the request has these credentials, else a sentence why not."""
    scheme, _, given = request.headers.get(HEADER, "").partition(" ")
    if scheme.lower() != "basic" or not given:
        return "the request has no Basic credentials"
    try:
        raw = b64decode(given.strip(), validate=True)
    except ValueError:
        return "the request's Basic credentials are no base64"
    if not user and not password:
        return "no Basic credentials are configured"
    right = hmac.compare_digest(raw, f"{user}:{password}".encode())
    return None if right else "the request's Basic credentials are others than the configured ones"
