"""Vonage's messages on a voice WebSocket (developer.vonage.com, voice-api/concepts/websockets).

Binary 16-bit little-endian audio, one frame of 20 ms a message, both ways. A clear is answered with
``websocket:cleared`` and drops the notifies that waited.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from bridge.testing.carriers.json_messages import BadMessage, Fields, part_of, read_object
from bridge.testing.carriers.plain_dialect import PlainDialect
from bridge.testing.commands import Clear, Command, Mark, Message, Play, Wrong
from bridge.testing.playout import Playout
from bridge_codecs.pcm import Int16, from_bytes, to_bytes

CONTENT_TYPES: Final = {f"audio/l16;rate={hz}": hz for hz in (8_000, 16_000, 24_000)}
KEY_MS: Final = 260


class VonageMedia(PlainDialect):
    """One WebSocket, both ways.

    Args:
        content_type: of the audio.
        headers: what the NCCO gives along; they stand at the top level of the first message.
        max_frames: how many frames the carrier's buffer holds.
    """

    def __init__(self, content_type: str, headers: Mapping[str, object], max_frames: int) -> None:
        self.said_hz = self.played_hz = CONTENT_TYPES[content_type]
        self._frame_bytes = self.said_hz // 50 * 2
        self._content_type = content_type
        self._headers = headers
        self._max_waiting = max_frames * self.said_hz // 50
        self._waiting = 0

    def opening(self) -> Sequence[Message]:
        """``websocket:connected``."""
        connected = {"event": "websocket:connected", "content-type": self._content_type}
        return [json.dumps({**connected, **self._headers})]

    def said(self, samples: Int16) -> Sequence[Message]:
        """One frame of 20 ms."""
        return [to_bytes(samples)]

    def key(self, digit: str) -> Sequence[Message]:
        """``websocket:dtmf``."""
        return [json.dumps({"event": "websocket:dtmf", "digit": digit, "duration": KEY_MS})]

    def read(self, message: Message) -> Sequence[Command]:
        """A message of the application."""
        if isinstance(message, bytes):
            return self._play(message)
        try:
            return self._read(read_object(message))
        except BadMessage as error:
            return [Wrong(str(error))]

    def reached(self, mark: str) -> Sequence[Message]:
        """``websocket:notify`` with the payload that was given along."""
        return [json.dumps({"event": "websocket:notify", "payload": json.loads(mark)})]

    def cleared(self, marks: Sequence[str]) -> Sequence[Message]:  # noqa: ARG002 - they are dropped
        """``websocket:cleared``."""
        return [json.dumps({"event": "websocket:cleared"})]

    def progress(self, playout: Playout) -> Sequence[Message]:
        """Nothing is told, but what waits is counted."""
        self._waiting = playout.waiting
        return ()

    def _read(self, fields: Fields) -> Sequence[Command]:
        match fields.get("action"):
            case "clear":
                return [Clear()]
            case "notify":
                return [Mark(json.dumps(part_of(fields, "payload", "notify")))]
            case action:
                raise BadMessage(
                    f"Vonage knows no action “{str(action)[:40]}” from an application."
                )

    def _play(self, frame: bytes) -> Sequence[Command]:
        if len(frame) != self._frame_bytes:
            return [
                Wrong(
                    f"A binary message has {len(frame)} bytes; Vonage takes exactly one frame of 20 ms, "
                    f"{self._frame_bytes} bytes here."
                )
            ]
        self._waiting += self.played_hz // 50
        if self._waiting > self._max_waiting:
            return [Wrong("More audio waits than Vonage's buffer holds: what comes now is lost.")]
        return [Play(from_bytes(frame))]
