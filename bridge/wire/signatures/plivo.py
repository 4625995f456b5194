"""Plivo's signature, version 3, of webhooks and, where it is switched on, of the upgrade to a media socket.

Source: plivo.com/docs/voice/concepts/signature-validation and the signature module of the vendor's Python SDK.
base64(HMAC-SHA256(auth token, base ``.`` nonce)); the base is the URL with its query decoded and sorted, and for a form
its sorted fields behind it. ``X-Plivo-Signature-V3`` is the (sub)account's and may be a list; ``…-Ma-V3`` is the main
account's. No page says which scheme an upgrade is signed with: wss and https are both taken. The nonce bears no time:
that a request comes once only is for the one who keeps state (see ``replay``).
"""

import hmac
from base64 import b64encode
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl

from bridge.wire.signatures.request import (
    MAX_BODY_BYTES,
    SignedRequest,
    diagnosis,
    signed_urls,
)

HEADER: Final = "x-plivo-signature-v3"
MAIN_HEADER: Final = "x-plivo-signature-ma-v3"
NONCE_HEADER: Final = "x-plivo-signature-v3-nonce"
MAX_SIGNATURES: Final = 10
"""That are looked at in one header."""
MAX_NONCE: Final = 256


def sign_webhook(
    auth_token: str, url: str, nonce: str, fields: Iterable[tuple[str, str]] = ()
) -> dict[str, str]:
    """The headers that Plivo sends with a webhook to this URL, with these form fields (none: a GET)."""
    path, _, query = url.partition("?")
    signature = _signature(auth_token, path + _behind(query, sorted(fields)), nonce)
    return {HEADER: signature, MAIN_HEADER: signature, NONCE_HEADER: nonce}


def sign_upgrade(auth_token: str, url: str, nonce: str) -> dict[str, str]:
    """The headers that Plivo sends when it opens a media socket at this URL."""
    return sign_webhook(auth_token, url, nonce)


def check_webhook(auth_token: str, request: SignedRequest, public_url: str) -> str | None:
    """None if Plivo signed this webhook, else a sentence why not.

    Args:
        auth_token: the account's.
        request: as it came.
        public_url: under which Plivo reaches us, without the request's own path.
    """
    if len(request.body) > MAX_BODY_BYTES:
        return f"the body is longer than {MAX_BODY_BYTES} bytes"
    if request.body and not request.is_form:
        return "the body is no form: no signature of Plivo covers it"
    fields = request.form()
    if fields is None:
        return "the body is not a form as it says"
    return _check(auth_token, request, public_url, fields, socket=False)


def check_upgrade(auth_token: str, request: SignedRequest, public_url: str) -> str | None:
    """None if Plivo signed this upgrade to a media socket, else a sentence why not."""
    return _check(auth_token, request, public_url, [], socket=True)


def _check(
    auth_token: str,
    request: SignedRequest,
    public_url: str,
    fields: list[tuple[str, str]],
    *,
    socket: bool,
) -> str | None:
    given = _given(request)
    nonce = request.headers.get(NONCE_HEADER, "")
    if not given:
        return "the request has no X-Plivo-Signature-V3"
    if not 0 < len(nonce) <= MAX_NONCE:
        return "the request has no X-Plivo-Signature-V3-Nonce, or one that is too long"
    # Once for all addresses that are tried: a long query would cost as often, and hold up whoever checks it.
    behind = _behind(request.target.partition("?")[2], sorted(fields))

    def fits(url: str) -> bool:
        right = _signature(auth_token, url.partition("?")[0] + behind, nonce).encode()
        return any(hmac.compare_digest(right, one) for one in given)

    urls = signed_urls(public_url, request.target, socket=False)
    if socket:
        urls = signed_urls(public_url, request.target, socket=True) + urls
    return None if any(map(fits, urls)) else diagnosis(request, public_url, fits, socket=socket)


def _given(request: SignedRequest) -> list[bytes]:
    """The signatures of both headers."""
    found: list[bytes] = []
    for header in (HEADER, MAIN_HEADER):
        ones = request.headers.get(header, "").split(",")[:MAX_SIGNATURES]
        found += [one.strip().encode(errors="replace") for one in ones if one.strip()]
    return found


def _signature(auth_token: str, base: str, nonce: str) -> str:
    text = f"{base}.{nonce}".encode(errors="replace")
    return b64encode(hmac.digest(auth_token.encode(), text, "sha256")).decode()


def _behind(query: str, fields: list[tuple[str, str]]) -> str:
    """What is signed behind the path, without the nonce; the fields are sorted."""
    asked = sorted(parse_qsl(query, keep_blank_values=True))
    joined = "&".join(f"{name}={value}" for name, value in asked)
    if not fields:
        return f"?{joined}" if joined else ""
    posted = "".join(name + value for name, value in fields)
    return f"?{joined}.{posted}" if joined else f"?{posted}"
