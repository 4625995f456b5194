"""Twilio Media Streams, both ways (``<Connect><Stream>``).

Source: twilio.com/docs/voice/media-streams/websocket-messages; reference telephony section 1. Audio is mu-law at
8 kHz, always. Every mark comes back: when the audio before it has played, or at once after a clear. Nothing on this
socket presses keys or hangs up: both are REST.
"""

from bridge.wire.carriers.base import (
    CarrierEvent,
    MediaFormat,
    Started,
    StartInfo,
    Traits,
)
from bridge.wire.carriers.fields import (
    FieldError,
    JsonObject,
    identifier,
    object_in,
    optional_id,
    parameters,
    rest,
    text,
    whole,
)
from bridge.wire.carriers.json_media import AudioText, media_decoder
from bridge.wire.carriers.json_wire import JsonWire
from bridge.wire.carriers.make import DEFAULTS, WireOptions

ULAW_8K = MediaFormat("ulaw", 8_000)

_DECODER = media_decoder("streamSid")
_KNOWN = frozenset({"streamSid", "callSid", "accountSid", "customParameters", "mediaFormat"})


class TwilioWire(JsonWire):
    """Twilio's side of one call."""

    traits = Traits(name="twilio", marks="echoed", clears=True, transfers=True)
    stream_key = "streamSid"

    def __init__(self, options: WireOptions = DEFAULTS) -> None:  # noqa: ARG002 - all is said
        super().__init__(_DECODER)

    def _read_start(self, fields: JsonObject) -> Started:
        start = object_in(fields, "start")
        _check_format(start.get("mediaFormat"))
        info = StartInfo(
            call_id=identifier(start, "callSid"),
            stream_id=optional_id(start, "streamSid") or identifier(fields, "streamSid"),
            account_id=optional_id(start, "accountSid"),
            parameters=parameters(start.get("customParameters")),
            more=rest(start, _KNOWN),
        )
        return Started(info, heard=ULAW_8K, played=ULAW_8K)

    def _event(self, name: str, fields: JsonObject, now_s: float) -> list[CarrierEvent] | None:
        match name:
            case "mark":
                return self._mark_reached(object_in(fields, "mark").get("name"))
            case "dtmf":
                return [self._guard.digit(object_in(fields, "dtmf").get("digit"), now_s)]
        return None

    def _audio(self, played: MediaFormat) -> AudioText:  # noqa: ARG002 - all is said
        return AudioText({"event": "media", "streamSid": self._stream, "media": {"payload": ""}})

    def _mark(self, name: str) -> JsonObject:
        return {"event": "mark", "streamSid": self._stream, "mark": {"name": name}}

    def _clear(self) -> JsonObject:
        return {"event": "clear", "streamSid": self._stream}


def _check_format(said: object) -> None:
    """Only what is said is checked. Raises: FieldError if it is another format than the only one there is."""
    if not isinstance(said, dict):
        return
    encoding = text(said.get("encoding"), 100).lower() or "audio/x-mulaw"
    rate_hz, channels = said.get("sampleRate", 8_000), said.get("channels", 1)
    if (encoding, whole(rate_hz), whole(channels)) != ("audio/x-mulaw", 8_000, 1):
        raise FieldError("the audio is not mu-law at 8 kHz in one channel")
