"""Text to data messages and back.

Reading is lenient where peers are known to differ, and every complaint is one sentence that names
the field and what was expected of it, never the value.
"""

from collections.abc import Mapping
from typing import Final, cast, get_args

import msgspec
from pydantic import ValidationError

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.messages.base import DataMessage, JsonObject, UnknownMessage, complaint
from bridge.wire.messages.client import ClientMessage
from bridge.wire.messages.server import ServerMessage
from bridge.wire.strict_json import MESSAGE, decode

_LONGEST_TYPE: Final = 100  # characters; a type ends up in counters and logs

CLIENT_TYPES: Final[Mapping[str, type[ClientMessage]]] = {
    model.model_fields["type"].default: model for model in get_args(ClientMessage)
}
SERVER_TYPES: Final[Mapping[str, type[ServerMessage]]] = {
    model.model_fields["type"].default: model for model in get_args(ServerMessage)
}


def parse_client_message(text: str | bytes) -> ClientMessage | UnknownMessage:
    """Read one message of a client. Raises: RemoteWireError."""
    return client_message(decode(text, MESSAGE))


def parse_server_message(text: str | bytes) -> ServerMessage | UnknownMessage:
    """Read one message of a call server. Raises: RemoteWireError."""
    return server_message(decode(text, MESSAGE))


def client_message(value: object) -> ClientMessage | UnknownMessage:
    """The same for what is decoded already: a REST body, a part of a tool result."""
    fields, kind = _open(value)
    message = _validate(CLIENT_TYPES.get(kind), kind, fields)
    return cast("ClientMessage | UnknownMessage", message)


def server_message(value: object) -> ServerMessage | UnknownMessage:
    """The same for what is decoded already."""
    fields, kind = _open(value)
    if kind == "transcript":
        fields = _complete_transcript(fields)
    message = _validate(SERVER_TYPES.get(kind), kind, fields)
    return cast("ServerMessage | UnknownMessage", message)


def encode(message: ClientMessage | ServerMessage | UnknownMessage) -> str:
    """Write one message: compact JSON, camelCase keys, what is None left out.

    Raises: LocalWireError if the message holds what JSON cannot say.
    """
    try:
        if isinstance(message, UnknownMessage):
            return msgspec.json.encode({"type": message.type, **message.fields}).decode()
        return message.model_dump_json(by_alias=True, exclude_none=True)
    except (ValueError, TypeError, RecursionError) as exc:
        raise LocalWireError(f"a {message.type} message holds what JSON cannot say") from exc


def _open(value: object) -> tuple[JsonObject, str]:
    if not isinstance(value, dict):
        raise RemoteWireError("a data message must be a JSON object")
    kind = value.get("type")
    if not isinstance(kind, str):
        raise RemoteWireError("a data message must have a type, a string")
    if len(kind) > _LONGEST_TYPE:
        raise RemoteWireError(f"the type of a data message has over {_LONGEST_TYPE} characters")
    return value, kind


def _validate(
    model: type[DataMessage] | None, kind: str, fields: JsonObject
) -> DataMessage | UnknownMessage:
    if model is None:
        rest = {key: value for key, value in fields.items() if key != "type"}
        return UnknownMessage(kind, rest)
    try:
        return model.model_validate(fields)
    except ValidationError as exc:
        raise RemoteWireError(f"{kind}: {complaint(exc)}") from None


def _complete_transcript(fields: JsonObject) -> JsonObject:
    """Fill in what servers leave out: false and 0, and the text of a message without any.

    Blank transcripts have been seen before tool calls; an empty text beside a delta means nothing.
    """
    fields = {key: value for key, value in fields.items() if value is not None}
    if fields.get("text") == "" and "delta" in fields:
        del fields["text"]
    elif fields.get("delta") == "" and "text" in fields:
        del fields["delta"]
    elif "text" not in fields and "delta" not in fields:
        fields["delta"] = ""
    return {"final": False, "ordinal": 0, **fields}
