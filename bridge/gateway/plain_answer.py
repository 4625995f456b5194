"""The few HTTP answers that the front door writes itself."""

import json
from collections.abc import Sequence
from http import HTTPStatus


def plain_answer(status: int, detail: str, headers: Sequence[str] = ()) -> bytes:
    """A whole response with the body `{"detail": …}`, after which the connection closes."""
    body = json.dumps({"detail": detail}).encode()
    lines = [
        f"HTTP/1.1 {status} {_phrase(status)}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
        "",
        "",
    ]
    return "\r\n".join(lines).encode("ascii") + body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Refused"
