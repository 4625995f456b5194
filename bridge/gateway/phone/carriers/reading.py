"""Reading the fields of webhooks: forms, queries and JSON, leniently, each value bounded."""

from collections.abc import Mapping
from typing import Final

from bridge.errors import RemoteWireError
from bridge.wire.signatures.request import SignedRequest
from bridge.wire.strict_json import decode

TEXT_CHARS: Final = 256
"""Of a number, an id or a name that a webhook tells."""


class WebhookUnclear(ValueError):  # noqa: N818 - reads as what it is
    """A webhook lacks what it must say; the sentence repeats nothing of it."""


def fields_of(request: SignedRequest) -> dict[str, str]:
    """The fields of a webhook's form, or of a GET's query; of a field that comes twice the first."""
    if request.method.upper() == "GET":
        query = request.target.partition("?")[2]
        request = SignedRequest("GET", "", {}, query.encode())
    given = request.form()
    if given is None:
        raise WebhookUnclear("its form cannot be read")
    found: dict[str, str] = {}
    for name, value in given:
        found.setdefault(name, value)
    return found


def events_of(request: SignedRequest) -> Mapping[str, object]:
    """The fields of a webhook that may be JSON, a form or a query."""
    if "json" not in request.headers.get("content-type", "").lower() or not request.body:
        return fields_of(request)
    try:
        found = decode(request.body)
    except RemoteWireError as exc:
        raise WebhookUnclear(f"its JSON cannot be read: {exc}") from None
    if not isinstance(found, dict):
        raise WebhookUnclear("its JSON is no object")
    return found


def needed(fields: Mapping[str, object], name: str) -> str:
    """A field that must be there. Raises: WebhookUnclear."""
    if not (value := said(fields, name)):
        raise WebhookUnclear(f"it has no {name}")
    return value


def said(fields: Mapping[str, object], *names: str) -> str:
    """The first of these fields that says something, bounded; empty if none does."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()[:TEXT_CHARS]
    return ""
