"""Genesys AudioHook: the signature and the API key of a media socket's upgrade.

Source: builder, verifier and sample authenticator of the vendor's AudioHook reference implementation. The signature is
an HTTP message signature, its key the client secret. That a nonce comes once only is for the one who keeps state (see
``replay``).
"""

import hmac
from base64 import b64decode
from typing import Final

from bridge.wire.signatures import message_signature
from bridge.wire.signatures.message_signature import MessageSignature
from bridge.wire.signatures.request import SignedRequest, authorities, other_authorities

KEY_HEADER: Final = "x-api-key"
SESSION_HEADER: Final = "audiohook-session-id"
REQUIRED: Final = (
    "@request-target",
    "@authority",
    "audiohook-organization-id",
    SESSION_HEADER,
    "audiohook-correlation-id",
    KEY_HEADER,
)
MAX_AGE_S: Final = 10
MAX_AHEAD_S: Final = 3
"""How far the sender's clock may be ahead of ours."""
MIN_NONCE: Final = 22


def sign_upgrade(
    api_key: str,
    client_secret: str,
    request: SignedRequest,
    *,
    authority: str,
    now_s: float,
    nonce: str,
) -> dict[str, str]:
    """All headers that Genesys sends when it opens a media socket.

    Args:
        api_key: of the integration.
        client_secret: of the integration, base64; empty: not signed.
        request: its target, and its headers with the three ``audiohook-…-id``.
        authority: host of the URL, with its port if that is not the default one.
        now_s: Unix seconds.
        nonce: at least 22 characters, others each time.
    """
    headers = {**request.headers, KEY_HEADER: api_key}
    if not client_secret:
        return headers
    values = {**headers, "@request-target": request.target, "@authority": authority}
    parameters: dict[str, str | int] = {
        "keyid": api_key,
        "nonce": nonce,
        "alg": "hmac-sha256",
        "created": int(now_s),
        "expires": int(now_s) + MAX_AGE_S,
    }
    secret = b64decode(client_secret, validate=True)
    return {**headers, **message_signature.write(secret, REQUIRED, values, parameters)}


def check_upgrade(
    api_key: str, client_secret: str, request: SignedRequest, public_url: str, now_s: float
) -> str | None:
    """None if this upgrade to a media socket is Genesys's, else a sentence why not.

    Args:
        api_key: of the integration.
        client_secret: of the integration, base64; empty: the API key alone is checked.
        request: as it came.
        public_url: under which Genesys reaches us, without the request's own path.
        now_s: Unix seconds.
    """
    given = request.headers.get(KEY_HEADER, "").encode(errors="replace")
    if not api_key or not hmac.compare_digest(given, api_key.encode()):
        return "the socket brings no X-API-KEY, or another than the configured one"
    if not client_secret:
        return None
    signature = message_signature.read(request.headers)
    if signature is None:
        return "the socket has no HTTP message signature that can be read"
    wrong = _wrong_terms(signature, api_key, now_s)
    return wrong or _wrong_signature(signature, client_secret, request, public_url)


def nonce_of(request: SignedRequest) -> str:
    """What must come once only; empty if the request has none."""
    signature = message_signature.read(request.headers)
    return "" if signature is None else signature.text("nonce")


def _wrong_terms(signature: MessageSignature, api_key: str, now_s: float) -> str | None:
    """What is wrong with what the signature says of itself."""
    created, expires = signature.seconds("created"), signature.seconds("expires")
    age_s = float("inf") if created is None else now_s - created
    checks = (
        (
            not set(REQUIRED) <= set(signature.names),
            "the signature does not cover all that it must",
        ),
        (
            signature.text("alg") not in ("", "hmac-sha256"),
            "the signature is made with an algorithm that is not known here",
        ),
        (
            not hmac.compare_digest(signature.text("keyid").encode(), api_key.encode()),
            "the signature names another key than the socket brings",
        ),
        (
            len(signature.text("nonce")) < MIN_NONCE,
            f"the signature has no nonce of at least {MIN_NONCE} characters",
        ),
        (
            not -MAX_AHEAD_S <= age_s <= MAX_AGE_S or (expires is not None and now_s > expires),
            f"the signature is not of now: at most {MAX_AGE_S} s pass",
        ),
    )
    return next((sentence for is_wrong, sentence in checks if is_wrong), None)


def _wrong_signature(
    signature: MessageSignature, client_secret: str, request: SignedRequest, public_url: str
) -> str | None:
    try:
        secret = b64decode(client_secret, validate=True)
    except ValueError:
        return "the configured client secret of Genesys is no base64"

    def fits(asked: tuple[str, str]) -> bool:
        authority, target = asked
        values = {**request.headers, "@request-target": target, "@authority": authority}
        return signature.fits(secret, values)

    if any(map(fits, authorities(public_url, request.target))):
        return None
    for asked in filter(fits, other_authorities(request, public_url)):
        return f"the signature fits the host {asked[0]}: public_url is wrong"
    return "the signature does not fit: made with another secret, or for another URL"
