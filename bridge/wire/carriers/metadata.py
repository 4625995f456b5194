"""The first text of the sockets that FreeSWITCH's modules open: metadata of whoever started the stream.

jambonz fills in the call's attributes; with mod_audio_fork and mod_audio_stream it is whatever the FreeSWITCH
application gave, or nothing at all. Names that are in use for the same thing are tried one after the other.
"""

from collections.abc import Mapping
from typing import Final

from bridge.wire.carriers.base import CarrierEvent, Ignored, MediaFormat, StartInfo
from bridge.wire.carriers.binary import BinaryWire
from bridge.wire.carriers.fields import (
    ID_CHARS,
    NUMBER_CHARS,
    VALUE_CHARS,
    FieldError,
    JsonObject,
    parameters,
    rest,
    text,
    whole,
    words,
)

CALL_IDS: Final = ("callSid", "call_sid", "callId", "call_id", "callid", "uuid", "sessionId")
ACCOUNT_IDS: Final = ("accountSid", "account_sid")
FROM_NUMBERS: Final = ("from", "caller", "callerNumber", "ani")
TO_NUMBERS: Final = ("to", "called", "calledNumber", "dnis")


class MetadataWire(BinaryWire):
    """Such a socket, from its metadata on: L16, and the keys that are forwarded to it."""

    def receive_bytes(self, data: bytes, now_s: float) -> list[CarrierEvent]:
        """A binary message: the caller's audio; the first one opens a stream that has no metadata."""
        if self._guard.state != "waiting":
            return super().receive_bytes(data, now_s)
        return [*self._opened_by_audio(), *super().receive_bytes(data, now_s)]

    def _read(self, text: str, now_s: float) -> list[CarrierEvent]:
        if not self._live:
            return [self._opened_by_text(text)]
        message = self._json(text)
        kind = message.get("type", message.get("event"))
        if kind == "dtmf":
            return [self._guard.digit(message.get("dtmf", message.get("digit")), now_s)]
        return [self._event(kind, message)]

    def _event(self, kind: object, message: JsonObject) -> CarrierEvent:  # noqa: ARG002 - for marks
        """Take an event that is no key. Raises: FieldError if it is not as documented."""
        return Ignored("unknown", words(kind))

    def _opened_by_text(self, text: str) -> CarrierEvent:
        try:
            said = self._json(text)
        except FieldError:
            given = {"metadata": text[:VALUE_CHARS]}
            return self._open(StartInfo(call_id="", parameters=given), {})
        return self._open(info_of(said), said)

    def _opened_by_audio(self) -> list[CarrierEvent]:
        return [self._open(StartInfo(call_id=""), {})]

    def _open(self, info: StartInfo, said: JsonObject) -> CarrierEvent:
        rate_hz = whole(said.get("sampleRate"))
        channels = 2 if text(said.get("mixType"), 16).lower() == "stereo" else 1
        heard = MediaFormat(
            "l16le", self._options.l16_rate_hz if rate_hz is None else rate_hz, channels
        )
        played = self._options.played or MediaFormat("l16le", heard.rate_hz)
        return self._start(info, heard, played)


def info_of(said: JsonObject, attributes: frozenset[str] = frozenset()) -> StartInfo:
    """What metadata says of a call. What is no attribute of the call itself is a custom parameter."""
    custom = rest(said, attributes)
    return StartInfo(
        call_id=_first(said, CALL_IDS, ID_CHARS),
        account_id=_first(said, ACCOUNT_IDS, ID_CHARS),
        from_number=_first(said, FROM_NUMBERS, NUMBER_CHARS),
        to_number=_first(said, TO_NUMBERS, NUMBER_CHARS),
        parameters=parameters(custom),
        more=rest(said, frozenset(custom)),
    )


def _first(said: Mapping[str, object], names: tuple[str, ...], max_chars: int) -> str:
    return next((found for name in names if (found := text(said.get(name), max_chars))), "")
