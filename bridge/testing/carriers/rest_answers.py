"""Reading requests to an emulated REST API: form fields and HTTP Basic, as all of them take them."""

import base64
import binascii
import hmac
import json
from typing import Any
from urllib.parse import parse_qsl

from fastapi import Request

MAX_BODY_BYTES = 256 * 1024


async def form_of(request: Request) -> list[tuple[str, str]]:
    """The fields of a form, in order; a name may come more than once."""
    body = await request.body()
    return parse_qsl(body[:MAX_BODY_BYTES].decode(errors="replace"), keep_blank_values=True)


def is_basic(request: Request, user: str, password: str) -> bool:
    """Whether the request carries these credentials."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return False
    try:
        given = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, f"{user}:{password}".encode())


def is_bearer(request: Request, token: str) -> bool:
    """Whether the request carries this key."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(
        value.strip().encode(), token.encode()
    )


async def json_of(request: Request) -> dict[str, Any]:
    """A JSON object; an empty one for a body that is none."""
    try:
        body = json.loads((await request.body())[:MAX_BODY_BYTES] or b"{}")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


async def fields_of(request: Request) -> dict[str, Any]:
    """The fields of a JSON body or a form, whichever it is."""
    if "json" in request.headers.get("Content-Type", ""):
        return await json_of(request)
    return dict(await form_of(request))
