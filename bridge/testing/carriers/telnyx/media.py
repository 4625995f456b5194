"""Telnyx's messages on a media socket (developers.telnyx.com, stream-call-media-over-websocket).

``stream_id`` stands at the top level alone. Media may come in another order than it was said in: `Shuffle` swaps
neighbours now and then. A message that is not taken is answered with an ``error`` and the stream goes on. A clear
returns the marks that wait.
"""

import base64
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from bridge.testing.audio_codecs import (
    CodecError,
    CodecName,
    decoder,
    encoder,
    looks_like_noise,
    sample_rate_of,
)
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
from bridge.testing.commands import Answer, Clear, Command, Mark, Message, Play, StreamEnd, Wrong
from bridge_codecs.l16 import ByteOrder
from bridge_codecs.pcm import Int16

PACKET_MS: Final = 20
MAX_PIECE_S: Final = 30.0
SWAPS: Final = 0.05
MALFORMED: Final = (100003, "malformed_frame")
BAD_MEDIA: Final = (100004, "invalid_media")
_DEAF: Final = {
    "mp3": "stream_bidirectional_mode was left at mp3, so raw audio is not played: set it to rtp.",
    "opposite": "stream_bidirectional_target_legs was left at opposite, and this call has no other leg: nobody hears "
    "the audio. Set it to self or both.",
}


@dataclass(frozen=True, slots=True)
class Format:
    """How audio travels, as the command that opened the stream asks."""

    codec: CodecName = "PCMU"
    """Of the caller's audio."""
    back: CodecName = "PCMU"
    """Of the application's."""
    back_hz: int = 8_000
    mode: str = "mp3"
    target_legs: str = "opposite"
    byteorder: ByteOrder = "big"


@dataclass(frozen=True, slots=True)
class StartFacts:
    """What a stream's start message says."""

    stream_id: str
    user_id: str
    call_control_id: str
    call_session_id: str
    from_number: str
    to_number: str
    client_state: str = ""
    auth_token: str = ""
    parameters: dict[str, str] = field(default_factory=dict)


class TelnyxMedia(PlainDialect):
    """One stream, both ways.

    Args:
        facts: about the call.
        audio: its format.
        shuffle: swaps neighbouring media messages; None keeps the order.
        now: RFC 3339 instants for keys.
    """

    def __init__(
        self,
        facts: StartFacts,
        audio: Format,
        shuffle: random.Random | None,
        now: Callable[[], str],
    ) -> None:
        self.said_hz = sample_rate_of(audio.codec, 16_000)
        self.played_hz = sample_rate_of(audio.back, audio.back_hz)
        self._facts = facts
        self._audio = audio
        self._shuffle = shuffle
        self._now = now
        self._encode = encoder(audio.codec, self.said_hz, audio.byteorder)
        self._decode = decoder(audio.back, self.played_hz, audio.byteorder)
        self._sequence = 0
        self._chunk = 0
        self._held: Message | None = None

    def opening(self) -> Sequence[Message]:
        """``connected`` and ``start``."""
        facts = self._facts
        connected = {"event": "connected", "version": "1.0.0"}
        if facts.auth_token:
            connected["stream_auth_token"] = facts.auth_token
        start: dict[str, object] = {
            "user_id": facts.user_id,
            "call_control_id": facts.call_control_id,
            "call_session_id": facts.call_session_id,
            "from": facts.from_number,
            "to": facts.to_number,
            "tags": [],
            "client_state": facts.client_state or None,
            "custom_parameters": facts.parameters,
            "media_format": {
                "encoding": self._audio.codec,
                "sample_rate": self.said_hz,
                "channels": 1,
            },
        }
        return [json.dumps(connected), self._message("start", start)]

    def said(self, samples: Int16) -> Sequence[Message]:
        """One ``media`` message of 20 ms, now and then behind the next one."""
        self._chunk += 1
        media = {
            "track": "inbound",
            "chunk": str(self._chunk),
            "timestamp": str((self._chunk - 1) * PACKET_MS),
            "payload": base64.b64encode(self._encode(samples)).decode(),
        }
        message = self._message("media", media)
        held, self._held = self._held, None
        if held is not None:
            return [message, held]
        if self._shuffle is not None and self._shuffle.random() < SWAPS:
            self._held = message
            return ()
        return [message]

    def key(self, digit: str) -> Sequence[Message]:
        """A ``dtmf`` message."""
        return [self._message("dtmf", {"digit": digit}, occurred_at=self._now())]

    def read(self, message: Message) -> Sequence[Command]:
        """A message of the application; what is not taken is answered with an error."""
        try:
            return self._read(read_object(message))
        except BadMessage as error:
            bad_media = "media message" in str(error) or "16-bit" in str(error)
            return self._refused(str(error), BAD_MEDIA if bad_media else MALFORMED)

    def reached(self, mark: str) -> Sequence[Message]:
        """The mark comes back."""
        return [self._message("mark", {"name": mark})]

    def closing(self, end: StreamEnd) -> Sequence[Message]:  # noqa: ARG002 - always the same
        """``stop``."""
        facts = self._facts
        stop = {"user_id": facts.user_id, "call_control_id": facts.call_control_id}
        return [self._message("stop", stop)]

    def _message(self, event: str, body: object, **more: str) -> str:
        self._sequence += 1
        message = {
            "event": event,
            "sequence_number": str(self._sequence),
            **more,
            event: body,
            "stream_id": self._facts.stream_id,
        }
        return json.dumps(message)

    def _refused(self, sentence: str, error: tuple[int, str]) -> Sequence[Command]:
        payload = {"code": error[0], "title": error[1], "detail": sentence}
        message = {"event": "error", "payload": payload, "stream_id": self._facts.stream_id}
        return [Wrong(sentence), Answer(json.dumps(message))]

    def _read(self, fields: Fields) -> Sequence[Command]:
        event = text_of(fields, "event", "stream")
        if event == "clear":
            return [Clear()]
        if event == "mark":
            return [Mark(text_of(part_of(fields, "mark", "mark"), "name", "mark"))]
        if event != "media":
            raise BadMessage(f"Telnyx knows no “{event[:40]}” message from an application.")
        payload = payload_of(part_of(fields, "media", "media"), "payload", "media")
        return self._play(payload)

    def _play(self, payload: bytes) -> Sequence[Command]:
        for setting, deaf in (("mode", "mp3"), ("target_legs", "opposite")):
            if getattr(self._audio, setting) == deaf:
                return [Wrong(_DEAF[deaf])]
        if has_file_header(payload):
            raise BadMessage("A media message carries a file header: send the bare payload.")
        try:
            samples = self._decode(payload)
        except CodecError as error:
            raise BadMessage(f"A media message is no {self._audio.back}: {error}.") from None
        length_s = samples.size / self.played_hz
        if not PACKET_MS / 1000 <= length_s <= MAX_PIECE_S:
            raise BadMessage(
                f"A media message carries {1000 * length_s:.0f} ms; Telnyx takes 20 ms to 30 s."
            )
        wrong = []
        if self._audio.back == "L16" and looks_like_noise(samples):
            wrong.append(Wrong("The L16 audio sounds as if its bytes were in the wrong order."))
        return [*wrong, Play(samples)]
