"""Twilio's request signature: ``X-Twilio-Signature`` of webhooks and of the upgrade to a media socket.

Source: twilio.com/docs/usage/webhooks/webhooks-security. base64(HMAC(auth token, URL, then each form field sorted by
name, name and value together)). The hash is SHA-1, or SHA-256 where ``X-Twilio-Webhooks-Signature-Settings`` names it.
A body that is no form is signed by its hash in the query (``bodySHA256``). An upgrade is signed over its URL alone,
with the scheme wss.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qs

from bridge.wire.signatures.request import (
    MAX_BODY_BYTES,
    SignedRequest,
    diagnosis,
    signed_urls,
)

HEADER: Final = "x-twilio-signature"
SETTINGS_HEADER: Final = "x-twilio-webhooks-signature-settings"
SHA1: Final = "HMAC_SHA1"
_HASHES: Final = {SHA1: "sha1", "HMAC_SHA256": "sha256"}
_BODY_HASH: Final = "bodySHA256"


def sign_webhook(
    auth_token: str, url: str, fields: Iterable[tuple[str, str]] = (), algorithm: str = SHA1
) -> dict[str, str]:
    """The headers that Twilio sends with a webhook to this URL, with these form fields."""
    headers = {HEADER: _signature(auth_token, url, _joined(fields), algorithm)}
    if algorithm != SHA1:
        headers[SETTINGS_HEADER] = f"algorithm={algorithm}"
    return headers


def sign_upgrade(auth_token: str, url: str) -> dict[str, str]:
    """The headers that Twilio sends when it opens a media socket at this ``wss://`` URL."""
    return sign_webhook(auth_token, url)


def with_body_hash(url: str, body: bytes) -> str:
    """The URL as Twilio asks it with a body that is no form; it is this one that is signed."""
    return f"{url}{'&' if '?' in url else '?'}{_BODY_HASH}={hashlib.sha256(body).hexdigest()}"


def check_webhook(auth_token: str, request: SignedRequest, public_url: str) -> str | None:
    """None if Twilio signed this webhook, else a sentence why not.

    Args:
        auth_token: the account's primary one.
        request: as it came.
        public_url: under which Twilio reaches us, without the request's own path.
    """
    if len(request.body) > MAX_BODY_BYTES:
        return f"the body is longer than {MAX_BODY_BYTES} bytes"
    fields = request.form() if request.is_form else []
    if fields is None:
        return "the body is not a form as it says"
    if request.body and not request.is_form and (wrong := _wrong_body(request)):
        return wrong
    return _check(auth_token, request, public_url, _joined(fields), socket=False)


def check_upgrade(auth_token: str, request: SignedRequest, public_url: str) -> str | None:
    """None if Twilio signed this upgrade to a media socket, else a sentence why not."""
    return _check(auth_token, request, public_url, "", socket=True)


def _check(
    auth_token: str, request: SignedRequest, public_url: str, fields: str, *, socket: bool
) -> str | None:
    given = request.headers.get(HEADER)
    if not given:
        return "the request has no X-Twilio-Signature"
    algorithm = _algorithm(request.headers.get(SETTINGS_HEADER, ""))
    if algorithm not in _HASHES:
        return "the request is signed with an algorithm that is not known here"
    raw = given.encode(errors="replace")

    def fits(url: str) -> bool:
        return hmac.compare_digest(_signature(auth_token, url, fields, algorithm).encode(), raw)

    if any(map(fits, signed_urls(public_url, request.target, socket=socket))):
        return None
    return diagnosis(request, public_url, fits, socket=socket)


def _signature(auth_token: str, url: str, fields: str, algorithm: str) -> str:
    text = (url + fields).encode(errors="replace")
    return b64encode(hmac.digest(auth_token.encode(), text, _HASHES[algorithm])).decode()


def _joined(fields: Iterable[tuple[str, str]]) -> str:
    """A field that comes twice with the same value counts once."""
    return "".join(name + value for name, value in sorted(set(fields)))


def _wrong_body(request: SignedRequest) -> str | None:
    query = request.target.partition("?")[2]
    told = parse_qs(query).get(_BODY_HASH, [""])[0]
    if not told:
        return f"the body is no form, and the URL has no {_BODY_HASH}"
    is_right = hmac.compare_digest(
        hashlib.sha256(request.body).hexdigest().encode(), told.lower().encode(errors="replace")
    )
    return None if is_right else f"the body is not the one that {_BODY_HASH} tells of"


def _algorithm(settings: str) -> str:
    """What ``key=…,algorithm=…`` names; SHA-1 where it names none."""
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return SHA1
