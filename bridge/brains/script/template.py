"""Texts with `{variables}` in them; a doubled brace stands for itself."""

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from pydantic import JsonValue

Scalar: TypeAlias = str | int | float | bool

_PIECE: Final = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]{0,63})\}|[{}]")
_NOT_SPOKEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
# A tool of somebody else's fills variables: its longest answer must not become an hour of speech.
_MAX_VALUE_CHARS: Final = 1_000


def variables_in(text: str) -> list[str]:
    """The names that `text` asks for, in order.

    Raises: ValueError with a sentence if a brace stands alone.
    """
    names: list[str] = []
    for piece in _PIECE.finditer(text):
        if piece.group() in {"{", "}"}:
            raise ValueError(
                f"a {piece.group()!r} stands alone; a variable is written {{name}}, "
                f"a brace itself {piece.group() * 2}"
            )
        if piece.group(1):
            names.append(piece.group(1))
    return names


def fill(text: str, variables: Mapping[str, Scalar]) -> str:
    """`text` with its variables put in; one that was never set is left empty."""

    def piece(match: re.Match[str]) -> str:
        name = match.group(1)
        return as_text(variables.get(name, "")) if name else match.group()[0]

    return _PIECE.sub(piece, text)


def fill_value(value: JsonValue, variables: Mapping[str, Scalar]) -> JsonValue:
    """A JSON value with its texts filled; a text that is one variable alone takes its type too."""
    match value:
        case str():
            alone = _PIECE.fullmatch(value)
            if alone and alone.group(1):
                return variables.get(alone.group(1), "")
            return fill(value, variables)
        case list():
            return [fill_value(item, variables) for item in value]
        case dict():
            return {key: fill_value(item, variables) for key, item in value.items()}
        case _:
            return value


def as_text(value: object) -> str:
    """A value as it is spoken and compared: true, 2 (also for 2.0), Monday."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return _NOT_SPOKEN.sub(" ", str(value))[:_MAX_VALUE_CHARS]
