"""Reading a script from TOML or JSON: every fault is one sentence with file, step and key."""

import json
import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bridge.brains.script.compile import compile_script
from bridge.brains.script.model import Script
from bridge.brains.script.outline import step_name
from bridge.errors import ConfigError

MAX_SCRIPT_BYTES: Final = 256 * 1024
_MAX_DEPTH: Final = 32
_MUST_BE: Final = {
    "model_type": "this must be a table",
    "dict_type": "this must be a table",
    "list_type": "this must be a list, in square brackets",
    "string_type": "this must be a text, in quotes",
    "int_type": "this must be a whole number",
    "bool_type": "this must be true or false",
}
_Place: TypeAlias = tuple[int | str, ...]
_KINDS: Final[dict[str, Literal["toml", "json"]]] = {".toml": "toml", ".json": "json"}

SUFFIXES: Final = tuple(_KINDS)


def load_script(path: Path) -> Script:
    """Read a script file; its suffix (.toml or .json) says which language it is in.

    Raises: ConfigError with one sentence that names the file, and the step and key at fault.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise ConfigError(f"{path}: a script's name ends in .toml or .json")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SCRIPT_BYTES + 1)
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read: {exc.strerror or exc}") from exc
    return parse_script(data, kind, source=path.name)


def parse_script(data: bytes, kind: Literal["toml", "json"], *, source: str) -> Script:
    """Read a script from the bytes of a file; `source` names it in errors.

    Raises: ConfigError with one sentence.
    """
    if len(data) > MAX_SCRIPT_BYTES:
        raise ConfigError(f"{source}: longer than {MAX_SCRIPT_BYTES // 1024} KiB")
    try:
        text = data.decode()
        content = tomllib.loads(text) if kind == "toml" else _json(text)
    except RecursionError:
        raise ConfigError(f"{source}: nested too deeply") from None
    except ValueError as exc:
        raise ConfigError(f"{source}: not valid {kind.upper()}: {exc}") from exc
    return script_from_data(content, source=source)


def script_from_data(data: object, *, source: str) -> Script:
    """Make a script from plain data (what a TOML or JSON reader gives).

    Raises: ConfigError with one sentence.
    """
    if not isinstance(data, dict):
        raise ConfigError(f"{source}: a script is a table with 'steps'")
    try:
        _check_plain(data)
        script = Script.model_validate(data)
        compile_script(script)
    except ValidationError as exc:
        raise ConfigError(f"{source}: {_sentence(exc.errors()[0], data)}") from None
    except ConfigError as exc:
        raise ConfigError(f"{source}: {exc}") from None
    return script


def _json(text: str) -> object:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is no JSON number")

    def table(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            if key in found:
                raise ValueError(f"the key {key[:80]!r} is there twice")
            found[key] = value
        return found

    return json.loads(text, parse_constant=refuse, object_pairs_hook=table)


def _check_plain(data: dict[str, Any]) -> None:
    """Refuse what both formats can hold and no script may: depth, dates, odd numbers and text."""
    ahead: list[tuple[object, _Place]] = [(data, ())]
    while ahead:
        value, place = ahead.pop()
        if len(place) > _MAX_DEPTH:
            raise ConfigError(_at(place[:2], data, "nested too deeply"))
        if isinstance(value, dict):
            ahead.extend((part, (*place, key)) for key, part in value.items())
            ahead.extend((key, place) for key in value)
        elif isinstance(value, list):
            ahead.extend((part, (*place, index)) for index, part in enumerate(value))
        elif fault := _fault(value):
            raise ConfigError(_at(place, data, fault))


def _fault(value: object) -> str | None:
    match value:
        case str():
            odd = next((c for c in value if _is_odd(c)), None)
            return f"the character {odd!r} cannot be spoken" if odd else None
        case float() if not math.isfinite(value):
            return f"{value} is no number that can be used"
        case int() if abs(value) >= 2**63:
            return "a number has more than 63 bits"
        case int() | float() | None:
            return None
        case _:
            return f"{value} is a date or time; write it as a text, in quotes"


def _is_odd(character: str) -> bool:
    if character < " ":
        return character not in "\t\r\n"
    return "\ud800" <= character <= "\udfff" or character == "\x7f"


def _sentence(error: ErrorDetails, data: dict[str, Any]) -> str:
    """A pydantic error as a sentence for people: where, and what is wrong there."""
    loc = tuple(part for part in error["loc"] if part != "[key]")
    if error["type"] == "missing":
        return _at(loc[:-1], data, f"{loc[-1]!r} is missing")
    text = error["msg"].removeprefix("Value error, ").replace("Input should", "the value should")
    return _at(loc, data, _MUST_BE.get(error["type"], text))


def _at(place: _Place, data: dict[str, Any], text: str) -> str:
    where = ", ".join(_places(place, data))
    return f"{where}: {text}" if where else text


def _places(loc: _Place, data: dict[str, Any]) -> Iterator[str]:
    """A path as ("step 4 ('day')", "wait.expect[2].goto"); numbers count from 1."""
    value: Any = data
    dotted = ""
    for index, part in enumerate(loc):
        value = _inside(value, part)
        if isinstance(part, str):
            word = part[:80] if part.isprintable() else repr(part[:80])
            dotted += f".{word}" if dotted else word
        elif index and loc[index - 1] == "steps":
            if dotted := dotted.removesuffix("steps").removesuffix("."):
                yield dotted
            yield step_name(part + 1, value.get("label") if isinstance(value, dict) else None)
            dotted = ""
        else:
            dotted += f"[{part + 1}]"
    if dotted:
        yield dotted


def _inside(value: Any, part: int | str) -> Any:
    try:
        return value[part]
    except (KeyError, IndexError, TypeError):
        return None  # a short form stands in the file, the table in the error
