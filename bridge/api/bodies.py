"""Request bodies: read up to a cap that counts the bytes received, decoded by the strict decoder."""

from collections.abc import Sequence
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from bridge.api.problems import refused
from bridge.api.refusal import detail
from bridge.errors import RemoteWireError
from bridge.wire.strict_json import BODY, JsonLimits, decode

ModelT = TypeVar("ModelT", bound=BaseModel)


async def read_json(request: Request, limits: JsonLimits = BODY) -> object:
    """The JSON of the body; an empty body is an empty object.

    Raises: Refused with 415 for another type than JSON, 413 for a body that is too long, 400 for
    one that is no JSON.
    """
    _require_json(request.headers.getlist("content-type"))
    body = await _read(request, limits.max_bytes)
    if not body:
        return {}
    try:
        return decode(body, limits)
    except RemoteWireError as exc:
        raise detail(400, str(exc)) from exc


def fit(model: type[ModelT], value: object) -> ModelT:
    """The value as a model. Raises: Refused with 400, field by field."""
    try:
        return model.model_validate(value)
    except ValidationError as exc:
        raise refused(exc) from exc


def _require_json(content_types: Sequence[str]) -> None:
    for content_type in content_types:
        kind, _, parameters = content_type.partition(";")
        charset = parameters.replace('"', "").replace(" ", "").lower()
        if kind.strip().lower() != "application/json" or charset not in {"", "charset=utf-8"}:
            raise detail(415, "Send the body as application/json in UTF-8")


async def _read(request: Request, max_bytes: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            # What is still on its way is not read: the connection cannot be used again.
            text = f"The body is longer than {max_bytes} bytes"
            raise detail(413, text, {"Connection": "close"})
    return bytes(body)
