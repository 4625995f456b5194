"""The small values of a script: texts, phrases, names; each checked with a sentence of its own."""

import re
from typing import Annotated, Final, TypeAlias

from pydantic import AfterValidator, BeforeValidator

from bridge.brains.script.phrases import normalised
from bridge.brains.script.template import Scalar

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_LABEL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TOOL: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
MAX_TEXT_CHARS: Final = 5_000
_MAX_PHRASE_CHARS: Final = 200


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    if not text:
        raise ValueError("the text is empty")
    if len(text) > MAX_TEXT_CHARS:
        raise ValueError(f"the text is longer than {MAX_TEXT_CHARS:,} characters")
    return text


def _phrase(text: str) -> str:
    if len(text) > _MAX_PHRASE_CHARS:
        raise ValueError(f"the phrase is longer than {_MAX_PHRASE_CHARS} characters")
    if not (words := normalised(text)):
        raise ValueError(f"the phrase {text!r} has no words")
    return words


def _variable(name: str) -> str:
    if not _VARIABLE.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is no name for a variable: letters, digits and _ only")
    return name


def _label(name: str) -> str:
    if not _LABEL.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is no label: letters, digits, - and _ only, at most 64")
    return name


def _tool_name(name: str) -> str:
    if not _TOOL.fullmatch(name):
        raise ValueError(f"{name[:80]!r} is no tool name: letters, digits, - and _ only")
    return name


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float | bool):
        raise ValueError("the value must be a text, a number, true or false")  # noqa: TRY004 - pydantic reads ValueError
    return value


Text: TypeAlias = Annotated[str, AfterValidator(_one_line)]
Phrase: TypeAlias = Annotated[str, AfterValidator(_phrase)]
Variable: TypeAlias = Annotated[str, AfterValidator(_variable)]
Label: TypeAlias = Annotated[str, AfterValidator(_label)]
ToolName: TypeAlias = Annotated[str, AfterValidator(_tool_name)]
Value: TypeAlias = Annotated[Scalar, BeforeValidator(_scalar)]
Values: TypeAlias = dict[Variable, Value]
