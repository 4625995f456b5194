"""What a tool gave back as the text of its result: whatever it is, in bounded time and memory, or a sentence why not.

The value is the user's: it may hold what never ends (a generator in a field of a model), what is huge, what contains
itself, and code of its own that runs when it becomes JSON. So it is first counted, then unrolled one level of objects
after the other without touching what iterates, and counted again. Code of its own may hang: not for the audio's loop.
"""

import dataclasses
import json
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import (
    PydanticSerializationError,
    SchemaSerializer,
    core_schema,
    to_jsonable_python,
)

from bridge.talk.tools import ToolFailed, ToolReply
from bridge.wire.strict_json import MESSAGE

TOO_MUCH: Final = "it gave back what JSON cannot carry in a message: too many values, or a ring"
TOO_LONG: Final = f"its result has more than the {MESSAGE.max_bytes} bytes of a message"
_UNROLL: Final = SchemaSerializer(core_schema.any_schema())
_NO_JSON: Final = (PydanticSerializationError, ValueError, TypeError, RecursionError)


def is_simple(value: object) -> bool:
    """Whether nothing has to be done for a value to be a result."""
    return value is None or isinstance(value, str)


def reply_of(value: object) -> ToolReply:
    """What a tool gave back as a reply whose result is text, and whose call state is JSON. May take long.

    Raises: ToolFailed for what a message cannot carry.
    """
    reply = value if isinstance(value, ToolReply) else ToolReply(result=value)
    state: Any = reply.update_call_state
    return dataclasses.replace(
        reply,
        result=result_text(reply.result),
        update_call_state=None if state is None else _plain(state),
    )


def result_text(value: object) -> str:
    """What a tool gave back as the text of its result. Raises: ToolFailed for what JSON cannot carry."""
    if isinstance(value, str):
        text = value
    elif value is None:
        return ""
    else:
        text = _json(value)
    if len(text) > MESSAGE.max_bytes:
        raise ToolFailed(TOO_LONG)
    return text


def _json(value: object) -> str:
    plain = _plain(value)
    try:
        return json.dumps(plain, ensure_ascii=False, allow_nan=False)
    except _NO_JSON:
        raise _not_json(value) from None


def _plain(value: object) -> Any:
    _require_bounded(value)
    try:
        unrolled = _UNROLL.to_python(value, by_alias=True)
        _require_bounded(unrolled, iterators=False)
        return to_jsonable_python(unrolled, by_alias=True)
    except _NO_JSON:
        raise _not_json(value) from None


def _not_json(value: object) -> ToolFailed:
    return ToolFailed(
        f"it gave back what JSON cannot carry (a value of type {type(value).__name__})"
    )


def _require_bounded(value: object, *, iterators: bool = True) -> None:
    """Look no further than a message is long. `iterators`: there may be some, in what will not be told."""
    waiting, room = [value], MESSAGE.max_bytes - 1
    while waiting:
        each = waiting.pop()
        if isinstance(each, Iterator) and not iterators:
            raise _not_json(each)
        if isinstance(each, str | bytes | bytearray):
            room -= len(each)
        else:
            n_inside, inside = _inside(each)
            room -= n_inside
            if room >= 0:
                waiting.extend(inside)
        if room < 0:
            raise ToolFailed(TOO_MUCH)


def _inside(value: object) -> tuple[int, Iterable[object]]:
    """How many values a value holds, and which: of those that become lists and objects of JSON."""
    match value:
        case dict():
            return 2 * len(value), (*value, *value.values())
        case list() | tuple() | set() | frozenset() | deque():
            return len(value), value
        case BaseModel():
            held = {**vars(value), **(value.model_extra or {})}
            return len(held), held.values()
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = dataclasses.fields(value)
            return len(fields), [getattr(value, field.name, None) for field in fields]
        case _:
            return 0, ()
