"""Exotel's messages on a Voicebot stream (developer.exotel.com/docs/agentstream/websocket-protocol).

16-bit little-endian audio, text numbers. What the application sends has to come in multiples of 320 bytes, to 100 kB:
other sizes are heard as gaps, too large ones end the stream by a timeout. The documents put the least at 3.2 kB and at
100 ms, which is the same at 16 kHz only: nobody knows which of them holds at 8 kHz, so a piece has to be both.
"""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bridge.testing.carriers.json_messages import (
    BadMessage,
    Fields,
    has_file_header,
    linear_of,
    part_of,
    payload_of,
    read_object,
    text_of,
)
from bridge.testing.carriers.plain_dialect import PlainDialect
from bridge.testing.commands import Clear, Command, Mark, Message, Play, StreamEnd, Wrong
from bridge.testing.playout import Playout
from bridge_codecs.pcm import Int16, silence, to_bytes

UNIT_BYTES: Final = 320
LEAST_BYTES: Final = 3_200
LEAST_MS: Final = 100
MOST_BYTES: Final = 100_000
PACKET_MS: Final = 20
PACKETS: Final = 5
"""In one message of Exotel's."""
KEY_MS: Final = 100
AHEAD_S: Final = 4.0
"""Further ahead of the caller's ear than this, calls have been seen to be hung up."""


@dataclass(frozen=True, slots=True)
class StartFacts:
    """What a stream's start message says."""

    stream_sid: str
    call_sid: str
    account_sid: str
    from_number: str
    to_number: str
    rate_hz: int = 8_000
    encoding: str = "audio/x-raw"
    """Seen as ``audio/x-raw`` and as ``raw/slin``."""
    camel: bool = False
    """Names as in the vendor's Connect sample, not as in its reference."""
    parameters: dict[str, str] = field(default_factory=dict)


class ExotelMedia(PlainDialect):
    """One stream, both ways."""

    def __init__(self, facts: StartFacts) -> None:
        self.said_hz = facts.rate_hz
        self.played_hz = facts.rate_hz
        self._facts = facts
        self._sequence = 0
        self._chunk = 0
        self._at_ms = 0
        self._packets: list[Int16] = []
        self._short_bytes = (
            0  # of the last message, if it was too short: only an utterance's last may be
        )
        self._ahead = 0

    def opening(self) -> Sequence[Message]:
        """``connected`` and ``start``."""
        facts = self._facts
        form = {"encoding": facts.encoding, "sample_rate": str(facts.rate_hz), "bit_rate": "16"}
        start = {
            "stream_sid": facts.stream_sid,
            "call_sid": facts.call_sid,
            "account_sid": facts.account_sid,
            "from": facts.from_number,
            "to": facts.to_number,
            "custom_parameters": facts.parameters,
            "media_format": form,
        }
        return [json.dumps({"event": "connected"}), self._message("start", start)]

    def said(self, samples: Int16) -> Sequence[Message]:
        """One ``media`` message for every 100 ms."""
        self._packets.append(samples)
        if len(self._packets) < PACKETS:
            return ()
        payload = base64.b64encode(to_bytes(np.concatenate(self._packets))).decode()
        self._packets = []
        self._chunk += 1
        media = {"chunk": str(self._chunk), "timestamp": str(self._at_ms), "payload": payload}
        self._at_ms += PACKETS * PACKET_MS
        return [self._message("media", media)]

    def key(self, digit: str) -> Sequence[Message]:
        """A ``dtmf`` message."""
        return [self._message("dtmf", {"digit": digit, "duration": str(KEY_MS)})]

    def read(self, message: Message) -> Sequence[Command]:
        """A message of the application; what is not known is dropped."""
        try:
            return self._read(read_object(message))
        except BadMessage as error:
            return [Wrong(str(error))]

    def reached(self, mark: str) -> Sequence[Message]:
        """The mark comes back."""
        return [self._message("mark", {"name": mark})]

    def progress(self, playout: Playout) -> Sequence[Message]:
        """Exotel tells nothing of its buffer."""
        self._ahead = playout.waiting
        return ()

    def closing(self, end: StreamEnd) -> Sequence[Message]:
        """``stop``: the caller hung up, or the applet ended."""
        facts = self._facts
        reason = "callended" if end.by == "caller" else "stopped"
        stop = {"call_sid": facts.call_sid, "account_sid": facts.account_sid, "reason": reason}
        return [self._message("stop", stop)]

    def _message(self, event: str, body: Mapping[str, object]) -> str:
        self._sequence += 1
        message: dict[str, object] = {
            "event": event,
            "sequence_number": str(self._sequence),
            "stream_sid": self._facts.stream_sid,
            event: body,
        }
        return json.dumps(_camel(message) if self._facts.camel else message)

    def _read(self, fields: Fields) -> Sequence[Command]:
        event = text_of(fields, "event", "stream")
        sid = fields.get("stream_sid", fields.get("streamSid"))
        if sid != self._facts.stream_sid:
            raise BadMessage(f"A {event} message does not carry this stream's stream_sid.")
        match event:
            case "clear":
                return [Clear()]
            case "mark":
                return [Mark(text_of(part_of(fields, "mark", "mark"), "name", "mark"))]
            case "media":
                return self._play(part_of(fields, "media", "media"))
            case _:
                raise BadMessage(f"Exotel knows no “{event[:40]}” message from an application.")

    def _play(self, media: Fields) -> Sequence[Command]:
        payload = payload_of(media, "payload", "media")
        if len(payload) > MOST_BYTES:
            sentence = (
                f"A media message carries more than {MOST_BYTES} bytes: Exotel times out on it."
            )
            return [Wrong(sentence, "timeout")]
        if has_file_header(payload):
            return [Wrong("A media message carries a file header, which is heard as noise.")]
        samples = linear_of(payload)
        commands: list[Command] = [Play(samples)]
        rest = len(payload) % UNIT_BYTES
        if rest:
            # What does not fill a unit is played as one with a hole at its end.
            commands = [Play(np.append(samples, silence((UNIT_BYTES - rest) // 2)))]
            commands.append(Wrong(_size_sentence(len(payload), f"no multiple of {UNIT_BYTES}")))
        if self._short_bytes and self._ahead:
            least = f"less than {LEAST_BYTES} bytes or {LEAST_MS} ms"
            commands.append(Wrong(_size_sentence(self._short_bytes, least)))
        is_short = len(payload) < max(LEAST_BYTES, self.played_hz * 2 * LEAST_MS // 1000)
        self._short_bytes = len(payload) if is_short else 0
        self._ahead += samples.size
        if self._ahead > AHEAD_S * self.played_hz:
            commands.append(
                Wrong(
                    f"More than {AHEAD_S:g} s of audio wait at the carrier: Exotel asks for about real time, and calls "
                    "have been hung up over it."
                )
            )
        return commands


def _size_sentence(n_bytes: int, what: str) -> str:
    return f"A media message carries {n_bytes} bytes, {what}: the caller hears a gap."


def _camel(value: object) -> object:
    """The same with ``streamSid`` for ``stream_sid``, at every level but in parameters."""
    if not isinstance(value, dict):
        return value
    return {
        _camel_name(name): each if name == "custom_parameters" else _camel(each)
        for name, each in value.items()
    }


def _camel_name(name: str) -> str:
    first, *more = name.split("_")
    return first + "".join(word.capitalize() for word in more)
