"""Twilio's messages on a bidirectional media stream (twilio.com/docs/voice/media-streams/websocket-messages).

All numbers are text. Marks come back in order once the audio before them has been played; a clear returns every one
that waits. Anything but ``media``, ``mark`` and ``clear`` with the right stream id is error 31924, which ends the
stream.
"""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.testing.carriers.json_messages import (
    BadMessage,
    Fields,
    has_file_header,
    part_of,
    payload_of,
    read_object,
    text_of,
)
from bridge.testing.carriers.plain_dialect import PlainDialect
from bridge.testing.commands import Clear, Command, Mark, Message, Play, StreamEnd, Wrong
from bridge_codecs.g711 import decode_ulaw, encode_ulaw
from bridge_codecs.pcm import Int16

PROTOCOL_ERROR: Final = "31924"
PACKET_MS: Final = 20


@dataclass(frozen=True, slots=True)
class StreamIds:
    """What a stream's start message says."""

    account_sid: str
    call_sid: str
    stream_sid: str
    parameters: dict[str, str] = field(default_factory=dict)


class TwilioMedia(PlainDialect):
    """One bidirectional stream."""

    overflow = "31930"
    said_hz = 8_000
    played_hz = 8_000

    def __init__(self, ids: StreamIds) -> None:
        self._ids = ids
        self._sequence = 0
        self._chunk = 0

    def opening(self) -> Sequence[Message]:
        """``connected`` and ``start``."""
        ids = self._ids
        start = {
            "accountSid": ids.account_sid,
            "streamSid": ids.stream_sid,
            "callSid": ids.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": ids.parameters,
        }
        connected = {"event": "connected", "protocol": "Call", "version": "1.0.0"}
        return [json.dumps(connected), self._message("start", start)]

    def said(self, samples: Int16) -> Sequence[Message]:
        """One ``media`` message of 20 ms."""
        self._sequence += 1
        self._chunk += 1
        payload = base64.b64encode(encode_ulaw(samples)).decode()
        at_ms = (self._chunk - 1) * PACKET_MS
        message = (
            f'{{"event":"media","sequenceNumber":"{self._sequence}","media":{{"track":"inbound",'
            f'"chunk":"{self._chunk}","timestamp":"{at_ms}","payload":"{payload}"}},'
            f'"streamSid":"{self._ids.stream_sid}"}}'
        )
        return [message]

    def key(self, digit: str) -> Sequence[Message]:
        """A ``dtmf`` message; its track is called otherwise than that of media."""
        return [self._message("dtmf", {"track": "inbound_track", "digit": digit})]

    def read(self, message: Message) -> Sequence[Command]:
        """A message of the application; what Twilio does not take ends the stream."""
        try:
            return self._read(read_object(message))
        except BadMessage as error:
            return [Wrong(str(error), PROTOCOL_ERROR)]

    def reached(self, mark: str) -> Sequence[Message]:
        """The mark comes back."""
        return [self._message("mark", {"name": mark})]

    def closing(self, end: StreamEnd) -> Sequence[Message]:
        """``stop``, unless the application broke the protocol."""
        if end.error:
            return ()
        stop = {"accountSid": self._ids.account_sid, "callSid": self._ids.call_sid}
        return [self._message("stop", stop)]

    def _message(self, event: str, body: object) -> str:
        self._sequence += 1
        message = {
            "event": event,
            "sequenceNumber": str(self._sequence),
            event: body,
            "streamSid": self._ids.stream_sid,
        }
        return json.dumps(message)

    def _read(self, fields: Fields) -> Sequence[Command]:
        event = text_of(fields, "event", "stream")
        if event not in ("media", "mark", "clear"):
            raise BadMessage(f"Twilio knows no “{event[:40]}” message from an application.")
        if fields.get("streamSid") != self._ids.stream_sid:
            raise BadMessage(f"A {event} message does not carry this stream's streamSid.")
        if event == "clear":
            return [Clear()]
        if event == "mark":
            return [Mark(text_of(part_of(fields, "mark", "mark"), "name", "mark"))]
        return _play(payload_of(part_of(fields, "media", "media"), "payload", "media"))


def _play(payload: bytes) -> Sequence[Command]:
    played = Play(decode_ulaw(payload))
    if has_file_header(payload):
        return [
            Wrong("The audio has a file header, which is heard as noise: send bare mu-law."),
            played,
        ]
    return [played]
