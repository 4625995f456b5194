"""Plivo's messages on an audio stream (plivo.com/docs, audio-streaming-reference).

Numbers are numbers, but for the timestamp. A checkpoint comes back as ``playedStream`` only if its audio was really
played: after ``clearAudio`` there is ``clearedAudio`` and no more of the checkpoints that waited. No ``stop`` comes:
the socket closes.
"""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from bridge.testing.carriers.json_messages import (
    BadMessage,
    Fields,
    linear_of,
    part_of,
    payload_of,
    read_object,
    text_of,
)
from bridge.testing.carriers.plain_dialect import PlainDialect
from bridge.testing.commands import Clear, Command, Digits, Mark, Message, Play, Wrong
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16, to_bytes

CONTENT_TYPES: Final = {
    "audio/x-l16;rate=8000": ("audio/x-l16", 8_000),
    "audio/x-l16;rate=16000": ("audio/x-l16", 16_000),
    "audio/x-mulaw;rate=8000": ("audio/x-mulaw", 8_000),
}
_KEYS: Final = frozenset("0123456789*#ABCDabcdwW")


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What a stream's start message says."""

    call_id: str
    stream_id: str
    account_id: str
    encoding: str
    rate_hz: int
    extra_headers: str
    """As the document gave them: ``k=v,k=v``."""


class PlivoMedia(PlainDialect):
    """One stream, both ways.

    Args:
        facts: about the call.
        unix_ms: the wall clock.
    """

    def __init__(self, facts: StreamFacts, unix_ms: Callable[[], int]) -> None:
        self.said_hz = facts.rate_hz
        self.played_hz = facts.rate_hz
        self._facts = facts
        self._unix_ms = unix_ms
        self._sequence = -1
        self._chunk = 0

    def opening(self) -> Sequence[Message]:
        """``start``; there is no ``connected``."""
        facts = self._facts
        start = {
            "callId": facts.call_id,
            "streamId": facts.stream_id,
            "accountId": facts.account_id,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": facts.encoding, "sampleRate": facts.rate_hz},
        }
        return [self._message("start", start=start, extra_headers=self._extra())]

    def said(self, samples: Int16) -> Sequence[Message]:
        """One ``media`` message of 20 ms."""
        self._chunk += 1
        mulaw = self._facts.encoding == "audio/x-mulaw"
        payload = encode_ulaw(samples) if mulaw else to_bytes(samples)
        media = {
            "track": "inbound",
            "timestamp": str(self._unix_ms()),
            "chunk": self._chunk,
            "payload": base64.b64encode(payload).decode(),
        }
        return [
            self._message(
                "media", streamId=self._facts.stream_id, media=media, extra_headers=self._extra()
            )
        ]

    def key(self, digit: str) -> Sequence[Message]:
        """A ``dtmf`` message."""
        dtmf = {"track": "inbound", "digit": digit, "timestamp": str(self._unix_ms())}
        return [self._message("dtmf", streamId=self._facts.stream_id, dtmf=dtmf)]

    def read(self, message: Message) -> Sequence[Command]:
        """A message of the application; what is not known is dropped."""
        try:
            return self._read(read_object(message))
        except BadMessage as error:
            return [Wrong(str(error))]

    def reached(self, mark: str) -> Sequence[Message]:
        """The audio before a checkpoint has been played."""
        return [self._message("playedStream", streamId=self._facts.stream_id, name=mark)]

    def cleared(self, marks: Sequence[str]) -> Sequence[Message]:  # noqa: ARG002 - they are not acknowledged
        """``clearedAudio``; the checkpoints that waited never come back."""
        return [self._message("clearedAudio", streamId=self._facts.stream_id)]

    def _message(self, event: str, **fields: object) -> str:
        self._sequence += 1
        return json.dumps({"sequenceNumber": self._sequence, "event": event, **fields})

    def _extra(self) -> str:
        pairs = (pair.partition("=") for pair in self._facts.extra_headers.split(",") if pair)
        return json.dumps({f"X-PH-{name.strip()}": value.strip() for name, _, value in pairs})

    def _read(self, fields: Fields) -> Sequence[Command]:
        event = text_of(fields, "event", "stream")
        match event:
            case "playAudio":
                return self._play(part_of(fields, "media", "playAudio"))
            case "checkpoint":
                self._check_stream(fields, event)
                return [Mark(text_of(fields, "name", "checkpoint"))]
            case "clearAudio":
                self._check_stream(fields, event)
                return [Clear()]
            case "sendDTMF":
                return [Digits(_keys(fields))]
            case _:
                raise BadMessage(f"Plivo knows no “{event[:40]}” message from an application.")

    def _play(self, media: Fields) -> Sequence[Command]:
        facts = self._facts
        said = media.get("contentType"), str(media.get("sampleRate"))
        if said != (facts.encoding, str(facts.rate_hz)):
            raise BadMessage(
                f"A playAudio message is {said[0]} at {said[1]} Hz; the stream is {facts.encoding} at "
                f"{facts.rate_hz} Hz, and nothing else is played."
            )
        payload = payload_of(media, "payload", "playAudio")
        if facts.encoding == "audio/x-mulaw":
            return [Play(decode_ulaw(payload))]
        return [Play(linear_of(payload))]

    def _check_stream(self, fields: Fields, event: str) -> None:
        if fields.get("streamId") != self._facts.stream_id:
            raise BadMessage(f"A {event} message does not carry this stream's streamId.")


def _keys(fields: Fields) -> str:
    digits = text_of(fields, "dtmf", "sendDTMF")
    if not _KEYS.issuperset(digits):
        raise BadMessage("A sendDTMF message has keys other than 0-9 A-D * #.")
    return digits
