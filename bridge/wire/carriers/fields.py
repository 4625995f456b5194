"""Reading a carrier's fields: lenient about how a value is written, strict about how much of it is kept.

Carriers send numbers as strings and strings as numbers, and leave fields out (reference telephony section 0.6).
What must be there and is not raises FieldError; its sentence repeats nothing of the message.
"""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

ID_CHARS: Final = 256
NUMBER_CHARS: Final = 256  # a phone number, a SIP address or a name
NAME_CHARS: Final = 128  # of a parameter
VALUE_CHARS: Final = 4_096
PARAMETERS: Final = 64
WORDS_CHARS: Final = 200  # of a complaint or a reason

_ID: Final = re.compile(rf"[\x21-\x7e]{{1,{ID_CHARS}}}")
_WHOLE: Final = re.compile(r"[0-9]{1,15}")

JsonObject = dict[str, object]


class FieldError(ValueError):
    """A field is missing or is not what is documented."""


def object_in(fields: Mapping[str, object], key: str) -> JsonObject:
    """The object under a key. Raises: FieldError if there is none."""
    value = fields.get(key)
    if not isinstance(value, dict):
        raise FieldError(f"{key} is not an object")
    return value


def identifier(fields: Mapping[str, object], key: str) -> str:
    """An id: printable ASCII without blanks. Raises: FieldError if it is missing or anything else."""
    found = optional_id(fields, key)
    if not found:
        raise FieldError(f"{key} is missing")
    return found


def optional_id(fields: Mapping[str, object], key: str) -> str:
    """An id, or "" where there is none. Raises: FieldError if it is not printable ASCII without blanks."""
    found = text(fields.get(key), ID_CHARS + 1)
    if found and not _ID.fullmatch(found):
        raise FieldError(f"{key} is not an id of at most {ID_CHARS} plain characters")
    return found


def text(value: object, max_chars: int) -> str:
    """Text, cut to a length; a number as it is written; "" for anything else."""
    if isinstance(value, str):
        return value[:max_chars]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)[:max_chars]
    return ""


def whole(value: object) -> int | None:
    """A whole number from 0 on, also as a string; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int) and 0 <= value < 10**15:
        return value
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else None


def words(value: object) -> str:
    """A carrier's words for people: one line of printable characters, cut to a length."""
    kept = text(value, WORDS_CHARS)
    return kept if kept.isprintable() else "".join(c if c.isprintable() else " " for c in kept)


def parameters(value: object) -> dict[str, str]:
    """Custom parameters: text by name; what is neither text nor number is kept as JSON."""
    if not isinstance(value, dict):
        return {}
    return {name[:NAME_CHARS]: _parameter(value[name]) for name in list(value)[:PARAMETERS]}


def _parameter(value: object) -> str:
    if isinstance(value, str):
        return value[:VALUE_CHARS]
    return msgspec.json.encode(value).decode()[:VALUE_CHARS]


def rest(fields: Mapping[str, object], known: frozenset[str]) -> JsonObject:
    """What else was said; its size is bounded by that of a message."""
    return {key: value for key, value in fields.items() if key not in known}
