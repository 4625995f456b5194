"""Plivo audio streaming, both ways; Vobiz, which speaks the same protocol, as well.

Sources: plivo.com/docs/voice/xml/audio-streaming and the audio streaming reference of its voice agents,
vobiz.ai/docs/xml/stream; reference telephony section 3. A checkpoint comes back (``playedStream``) only if the audio
before it has really played: after a clear the pending ones stay silent. There may be no ``stop``: the close of the
socket is the end. Timestamps are Unix milliseconds of when a chunk was sent, with the jitter of that: no time in the
audio, so they are ignored. Vobiz leaves the stream's id out of ``playedStream``, counts from 0 and wants the id in our
messages.
"""

from typing import Final

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import (
    CarrierEvent,
    Encoding,
    MediaFormat,
    Message,
    Started,
    StartInfo,
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
)
from bridge.wire.carriers.guard import KEYS
from bridge.wire.carriers.intake import UntimedIntake
from bridge.wire.carriers.json_media import AudioText, media_decoder
from bridge.wire.carriers.json_wire import JsonWire
from bridge.wire.carriers.make import DEFAULTS, WireOptions
from bridge.wire.strict_json import decode

_DECODER = media_decoder("streamId")
_KNOWN = frozenset({"callId", "streamId", "accountId", "from", "to", "mediaFormat"})
_ENCODINGS: Final[dict[str, Encoding]] = {"audio/x-mulaw": "ulaw", "audio/x-l16": "l16le"}
_CONTENT_TYPES: Final = {encoding: name for name, encoding in _ENCODINGS.items()}
_RATES_HZ: Final[dict[Encoding, tuple[int, ...]]] = {"ulaw": (8_000,), "l16le": (8_000, 16_000)}


class PlivoWire(JsonWire):
    """Plivo's side of one call."""

    traits = Traits(name="plivo", marks="silent", clears=True, digits_by="message", transfers=True)
    stream_key = "streamId"
    intake = UntimedIntake

    def __init__(self, options: WireOptions = DEFAULTS) -> None:  # noqa: ARG002 - all is said
        super().__init__(_DECODER)

    def digits(self, digits: str) -> tuple[Message, ...]:
        """Press these keys; what no telephone has is left out."""
        keys = "".join(key for key in digits.upper() if key in KEYS)
        return self._say({"event": "sendDTMF", "dtmf": keys}) if keys else ()

    def _read_start(self, fields: JsonObject) -> Started:
        start = object_in(fields, "start")
        heard = _format(start.get("mediaFormat"))
        info = StartInfo(
            call_id=identifier(start, "callId"),
            stream_id=optional_id(start, "streamId") or identifier(fields, "streamId"),
            account_id=optional_id(start, "accountId"),
            from_number=text(start.get("from"), NUMBER_CHARS),
            to_number=text(start.get("to"), NUMBER_CHARS),
            parameters=_extra_headers(fields.get("extra_headers", start.get("extra_headers"))),
            more=rest(start, _KNOWN),
        )
        return Started(info, heard=heard, played=heard)

    def _event(self, name: str, fields: JsonObject, now_s: float) -> list[CarrierEvent] | None:
        match name:
            case "playedStream":
                return self._mark_reached(fields.get("name"))
            case "clearedAudio":
                return []
            case "dtmf":
                return [self._guard.digit(object_in(fields, "dtmf").get("digit"), now_s)]
        return None

    def _audio(self, played: MediaFormat) -> AudioText:
        media = {
            "contentType": _CONTENT_TYPES[played.encoding],
            "sampleRate": played.rate_hz,
            "payload": "",
        }
        return AudioText({"event": "playAudio", "streamId": self._stream, "media": media})

    def _mark(self, name: str) -> JsonObject:
        return {"event": "checkpoint", "streamId": self._stream, "name": name}

    def _clear(self) -> JsonObject:
        return {"event": "clearAudio", "streamId": self._stream}


def _format(said: object) -> MediaFormat:
    """Raises: FieldError for a format that Plivo does not document."""
    said = said if isinstance(said, dict) else {}
    name, _, more = text(said.get("encoding"), 100).lower().replace(" ", "").partition(";")
    rate_hz = whole(said.get("sampleRate")) or whole(more.removeprefix("rate=")) or 8_000
    encoding = _ENCODINGS.get(name)
    if encoding is None or rate_hz not in _RATES_HZ[encoding]:
        raise FieldError("the audio is neither mu-law at 8 kHz nor L16 at 8 or 16 kHz")
    return MediaFormat(encoding, rate_hz)


def _extra_headers(said: object) -> dict[str, str]:
    """The headers that the stream was asked for with: an object, one as a string, or ``k=v,k=v``."""
    if isinstance(said, str) and not said.lstrip().startswith("{"):
        pairs = (pair.partition("=") for pair in said.split(","))
        said = {name.strip(): value.strip() for name, found, value in pairs if found}
    elif isinstance(said, str):
        try:
            said = decode(said)
        except RemoteWireError:
            return {}
    return parameters(said)
