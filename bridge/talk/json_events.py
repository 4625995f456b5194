"""A talk as JSON, one object a line, for other programs. `config/talk.md` documents them.

Every object has `event`; events of the call have `at_s`, seconds since it was joined. Names are those of
`bridge.talk.events`. Data messages of the server are repeated as the wire spells them, but for states and transcripts,
which have events of their own, and for where its rooms are: that message has a token in it.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Final

from pydantic_core import to_jsonable_python

from bridge.talk.events import DataMessage, SessionEvent
from bridge.talk.screen.needs import Gauges
from bridge.wire.messages import RoomInfo, ServerMessage, State, Transcript, UnknownMessage

_TOLD_OTHERWISE: Final = (RoomInfo, State, Transcript)


def event_line(event: SessionEvent) -> str | None:
    """An event as one line of JSON; None for what must not be repeated, or is told by another event."""
    if isinstance(event, DataMessage):
        if isinstance(event.message, _TOLD_OTHERWISE):
            return None
        return _line({"event": event.kind, "at_s": event.at_s, "message": _message(event.message)})
    return _line({"event": event.kind, **_fields(event)})


def figures_line(gauges: Gauges, at_s: float) -> str:
    """How the audio stands, as one line of JSON; once a second."""
    return _line({"event": "figures", "at_s": at_s, **_fields(gauges)})


def refused_line(sentence: str) -> str:
    """Why a command cannot be carried out, as one line of JSON."""
    return _line({"event": "refused", "text": sentence})


def left_out_line(n_lines: int) -> str:
    """So many lines are missing here, as one line of JSON: whoever reads was too slow for them."""
    return _line({"event": "left_out", "lines": n_lines})


def _message(message: ServerMessage | UnknownMessage) -> object:
    if isinstance(message, UnknownMessage):
        return {"type": message.type, **message.fields}
    return message.model_dump(mode="json", by_alias=True, exclude_none=True)


def _line(told: Mapping[str, object]) -> str:
    """Numbers that are none become null, odd values text, and letters beyond ASCII escapes: any pipe carries it."""
    plain = to_jsonable_python(told, inf_nan_mode="null", fallback=str)
    return json.dumps(_rounded(plain), allow_nan=False)


def _rounded(value: object) -> object:
    """Floats to six digits after the point: microseconds."""
    match value:
        case float():
            return round(value, 6)
        case dict():
            return {key: _rounded(item) for key, item in value.items()}
        case list():
            return [_rounded(item) for item in value]
        case _:
            return value


def _fields(value: SessionEvent | Gauges) -> dict[str, object]:
    return {field.name: getattr(value, field.name) for field in fields(value)}
