"""What a function's signature says of a tool: a model that checks its arguments, and the JSON Schema of each."""

import inspect
import typing
from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model
from pydantic.errors import PydanticSchemaGenerationError, PydanticUserError

from bridge.client import JsonDict
from bridge.errors import UsageError

PLAIN: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
"""Parameters that can be given by name."""


def hints_of(function: Callable[..., Any], name: str) -> dict[str, Any]:
    """The annotations of a function, or of what an object does when it is called. Raises: UsageError."""
    target = function if inspect.isroutine(function) else type(function).__call__
    try:
        return typing.get_type_hints(target, include_extras=True)
    except Exception as exc:  # noqa: BLE001 - annotations are code: they may raise anything
        raise UsageError(f"an annotation of {name} cannot be read: {exc}") from None


def arguments_of(
    function: Callable[..., Any], name: str, words: Mapping[str, str]
) -> type[BaseModel]:
    """A model with one field for each parameter, whatever the parameter is called."""
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        raise UsageError(f"{name} is no function whose parameters can be read") from None
    hints = hints_of(function, name)
    fields: dict[str, Any] = {}
    for number, parameter in enumerate(signature.parameters.values()):
        if parameter.kind not in PLAIN:
            raise UsageError(f"{name} cannot take {parameter}: an agent gives arguments by name")
        if parameter.name not in hints:
            raise UsageError(f"the parameter {parameter.name} of {name} has no type")
        default = ... if parameter.default is parameter.empty else parameter.default
        told = Field(
            default,
            alias=parameter.name,
            **_words(hints[parameter.name], words.get(parameter.name)),
        )
        fields[f"p{number}"] = (hints[parameter.name], told)
    try:
        return create_model(name, __config__=_CONFIG, **fields)
    except (PydanticSchemaGenerationError, PydanticUserError, TypeError) as exc:
        why = str(exc).partition("\n")[0]
        raise UsageError(f"a parameter of {name} has a type without JSON: {why}") from None


def _words(hint: Any, text: str | None) -> dict[str, Any]:
    """The docstring's description of a parameter, unless its annotation has one."""
    told = any(getattr(each, "description", None) for each in getattr(hint, "__metadata__", ()))
    return {} if told or text is None else {"description": text}


_CONFIG: Final = ConfigDict(extra="ignore", arbitrary_types_allowed=False)


def schemas_of(
    arguments: type[BaseModel], name: str
) -> tuple[Mapping[str, JsonDict], frozenset[str]]:
    """The schema of each parameter, standing by itself, and which are required."""
    try:
        whole = arguments.model_json_schema(by_alias=True)
    except (PydanticUserError, ValueError) as exc:
        why = str(exc).partition("\n")[0]
        raise UsageError(f"a parameter of {name} has a type without JSON: {why}") from None
    definitions = whole.get("$defs", {})
    schemas = {
        key: _inlined(schema, definitions, name, ())
        for key, schema in whole.get("properties", {}).items()
    }
    for schema in schemas.values():
        schema.pop("title", None)
    return schemas, frozenset(whole.get("required", ()))


def _inlined(value: Any, definitions: Mapping[str, Any], name: str, inside: tuple[str, ...]) -> Any:
    """A schema without references: it is sent alone."""
    if isinstance(value, list):
        return [_inlined(each, definitions, name, inside) for each in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        target = str(value["$ref"]).rpartition("/")[2]
        if target in inside:
            raise UsageError(f"a parameter of {name} has a type that contains itself: {target}")
        beside = {key: each for key, each in value.items() if key != "$ref"}
        return _inlined(definitions[target], definitions, name, (*inside, target)) | beside
    return {key: _inlined(each, definitions, name, inside) for key, each in value.items()}
