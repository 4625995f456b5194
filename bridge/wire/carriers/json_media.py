"""Media events in JSON with the audio in base64, read and written without a detour.

msgspec decodes an event into a typed struct, base64 and numbers in strings included, in about half a microsecond; a
message of ours is a prefix, the payload and a suffix. Whatever else comes goes through `bridge.wire.strict_json`.
"""

from binascii import b2a_base64
from collections.abc import Mapping
from typing import Annotated, Protocol, TypeAlias

import msgspec

Number: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]


class MediaPart(msgspec.Struct, gc=False):
    """The part of a media event that holds the audio."""

    payload: bytes
    track: str | None = None
    chunk: Number | None = None
    timestamp: Number | None = None  # ms


class MediaEvent(msgspec.Struct, gc=False):
    """Any event, read as if it were media."""

    event: str = ""
    stream: str | None = None
    media: MediaPart | None = None


MediaDecoder: TypeAlias = msgspec.json.Decoder[MediaEvent]


def media_decoder(stream_key: str) -> MediaDecoder:
    """A decoder of events whose stream's id stands under this key.

    Raises, as it decodes: msgspec.MsgspecError, UnicodeError for half a surrogate pair, RecursionError.
    """
    stream = ("stream", str | None, msgspec.field(name=stream_key, default=None))
    event = msgspec.defstruct("NamedMediaEvent", [stream], bases=(MediaEvent,), gc=False)
    return msgspec.json.Decoder(event, strict=False)  # not strict: numbers may be strings


def json_text(value: Mapping[str, object] | str) -> str:
    """A message of ours, or a string in one, encoded."""
    return msgspec.json.encode(value).decode()


class AudioEncoder(Protocol):
    """Puts our audio into messages."""

    def encode(self, payload: bytes) -> str:
        """The message that plays this payload."""
        ...


class AudioText:
    """Encodes our audio into a message; `fields` is that message with an empty ``payload`` in it."""

    __slots__ = ("_prefix", "_suffix")

    def __init__(self, fields: Mapping[str, object]) -> None:
        # A quote inside a string is escaped: the pattern cannot stand in one.
        head, found, tail = json_text(fields).rpartition('"payload":""')
        assert found
        self._prefix = f'{head}"payload":"'
        self._suffix = f'"{tail}'

    def encode(self, payload: bytes) -> str:
        """The message that plays this payload."""
        return f"{self._prefix}{b2a_base64(payload, newline=False).decode()}{self._suffix}"
