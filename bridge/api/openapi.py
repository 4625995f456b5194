"""The description of the API: what routes read by hand is added, what they never answer removed."""

import json
from functools import cache
from typing import Any

from fastapi import FastAPI, Response
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from bridge.api.schemas.start_call import SendCallDataMessage, StartCallRequest

_REF = "#/components/schemas/{model}"
_FRAMEWORK_ERRORS = ("HTTPValidationError", "ValidationError")


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document; made once and kept by the application."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = document["components"]["schemas"]
        _, bodies = models_json_schema(
            [(StartCallRequest, "validation"), (SendCallDataMessage, "validation")],
            ref_template=_REF,
        )
        schemas.update(bodies["$defs"])
        for operations in document["paths"].values():
            for operation in operations.values():
                _drop_framework_errors(operation["responses"])
        for name in _FRAMEWORK_ERRORS:
            schemas.pop(name, None)
        app.openapi_schema = document
    return app.openapi_schema


def add_document(app: FastAPI) -> None:
    """Serve the document, from bytes that are made once: anybody may ask for it, and a crowd does not hold calls up."""

    @cache
    def written() -> bytes:
        return json.dumps(describe(app), ensure_ascii=False, separators=(",", ":")).encode()

    async def document() -> Response:
        return Response(written(), media_type="application/json")

    app.add_api_route("/openapi.json", document, include_in_schema=False)


def _drop_framework_errors(responses: dict[str, Any]) -> None:
    """The framework answers 422 to parameters that do not fit; this server answers 400."""
    content = responses.get("422", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    if schema.get("$ref", "").endswith("/HTTPValidationError"):
        del responses["422"]
