"""Asterisk's WebSocket channel driver (chan_websocket): binary media, and control as plain text or JSON.

Source: asterisk/documentation, Configuration/Channel-Drivers/WebSocket.md, and channels/chan_websocket.c of
asterisk/asterisk (releases from 20.16, 21.11, 22.6 and 23.0 on; JSON from 20.18, 22.8 and 23.2).

- Asterisk says MEDIA_START in plain text or in JSON, as its own configuration has it; we answer in kind.
- It queues what it gets and plays it in time. Bytes that do not fill a frame are dropped, a message over 65,500 bytes
  hangs up, a command over 128 bytes is ignored.
- A mark is queued between frames; FLUSH_MEDIA drops the queue with its marks, without a word.
- Opus passes through (a frame size of 0): no marks, no flush, one packet in each message.
- Either side's close of the socket hangs the channel up.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from bridge.errors import LocalWireError
from bridge.wire.carriers.base import (
    CarrierEvent,
    CarrierWarning,
    Encoding,
    Flow,
    Ignored,
    MarkReached,
    MediaFormat,
    Message,
    Started,
    StartInfo,
    Traits,
)
from bridge.wire.carriers.binary import LONGEST_MESSAGE, BinaryWire
from bridge.wire.carriers.fields import (
    NUMBER_CHARS,
    FieldError,
    JsonObject,
    identifier,
    optional_id,
    parameters,
    rest,
    text,
    whole,
    words,
)
from bridge.wire.carriers.json_media import json_text

LONGEST_COMMAND: Final = 128
PLAIN_CHARS: Final = 4_096  # of an event in plain text

_FORMATS: Final[dict[str, tuple[Encoding, int]]] = {
    "ulaw": ("ulaw", 8_000),
    "alaw": ("alaw", 8_000),
    "g722": ("g722", 16_000),
    "opus": ("opus", 48_000),
    "slin": ("l16le", 8_000),
    "slin12": ("l16le", 12_000),
    "slin16": ("l16le", 16_000),
    "slin24": ("l16le", 24_000),
    "slin32": ("l16le", 32_000),
    "slin44": ("l16le", 44_100),
    "slin48": ("l16le", 48_000),
}
# Channel variables that a dialplan may set; Asterisk itself does not say who calls.
_FROM_NUMBERS: Final = ("CALLERID(num)", "CALLERIDNUM", "CALLER_NUMBER")
_TO_NUMBERS: Final = ("CALLERID(dnid)", "DNID", "EXTEN")
_START_FIELDS: Final = frozenset(
    ("event", "connection_id", "channel_id", "format", "optimal_frame_size", "channel_variables")
)


class AsteriskWire(BinaryWire):
    """One media socket of Asterisk's channel driver."""

    traits = Traits("asterisk", marks="silent", clears=True, whole_frames=True, ends_by="message")
    sender = "Asterisk"
    close_means = "caller_hung_up"
    _in_json = False
    _frame_bytes = 1

    def audio(self, payload: bytes) -> Message:
        """The message that plays this audio. Raises: LocalWireError if it is not whole frames."""
        n_bytes = len(payload)
        self._check_ours(n_bytes, LONGEST_MESSAGE)
        if n_bytes % self._frame_bytes:
            raise LocalWireError(f"Asterisk drops what does not fill {self._frame_bytes} bytes")
        return payload

    def mark(self, name: str) -> tuple[Message, ...]:
        """Ask to be told when all audio sent so far has been played."""
        return self._command("MARK_MEDIA", name) if self.traits.marks != "none" else ()

    def clear(self) -> tuple[Message, ...]:
        """Drop what has not been played."""
        return self._command("FLUSH_MEDIA") if self.traits.clears else ()

    def hang_up(self) -> tuple[Message, ...]:
        """Hang the channel up."""
        return self._command("HANGUP")

    def _command(self, command: str, correlation_id: str = "") -> tuple[Message, ...]:
        if not self._live:
            return ()
        if self._in_json:
            fields = {"command": command}
            message = json_text(
                {**fields, "correlation_id": correlation_id} if correlation_id else fields
            )
        else:
            message = f"{command} {correlation_id}".rstrip()
        if len(message.encode()) > LONGEST_COMMAND:
            raise LocalWireError(f"a command for Asterisk has more than {LONGEST_COMMAND} bytes")
        return (message,)

    def _read(self, text: str, now_s: float) -> list[CarrierEvent]:
        in_json = text.lstrip().startswith("{")
        message = self._json(text) if in_json else _plain(text)
        if self._guard.state == "waiting":
            self._in_json = in_json
        return self._take(message, now_s)

    def _take(self, message: JsonObject, now_s: float) -> list[CarrierEvent]:
        if message.get("event") == "MEDIA_START":
            return [self._started(message)]
        if not self._live:
            return [self._guard.early("an event before MEDIA_START")]
        return [self._event(message, now_s)]

    def _event(self, message: JsonObject, now_s: float) -> CarrierEvent:
        match message.get("event"):
            case "DTMF_END":
                return self._guard.digit(message.get("digit"), now_s)
            case "MEDIA_MARK_PROCESSED":
                return MarkReached(identifier(message, "correlation_id"))
            case "MEDIA_XOFF" | "MEDIA_XON" as event:
                return Flow(open=event == "MEDIA_XON")
            case "ERROR":
                return CarrierWarning(words(message.get("error_text")))
            case event:
                return Ignored("unknown", words(event))

    def _started(self, message: JsonObject) -> Started:
        self._check_not_started()
        name = text(message.get("format"), 32)
        if name not in _FORMATS:
            known = ", ".join(_FORMATS)
            raise self._guard.refuse(f"Asterisk's channel has a format that is none of {known}")
        media = MediaFormat(*_FORMATS[name])
        connection_id = optional_id(message, "connection_id")
        variables = parameters(message.get("channel_variables"))
        info = StartInfo(
            call_id=optional_id(message, "channel_id") or connection_id,
            stream_id=connection_id,
            from_number=_first(variables, _FROM_NUMBERS),
            to_number=_first(variables, _TO_NUMBERS),
            parameters=variables,
            more=rest(message, _START_FIELDS),
        )
        if not info.call_id:
            raise FieldError("connection_id is missing")
        frame_bytes = whole(message.get("optimal_frame_size"))
        if media.encoding == "opus" or frame_bytes == 0:
            self.traits = replace(self.traits, marks="none", clears=False)
        elif frame_bytes is not None:
            self._frame_bytes = self._expected = frame_bytes
        return self._start(info, media, media)


def _first(variables: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((variables[name] for name in names if name in variables), "")[:NUMBER_CHARS]


def _plain(text: str) -> JsonObject:
    """An event in plain text: its name, then `key:value` words, or the id of a mark.

    Raises: FieldError if it is too long.
    """
    if len(text) > PLAIN_CHARS:
        raise FieldError(f"an event has more than {PLAIN_CHARS} characters")
    event, _, more = text.strip().partition(" ")
    fields: JsonObject = {"event": event}
    if event == "MEDIA_MARK_PROCESSED":
        return {**fields, "correlation_id": more}
    more, found, error_text = more.partition("error_text:")
    if found:
        fields["error_text"] = error_text
    for word in more.split():
        key, colon, value = word.partition(":")
        if colon:
            fields[key] = value
    return fields
