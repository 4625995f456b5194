"""Telnyx media streaming, both ways, in its RTP mode.

Sources: developers.telnyx.com, "Stream call media over WebSocket" (AsyncAPI) and "Media streaming"; reference telephony
section 2. The order of frames is not guaranteed: they are put in order by their chunk. Every mark comes back, after a
clear at once. Our messages need no stream id; a piece of audio has at least 20 ms. The byte order of L16 is not
documented: it is an option, big-endian as in RFC 3551 unless configured, and a warning says if that looks wrong.
"""

from typing import Final

from bridge.wire.carriers.base import (
    AudioIn,
    CarrierEvent,
    CarrierWarning,
    Encoding,
    MediaFormat,
    Started,
    StartInfo,
    Traits,
)
from bridge.wire.carriers.byte_order import ByteOrderHint
from bridge.wire.carriers.fields import (
    ID_CHARS,
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
from bridge.wire.carriers.guard import Guard
from bridge.wire.carriers.intake import Intake
from bridge.wire.carriers.json_media import AudioText, MediaPart, media_decoder
from bridge.wire.carriers.json_wire import JsonWire
from bridge.wire.carriers.make import DEFAULTS, WireOptions

WAIT_CHUNKS: Final = 5
"""A missing chunk is waited for until so many have come after it: 100 ms at most."""

_DECODER = media_decoder("stream_id")
_KNOWN = frozenset(
    {"user_id", "call_control_id", "stream_id", "from", "to", "custom_parameters", "media_format"}
)
_ENCODINGS: Final[dict[str, Encoding]] = {
    "pcmu": "ulaw",
    "audio/x-mulaw": "ulaw",
    "audio/pcmu": "ulaw",
    "pcma": "alaw",
    "audio/x-alaw": "alaw",
    "audio/pcma": "alaw",
    "g722": "g722",
    "opus": "opus",
}
_L16: Final = ("l16", "audio/l16", "audio/x-l16")
_L16_RATES_HZ: Final = (8_000, 16_000, 22_050, 24_000, 48_000)
_OPUS_RATES_HZ: Final = (8_000, 16_000, 24_000, 48_000)


class DoubtfulIntake(Intake):
    """An intake of L16 that says when it looks as if its byte order were the other one."""

    __slots__ = ("_hint",)

    def __init__(
        self, guard: Guard, heard: MediaFormat, patience: int, hint: ByteOrderHint
    ) -> None:
        super().__init__(guard, heard, patience)
        self._hint = hint

    def hear_next(self, media: MediaPart, now_s: float) -> bool:
        """Take nothing as long as each chunk may bring the hint."""
        return self._hint.decided and super().hear_next(media, now_s)

    def hear(self, media: MediaPart, now_s: float) -> list[CarrierEvent]:
        """Take one chunk."""
        events = super().hear(media, now_s)
        if self._hint.decided:
            return events
        orders = [self._hint.hear(event.payload) for event in events if isinstance(event, AudioIn)]
        warnings = [CarrierWarning(f"the caller's L16 looks {o}-endian") for o in orders if o]
        return [*events, *warnings]


class TelnyxWire(JsonWire):
    """Telnyx's side of one call."""

    traits = Traits(
        name="telnyx",
        marks="echoed",
        clears=True,
        whole_frames=True,
        digits_by="rest",
        transfers=True,
    )
    stream_key = "stream_id"

    def __init__(self, options: WireOptions = DEFAULTS) -> None:
        super().__init__(_DECODER, WAIT_CHUNKS)
        self._options = options
        self.auth_token = ""
        """The stream's auth token as `connected` said it; a secret, and in no event."""

    def _connected(self, fields: JsonObject) -> list[CarrierEvent]:
        said = fields.get("connected")
        for part in (fields, said if isinstance(said, dict) else {}):
            for key, value in part.items():
                if "token" in key and isinstance(value, str):
                    self.auth_token = value
        return []

    def _begin(self, fields: JsonObject) -> Started:
        started = super()._begin(fields)
        if started.heard.encoding in ("l16le", "l16be"):
            hint = ByteOrderHint(self._options.l16_byteorder, started.heard.rate_hz)
            self._intake = DoubtfulIntake(self._guard, started.heard, WAIT_CHUNKS, hint)
        return started

    def _read_start(self, fields: JsonObject) -> Started:
        start = object_in(fields, "start")
        heard = self._format(start.get("media_format"))
        info = StartInfo(
            call_id=identifier(start, "call_control_id"),
            stream_id=optional_id(fields, "stream_id") or identifier(start, "stream_id"),
            account_id=text(start.get("user_id"), ID_CHARS),
            from_number=text(start.get("from"), NUMBER_CHARS),
            to_number=text(start.get("to"), NUMBER_CHARS),
            parameters=parameters(_by_name(start.get("custom_parameters"))),
            more=rest(start, _KNOWN),
        )
        return Started(info, heard=heard, played=self._options.played or heard)

    def _format(self, said: object) -> MediaFormat:
        """Raises: FieldError for a format that we do not decode."""
        said = said if isinstance(said, dict) else {}
        name = text(said.get("encoding"), 40).lower() or "pcmu"
        rate_hz, channels = whole(said.get("sample_rate")), whole(said.get("channels", 1))
        if name == "opus":  # its packets say themselves how many channels they have
            return MediaFormat("opus", rate_hz if rate_hz in _OPUS_RATES_HZ else 48_000)
        if channels != 1:
            raise FieldError("the audio is not one channel")
        if name in _L16:
            rate_hz = rate_hz or self._options.l16_rate_hz
            if rate_hz not in _L16_RATES_HZ:
                raise FieldError("the audio has a rate that Telnyx does not document")
            return MediaFormat(
                "l16be" if self._options.l16_byteorder == "big" else "l16le", rate_hz
            )
        if name not in _ENCODINGS:
            raise FieldError(f"audio in {name!a} is not supported: choose PCMU, G722, OPUS or L16")
        encoding = _ENCODINGS[name]
        # The SDP of G.722 says 8,000 although its audio has 16,000 (RFC 3551 section 4.5.2).
        if rate_hz not in ((8_000, 16_000, None) if encoding == "g722" else (8_000, None)):
            raise FieldError(f"{name} has another rate than its own")
        return MediaFormat(encoding, 16_000 if encoding == "g722" else 8_000)

    def _event(self, name: str, fields: JsonObject, now_s: float) -> list[CarrierEvent] | None:
        match name:
            case "mark":
                return self._mark_reached(object_in(fields, "mark").get("name"))
            case "dtmf":
                return [self._guard.digit(object_in(fields, "dtmf").get("digit"), now_s)]
            case "error":
                return [CarrierWarning(_complaint(fields))]
        return None

    def _audio(self, played: MediaFormat) -> AudioText:  # noqa: ARG002 - all is said
        return AudioText({"event": "media", "media": {"payload": ""}})

    def _mark(self, name: str) -> JsonObject:
        return {"event": "mark", "mark": {"name": name}}

    def _clear(self) -> JsonObject:
        return {"event": "clear"}


def _by_name(said: object) -> object:
    """Custom parameters, also as the list of names and values in which they are asked for."""
    if not isinstance(said, list):
        return said
    pairs = [item for item in said if isinstance(item, dict) and isinstance(item.get("name"), str)]
    return {item["name"]: item.get("value") for item in pairs}


def _complaint(fields: JsonObject) -> str:
    said = object_in(fields, "payload")
    parts = [text(said.get(key), 200) for key in ("code", "title", "detail")]
    return words(" ".join(part for part in parts if part) or "an error without words")
