"""Vonage Voice API WebSockets: binary L16, and JSON text for everything else.

Source: developer.vonage.com/en/voice/voice-api/concepts/websockets; the guide of 2021 in Nexmo/nexmo-developer,
_documentation/en/voice/voice-api/guides/websockets.md.

- The first text says the content type; what the NCCO gave as ``headers`` stands beside it, at the top level.
- Audio is L16, little-endian, mono, 20 ms in each binary message, both ways. Vonage plays it in time and keeps up to
  1,024 messages. The socket hears everybody in the conversation.
- A notify comes back when the audio before it has been played; a clear drops the audio and its notifies.
- Keys towards the caller, transfer and hang-up are for the REST API: a closed socket only ends this step of the NCCO.
"""

import re
from typing import Final

from bridge.errors import LocalWireError
from bridge.wire.carriers.base import (
    CarrierEvent,
    Ignored,
    MarkReached,
    MediaFormat,
    Message,
    StartInfo,
    Traits,
)
from bridge.wire.carriers.binary import BinaryWire
from bridge.wire.carriers.fields import (
    ID_CHARS,
    NUMBER_CHARS,
    FieldError,
    JsonObject,
    identifier,
    object_in,
    parameters,
    text,
    words,
)
from bridge.wire.carriers.json_media import json_text

FRAMES_PER_S: Final = 50

_CONTENT_TYPE: Final = re.compile(r"\s*audio/l16\s*;\s*rate\s*=\s*([0-9]{1,6})\s*", re.IGNORECASE)
_CALL_IDS: Final = ("uuid", "call_uuid", "callUuid", "call_id", "callId")
_CLEAR: Final = json_text({"action": "clear"})


class VonageWire(BinaryWire):
    """One WebSocket endpoint in a Vonage conversation."""

    traits = Traits(
        "vonage",
        marks="silent",
        clears=True,
        whole_frames=True,
        digits_by="rest",
        transfers=True,
    )
    sender = "Vonage"
    _frame_bytes = 0

    def audio(self, payload: bytes) -> Message:
        """The message that plays this audio. Raises: LocalWireError if it is not exactly 20 ms."""
        if len(payload) != self._frame_bytes or not payload:
            raise LocalWireError(
                f"Vonage takes {self._frame_bytes} bytes at once, not {len(payload)}"
            )
        return payload

    def mark(self, name: str) -> tuple[Message, ...]:
        """Ask to be told when all audio sent so far has been played."""
        if not self._live:
            return ()
        return (json_text({"action": "notify", "payload": {"name": name}}),)

    def clear(self) -> tuple[Message, ...]:
        """Drop what has not been played."""
        return (_CLEAR,) if self._live else ()

    def _read(self, text: str, now_s: float) -> list[CarrierEvent]:
        message = self._json(text)
        event = message.get("event")
        if event == "websocket:connected":
            return [self._connected(message)]
        if not self._live:
            return [self._guard.early("an event before websocket:connected")]
        match event:
            case "websocket:dtmf":
                return [self._guard.digit(_digit(message), now_s)]
            case "websocket:notify":
                return [MarkReached(identifier(object_in(message, "payload"), "name"))]
            case "websocket:cleared":
                return []  # our clear came first, and drops the same
            case _:
                return [Ignored("unknown", words(event))]

    def _connected(self, message: JsonObject) -> CarrierEvent:
        self._check_not_started()
        found = _CONTENT_TYPE.fullmatch(text(message.get("content-type"), 64))
        if found is None:
            raise FieldError("content-type is not audio/l16 with a rate")
        media = MediaFormat("l16le", int(found[1]))
        given = {
            key: value for key, value in message.items() if key not in ("event", "content-type")
        }
        info = StartInfo(
            call_id=next((text(given[key], ID_CHARS) for key in _CALL_IDS if key in given), ""),
            stream_id=text(given.get("conversation_uuid"), ID_CHARS),
            from_number=text(given.get("from"), NUMBER_CHARS),
            to_number=text(given.get("to"), NUMBER_CHARS),
            parameters=parameters(given),
        )
        started = self._start(info, media, media)
        self._frame_bytes = self._expected = media.rate_hz // FRAMES_PER_S * 2
        return started


def _digit(message: JsonObject) -> object:
    """The key; some accounts get it inside an object."""
    inner = message.get("dtmf")
    return inner.get("digit") if isinstance(inner, dict) else message.get("digit")
