"""Changes values in one table of a TOML file's text, and leaves every other letter as it is.

The text is changed by lines; afterwards it is read again, and unless exactly the wanted values changed, the change is
refused. So a form that is not understood here (dotted keys, values over several lines) costs a sentence, never a file.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from typing import Final, TypeAlias

from bridge.errors import ConfigError

Value: TypeAlias = str | int | bool | None
"""None: the key goes."""

_HEADER: Final = re.compile(r"\s*\[")
_VALUE: Final = re.compile(
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'[^']*'|[^"'#\s][^#]*?)(?P<rest>\s*(?:\#.*)?)$"""
)


def with_values(text: str, table: str, values: Mapping[str, Value]) -> str:
    """The text with these values in ``[table]``, made at the end where there is none.

    Raises: ConfigError if the text is no TOML, or its table is written in a way that cannot be changed safely.
    """
    try:
        before = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        raise ConfigError(f"not valid TOML: {exc}") from None
    changed = _changed(text, table, values)
    if not _is_as_wanted(before, changed, table, values):
        wanted = ", ".join(f"{key} = {_literal(value)}" for key, value in values.items() if value)
        raise ConfigError(f"its table {table!r} is written in an unusual way: put there {wanted}")
    return changed


def _changed(text: str, table: str, values: Mapping[str, Value]) -> str:
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(ending)
    header = re.compile(rf"\s*\[\s*{re.escape(table)}\s*\]\s*(#.*)?")
    begin = next((at for at, line in enumerate(lines) if header.fullmatch(line)), None)
    if begin is None:
        while lines and not lines[-1]:
            lines.pop()
        lines += [*([""] if lines else []), f"[{table}]", ""]
        begin = len(lines) - 2
    for key, value in values.items():
        _set(lines, begin, key, value)
    return ending.join(lines)


def _set(lines: list[str], begin: int, key: str, value: Value) -> None:
    """Change, add or take away one line of the table whose header is line ``begin``."""
    end = begin + 1
    while end < len(lines) and not _HEADER.match(lines[end]):
        end += 1
    name = re.compile(rf"(?P<name>\s*{re.escape(key)}\s*=\s*)(?P<after>.*)")
    for at in range(begin + 1, end):
        if found := name.fullmatch(lines[at]):
            parts = _VALUE.match(found["after"])
            rest = parts["rest"] if parts else ""
            lines[at : at + 1] = (
                [] if value is None else [f"{found['name']}{_literal(value)}{rest}"]
            )
            return
    if value is not None:
        while end > begin + 1 and not lines[end - 1].strip():
            end -= 1
        lines.insert(end, f"{key} = {_literal(value)}")


def _literal(value: Value) -> str:
    """A value as TOML writes it: JSON's strings are TOML's, but for one letter."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_as_wanted(
    before: dict[str, object], changed: str, table: str, values: Mapping[str, Value]
) -> bool:
    try:
        after = tomllib.loads(changed)
    except (ValueError, RecursionError):
        return False
    there = before.get(table, {})
    if not isinstance(there, dict):
        return False
    wanted = {**there, **values}
    return after == {**before, table: {k: v for k, v in wanted.items() if v is not None}}
