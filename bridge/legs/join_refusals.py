"""Turns what can go wrong while joining into one sentence that says what to do about it."""

import json
import re
from typing import Final
from urllib.parse import unquote, urlsplit

from picows import WSHandshakeError

from bridge.errors import JoinRefused
from bridge.legs.network_faults import network_fault

_STATUS: Final = {
    401: "refuses us: the credentials are missing or wrong",
    403: "refuses us: the credentials do not allow this call",
    404: "knows no such call",
    409: "says that somebody else has joined this call already",
    410: "says that this call is over",
    429: "is asked too often",
    503: "takes no more calls now",
}
_DETAIL_CHARACTERS: Final = 200
_SECRET_CHARACTERS: Final = 8
"""A part of a join URL that is shorter is no secret."""


def join_refused(where: str, url: str, error: Exception, timeout_s: float) -> JoinRefused:
    """The error for people: `where` is host and port, never the URL, which carries the join token."""
    if isinstance(error, WSHandshakeError):
        status = 0 if error.response is None else int(error.response.status)
        return JoinRefused(f"{where} {_handshake(error, url)}", status=status)
    return JoinRefused(f"{where} {network_fault(error, timeout_s)}")


def without_parts_of(url: str, text: str) -> str:
    """What a far end says, less what it repeats of the path and the query of the join URL."""
    try:
        parts = urlsplit(url)
    except ValueError:  # half an IPv6 address
        return text
    path = f"{parts.path}/{parts.query}/{parts.fragment}"
    words = {word for each in (path, unquote(path)) for word in re.split(r"[/?&=#;]", each)}
    for word in sorted(words, key=len, reverse=True):
        if len(word) >= _SECRET_CHARACTERS:
            text = text.replace(word, "…")
    return text


def _handshake(error: WSHandshakeError, url: str) -> str:
    response = error.response
    if response is None or response.status == 101:
        return "is no WebSocket: it answers something else"
    sentence = _STATUS.get(response.status, "opens no WebSocket")
    return f"{sentence} (HTTP {response.status:d}{_detail(error, url)})"


def _detail(error: WSHandshakeError, url: str) -> str:
    """What the server says itself, if it says so in the API's way, made safe to print."""
    try:
        body = json.loads(error.raw_body or b"")
    except (ValueError, RecursionError):
        return ""
    detail = body.get("detail") if isinstance(body, dict) else None
    if not isinstance(detail, str):
        return ""
    said = without_parts_of(url, detail)[:_DETAIL_CHARACTERS]
    printable = "".join(c if c.isprintable() else " " for c in said)
    return f": {printable.strip()}"
