"""Our bodies against the vendor's schema: every name there is here, and no other in requests."""

import json
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from bridge.api.schemas.call import Call, CallEvent, CallStage, ModelAlias, PaginatedCallList
from bridge.api.schemas.start_call import StartCallRequest
from bridge.api.schemas.tools import CallTool, CallToolDefinition

VENDOR = json.loads((Path(__file__).parents[3] / "data" / "vendor_fields.json").read_text())
SHOWN: dict[str, type[BaseModel]] = {
    "Call": Call,
    "CallEvent": CallEvent,
    "CallStage": CallStage,
    "CallTool": CallTool,
    "ModelAlias": ModelAlias,
}


def model_within(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for each in get_args(annotation):
        found = None if each is NoneType else model_within(each)
        if found is not None:
            return found
    return None


def names_of(model: type[BaseModel]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for field in model.model_fields.values():
        inner = model_within(field.annotation)
        tree[str(field.alias)] = None if inner is None else names_of(inner)
    return tree


def aliases(model: type[BaseModel]) -> set[str]:
    return {str(field.alias) for field in model.model_fields.values()}


def test_the_request_has_every_field_of_the_vendors_at_every_depth() -> None:
    assert names_of(StartCallRequest) == VENDOR["StartCallRequest"]


@pytest.mark.parametrize("name", SHOWN)
def test_a_shown_body_has_all_required_fields_and_no_invented_one(name: str) -> None:
    ours = aliases(SHOWN[name])

    assert set(VENDOR["required"][name]) <= ours <= set(VENDOR[name])


def test_tool_definitions_and_pages_use_the_vendors_names() -> None:
    assert aliases(CallToolDefinition) <= set(VENDOR["CallToolDefinition"])
    assert aliases(PaginatedCallList) == set(VENDOR["Page"])
