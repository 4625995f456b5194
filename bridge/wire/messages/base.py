"""What all data messages share: casing, leniency, and sentences for what is wrong.

One JSON object per message, `type` in snake_case, every other key in camelCase. snake_case keys are
read too (older documentation and some integrations use them); only camelCase is written. Null is
the same as absent, as the vendor sends both. Unknown keys pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

Medium: TypeAlias = Literal["voice", "text"]
AgentReaction: TypeAlias = Literal["speaks", "listens", "speaks-once"]
ResponseType: TypeAlias = Literal["tool-response", "hang-up", "new-stage", "send-to-thread"]
JsonObject: TypeAlias = dict[str, object]
# Opaque ids of the peer are kept for the length of a call, so they have a bound.
Identifier: TypeAlias = Annotated[str, Field(max_length=256)]
MAIN_THREAD: Final = "UI"


class WireModel(BaseModel):
    """A frozen part of a message. Types are exact: the number 1 is no `true`, "1" is no number."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        strict=True,
        allow_inf_nan=False,
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, fields: Any) -> Any:
        if isinstance(fields, dict) and None in fields.values():
            return {key: value for key, value in fields.items() if value is not None}
        return fields


class DataMessage(WireModel):
    """One data message."""

    type: str


@dataclass(frozen=True, slots=True)
class UnknownMessage:
    """A message of a type that this protocol does not have: passed on as it came."""

    type: str
    fields: JsonObject  # all keys but `type`


_EXPECTATIONS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "string_type": "must be a string",
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "tuple_type": "must be a list",
    "literal_error": "must be {expected}",
    "union_tag_invalid": "must have one of the types {expected_tags}",
    "union_tag_not_found": "must have a type",
    "string_too_long": "must have at most {max_length} characters",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "value_error": "{error}",
}


def complaint(exc: ValidationError) -> str:
    """Field and expectation of the first problem, in one sentence; the value is not repeated."""
    problem = exc.errors(include_url=False, include_input=False)[0]
    expectation = _EXPECTATIONS.get(problem["type"], "has a form that cannot be used")
    context = problem.get("ctx", {})
    return f"{_path(problem['loc'])} {expectation.format_map(context)}".strip()


def _path(location: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")
