"""Exotel AgentStream and the Voicebot applet, both ways.

Sources: developer.exotel.com/docs/agentstream/websocket-protocol, support.exotel.com 3000108630, the vendor's samples
(github.com/exotel/Agent-Stream); reference telephony section 4. Keys come in snake_case, on some paths in camelCase: we
answer in the style of the start. Audio is L16, little-endian. What we send comes in pieces that are multiples of 320
bytes, near real time, each with a number, a chunk and a timestamp: streams without them were dropped. The least is
given as 100 ms and as 3.2 kB, which is the same at 16 kHz only: a piece of ours is both. There is no message that hangs
up: the call ends, or its flow goes on, when we close.
"""

from binascii import b2a_base64
from dataclasses import replace
from typing import Final

from bridge.errors import LocalWireError
from bridge.wire.carriers.base import (
    CarrierEvent,
    Encoding,
    MediaFormat,
    Started,
    StartInfo,
    StopCause,
    Traits,
)
from bridge.wire.carriers.fields import (
    NUMBER_CHARS,
    FieldError,
    JsonObject,
    identifier,
    object_in,
    optional_id,
    parameters,
    rest,
    text,
    whole,
    words,
)
from bridge.wire.carriers.json_media import json_text, media_decoder
from bridge.wire.carriers.json_wire import JsonWire
from bridge.wire.carriers.make import DEFAULTS, WireOptions
from bridge.wire.carriers.shapes import shape_of

PIECE_BYTES: Final = 320
"""What we send is a multiple of this; the last piece is filled up with silence."""
LEAST_BYTES: Final = 3_200
LEAST_MS: Final = 100
LONGEST_PIECE: Final = 100_000 // PIECE_BYTES * PIECE_BYTES

_KNOWN_PARTS: Final = ("stream", "call", "account", "parameters", "format")
_COMPANDED: Final[dict[str, Encoding]] = {"audio/x-mulaw": "ulaw", "audio/x-alaw": "alaw"}
_SILENCE: Final[dict[Encoding, bytes]] = {"ulaw": b"\xff", "alaw": b"\xd5", "l16le": b"\0"}
_L16_RATES_HZ: Final = (8_000, 16_000, 24_000)

_SNAKE: Final = {
    "stream": "stream_sid",
    "call": "call_sid",
    "account": "account_sid",
    "number": "sequence_number",
    "parameters": "custom_parameters",
    "format": "media_format",
    "rate": "sample_rate",
}
_CAMEL: Final = {
    "stream": "streamSid",
    "call": "callSid",
    "account": "accountSid",
    "number": "sequenceNumber",
    "parameters": "customParameters",
    "format": "mediaFormat",
    "rate": "sampleRate",
}
_SNAKE_DECODER: Final = media_decoder(_SNAKE["stream"])
_CAMEL_DECODER: Final = media_decoder(_CAMEL["stream"])
_KNOWN: Final = frozenset(
    {"from", "to", *(style[part] for style in (_SNAKE, _CAMEL) for part in _KNOWN_PARTS)}
)


class ExotelWire(JsonWire):
    """Exotel's side of one call."""

    traits = Traits(
        name="exotel",
        marks="echoed",
        clears=True,
        frame_ms=LEAST_MS,
        whole_frames=True,
        ahead_ms=2 * LEAST_MS,
        ends_by="close",
    )
    stream_key = _SNAKE["stream"]

    def __init__(self, options: WireOptions = DEFAULTS) -> None:
        super().__init__(_SNAKE_DECODER)
        self._options = options

    def _begin(self, fields: JsonObject) -> Started:
        if _CAMEL["stream"] in fields or _CAMEL["stream"] in _start_of(fields):
            self.stream_key = _CAMEL["stream"]
            self._decode_media = _CAMEL_DECODER.decode
        started = super()._begin(fields)
        bytes_per_s = shape_of(started.played).bytes_per_s
        frame_ms = max(LEAST_MS, LEAST_BYTES * 1_000 // bytes_per_s)
        self.traits = replace(self.traits, frame_ms=frame_ms, ahead_ms=frame_ms + LEAST_MS)
        return started

    def _read_start(self, fields: JsonObject) -> Started:
        start = {**fields, **_start_of(fields)}  # its parts may stand outside
        audio = self._format(_either(start, "format"))
        info = StartInfo(
            call_id=identifier({"call id": _either(start, "call")}, "call id"),
            stream_id=identifier({"stream id": _either(start, "stream")}, "stream id"),
            account_id=optional_id({"account id": _either(start, "account")}, "account id"),
            from_number=text(start.get("from"), NUMBER_CHARS),
            to_number=text(start.get("to"), NUMBER_CHARS),
            parameters=parameters(_either(start, "parameters")),
            more=rest(_start_of(fields), _KNOWN),
        )
        return Started(info, heard=audio, played=audio)

    def _format(self, said: object) -> MediaFormat:
        """Names of L16 vary: what is not companded is linear. Raises: FieldError for another rate."""
        said = said if isinstance(said, dict) else {}
        name = text(said.get("encoding"), 100).lower().partition(";")[0]
        rate_hz = whole(_either(said, "rate"))
        if name in _COMPANDED:
            if rate_hz not in (8_000, None):
                raise FieldError("companded audio has another rate than 8 kHz")
            return MediaFormat(_COMPANDED[name], 8_000)
        rate_hz = rate_hz or self._options.l16_rate_hz
        if rate_hz not in _L16_RATES_HZ:
            raise FieldError("the audio is not at 8, 16 or 24 kHz")
        return MediaFormat("l16le", rate_hz)

    def _event(self, name: str, fields: JsonObject, now_s: float) -> list[CarrierEvent] | None:
        match name:
            case "mark":
                return self._mark_reached(object_in(fields, "mark").get("name"))
            case "dtmf":
                return [self._guard.digit(object_in(fields, "dtmf").get("digit"), now_s)]
        return None

    def _why_stopped(self, fields: JsonObject) -> tuple[StopCause, str]:
        said = fields.get("stop")
        reason = words(said.get("reason") if isinstance(said, dict) else None)
        return ("caller_hung_up" if reason == "callended" else "stopped"), reason

    def _audio(self, played: MediaFormat) -> "NumberedAudio":
        style = _CAMEL if self.stream_key == _CAMEL["stream"] else _SNAKE
        return NumberedAudio(style, self._stream, played)

    def _mark(self, name: str) -> JsonObject:
        return {"event": "mark", self.stream_key: self._stream, "mark": {"name": name}}

    def _clear(self) -> JsonObject:
        return {"event": "clear", self.stream_key: self._stream}


class NumberedAudio:
    """Encodes our audio with a sequence number, a chunk and a timestamp, as strings, like Exotel's own."""

    def __init__(self, style: dict[str, str], stream: str, played: MediaFormat) -> None:
        self._head = f'{{"event":"media","{style["number"]}":"'
        self._middle = f'","{style["stream"]}":{json_text(stream)},"media":{{"chunk":"'
        self._silence = _SILENCE[played.encoding]
        self._ms_of = shape_of(played).ms_of
        self._number = 0
        self._sent_ms = 0.0

    def encode(self, payload: bytes) -> str:
        """The message that plays this payload. Raises: LocalWireError if it is longer than Exotel takes."""
        if len(payload) > LONGEST_PIECE:
            raise LocalWireError(f"a piece of audio has more than {LONGEST_PIECE} bytes")
        if lacking := -len(payload) % PIECE_BYTES:
            payload += self._silence * lacking
        self._number += 1
        number, at_ms = self._number, int(self._sent_ms)
        self._sent_ms += self._ms_of(payload)
        audio = b2a_base64(payload, newline=False).decode()
        return (
            f'{self._head}{number}{self._middle}{number}","timestamp":"{at_ms}"'
            f',"payload":"{audio}"}}}}'
        )


def _start_of(fields: JsonObject) -> JsonObject:
    said = fields.get("start")
    return said if isinstance(said, dict) else {}


def _either(fields: JsonObject, part: str) -> object:
    """A part under its name in either style."""
    return fields.get(_SNAKE[part], fields.get(_CAMEL[part]))
