"""Protobuf messages with anything in their fields: extreme numbers, strange texts, unknown enum values."""

import random
from contextlib import suppress
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor as Field

_TEXTS: Final = ("", "v=0", "{}", "TR_1", "c1", "\x00\n\x1b[31m", "é€\U0001f600", "[" * 100)
_LONG: Final = (255, 256, 257, 2_048, 2_049, 65_536, 65_537)
_NUMBERS: Final = (0, 1, -1, 7, 2**31 - 1, -(2**31), 2**32 - 1, 2**63 - 1, -(2**63), 2**64 - 1)
_FLOATS: Final = (0.0, -1.0, 1e300, float("nan"), float("inf"))
_DEEPEST: Final = 3


def any_of(kind: Any, source: random.Random) -> Any:
    """A message of this kind with one field of its own filled, whose fields are filled in turn."""
    message = kind()
    _fill(message, source.choice(message.DESCRIPTOR.fields), source, 0)
    return message


def anything(message: Any, source: random.Random, depth: int = 0) -> Any:
    """The same message, with about a third of its fields filled."""
    for field in message.DESCRIPTOR.fields:
        if source.random() < 0.35:
            _fill(message, field, source, depth)
    return message


def _fill(message: Any, field: Any, source: random.Random, depth: int) -> None:
    place = getattr(message, field.name)
    n = source.randrange(3) if field.is_repeated else 1
    for _ in range(n):
        # A number may be too large for its field, and a map is filled by its keys.
        with suppress(ValueError, TypeError, AttributeError):
            if field.message_type is None:
                value = _value(field, source)
                place.append(value) if field.is_repeated else setattr(message, field.name, value)
            elif field.message_type.GetOptions().map_entry:
                place[_value(field.message_type.fields_by_name["key"], source)] = _value(
                    field.message_type.fields_by_name["value"], source
                )
            elif depth < _DEEPEST:
                inner = place.add() if field.is_repeated else place
                inner.SetInParent()
                anything(inner, source, depth + 1)


def _value(field: Any, source: random.Random) -> Any:
    if field.type == Field.TYPE_STRING:
        return source.choice((*_TEXTS, "x" * source.choice(_LONG)))
    if field.type == Field.TYPE_BYTES:
        return source.randbytes(source.randrange(64))
    if field.type == Field.TYPE_BOOL:
        return source.random() < 0.5
    if field.type in (Field.TYPE_DOUBLE, Field.TYPE_FLOAT):
        return source.choice(_FLOATS)
    return source.choice(_NUMBERS)
