"""What a carrier that sends JSON with base64 audio says: its events, from its first message to its end.

A media event with nothing unusual about it takes the short way of `receive_text`. Everything else takes the long way:
the strict decoder, and the rules of `guard.Guard`. Of a key that a media event holds twice the last counts: the one
thing that the short way takes and the strict decoder does not.
"""

from abc import ABC, abstractmethod
from typing import Final

import msgspec

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import (
    CarrierEvent,
    Ignored,
    MarkReached,
    MediaFormat,
    Started,
    StopCause,
)
from bridge.wire.carriers.fields import FieldError, JsonObject
from bridge.wire.carriers.guard import Guard
from bridge.wire.carriers.intake import Intake
from bridge.wire.carriers.json_media import MediaDecoder
from bridge.wire.close_codes import TOO_BIG
from bridge.wire.strict_json import MESSAGE, decode

MARK_CHARS: Final = 256
NAME_SHOWN: Final = 20  # characters of an event's name

# What a media event may hold beside its audio before the strict decoder has a look at it.
_USUAL_EXTRA: Final = 1_024
_LONGEST: Final = MESSAGE.max_bytes
_INBOUND: Final = ("inbound", None, "inbound_track", "")
_BEFORE_START: Final = MediaFormat("ulaw", 8_000)
_NOT_MEDIA: Final = (msgspec.MsgspecError, UnicodeError, RecursionError)


class JsonReader(ABC):
    """Reads one socket; a subclass knows a carrier's start and its events."""

    stream_key: str
    """Where an event says of which stream it is."""
    intake: type[Intake] = Intake
    """What takes the caller's audio."""

    def __init__(self, decoder: MediaDecoder, patience: int = 1) -> None:
        self._guard = Guard()
        self._decode_media = decoder.decode
        self._patience = patience
        self._stream = ""  # its id, once it has started
        self._started: Started | None = None
        self._intake = self.intake(self._guard, _BEFORE_START, patience)

    @abstractmethod
    def _read_start(self, fields: JsonObject) -> Started:
        """Read the start. Raises: FieldError if it is not as documented."""

    @abstractmethod
    def _event(self, name: str, fields: JsonObject, now_s: float) -> list[CarrierEvent] | None:
        """Take an event between start and stop; None for an unknown one. Raises: FieldError."""

    def hear(self, text: str, now_s: float) -> bytes | None:
        """The audio of a message for which `receive_text` would give one `AudioIn` and nothing else.

        None has taken nothing: `receive_text` shall take it. This is every frame of a usual call, in short.
        """
        if self._guard.state != "live" or len(text) > _LONGEST:
            return None
        try:
            event = self._decode_media(text)
        except _NOT_MEDIA:
            return None
        media = event.media
        if (
            media is None
            or event.event != "media"
            or event.stream != self._stream
            or media.track not in _INBOUND
            or len(text) - len(media.payload) * 4 // 3 > _USUAL_EXTRA
            or not self._intake.hear_next(media, now_s)
        ):
            return None
        return media.payload

    def receive_text(self, text: str, now_s: float) -> list[CarrierEvent]:
        """Take a text message. Raises: RemoteWireError when the carrier's call must end."""
        if self._guard.state != "live" or len(text) > _LONGEST:
            return self._look_at(text, now_s)
        try:
            event = self._decode_media(text)
        except _NOT_MEDIA:
            return self._look_at(text, now_s)
        media = event.media
        if (
            media is None
            or event.event != "media"
            or event.stream != self._stream
            or media.track not in _INBOUND
            or (n_bytes := len(media.payload)) == 0
            or n_bytes % self._intake.align
            or len(text) - n_bytes * 4 // 3 > _USUAL_EXTRA
        ):
            return self._look_at(text, now_s)
        self._guard.check_frame(now_s)
        return self._intake.hear(media, now_s)

    def receive_bytes(self, data: bytes, now_s: float) -> list[CarrierEvent]:
        """Take a binary message, which none of these carriers sends. Raises: RemoteWireError."""
        if self._guard.is_over:
            return [self._guard.after_end()]
        self._guard.check_size(len(data))
        self._guard.check_message(now_s)
        return [self._guard.bad("a binary message", now_s)]

    def receive_close(self, code: int, reason: str, *, ours: bool) -> list[CarrierEvent]:
        """Take the end of the socket: what audio is held, and `Stopped` if it has not come yet."""
        held = self._intake.flush() if self._guard.state == "live" else []
        return [*held, *self._guard.close(code, reason, ours=ours)]

    def _look_at(self, text: str, now_s: float) -> list[CarrierEvent]:
        guard = self._guard
        if guard.is_over:
            return [guard.after_end()]
        try:
            fields = decode(text)
        except RemoteWireError as exc:
            if exc.close_code == TOO_BIG:
                raise guard.refuse(str(exc), TOO_BIG) from None
            return [guard.bad(str(exc), now_s)]
        name = fields.get("event") if isinstance(fields, dict) else None
        if not (isinstance(fields, dict) and isinstance(name, str) and name):
            return [guard.bad("a message that is no event", now_s)]
        try:
            if name == "media":
                return self._media(text, now_s)
            guard.check_message(now_s)
            return self._take(name, fields, now_s)
        except FieldError as exc:
            return [guard.bad(f"the event {name[:NAME_SHOWN]!a}: {exc}", now_s)]

    def _take(self, name: str, fields: JsonObject, now_s: float) -> list[CarrierEvent]:
        """Take an event that is not media."""
        if name == "start":
            return [self._begin(fields)]
        if name == "connected":
            return self._connected(fields)
        if (ignored := self._not_ours(name, fields, now_s)) is not None:
            return [ignored]
        if name == "stop":
            return self._end(fields)
        events = self._event(name, fields, now_s)
        if events is None:
            return [Ignored("unknown", f"an event of the unknown type {name[:NAME_SHOWN]!a}")]
        return events

    def _not_ours(self, name: str, fields: JsonObject, now_s: float) -> Ignored | None:
        if self._guard.state == "waiting":
            return None if name == "stop" else self._guard.early("an event before the start")
        stream = fields.get(self.stream_key)
        if isinstance(stream, str) and stream not in ("", self._stream):
            return self._guard.stray("an event of another stream", now_s)
        return None

    def _begin(self, fields: JsonObject) -> Started:
        try:
            started = self._read_start(fields)
        except FieldError as exc:
            raise self._guard.refuse(f"the start is not as documented: {exc}") from None
        if self._started is not None:
            changed = started.heard != self._started.heard
            sentence = "the audio format changed in mid-call" if changed else "a second start"
            raise self._guard.refuse(sentence)
        self._started = started
        self._stream = started.info.stream_id
        self._intake = self.intake(self._guard, started.heard, self._patience)
        self._guard.state = "live"
        return started

    def _connected(self, fields: JsonObject) -> list[CarrierEvent]:  # noqa: ARG002
        """Nothing: it says which protocol follows."""
        return []

    def _end(self, fields: JsonObject) -> list[CarrierEvent]:
        held = self._intake.flush()
        return [*held, *self._guard.stop(*self._why_stopped(fields))]

    def _why_stopped(self, fields: JsonObject) -> tuple[StopCause, str]:  # noqa: ARG002
        """What a stop says of its cause: nothing."""
        return "stopped", ""

    def _media(self, text: str, now_s: float) -> list[CarrierEvent]:
        """Take a media event that has something unusual about it."""
        guard = self._guard
        guard.check_frame(now_s)
        if guard.state == "waiting":
            return [guard.early("media before the start")]
        try:
            event = self._decode_media(text)
        except _NOT_MEDIA:
            return [guard.bad("a media event that is not as documented", now_s)]
        media = event.media
        if media is None or len(media.payload) % self._intake.align:
            return [guard.bad("a media event without whole samples", now_s)]
        if event.stream and event.stream != self._stream:
            return [guard.stray("media of another stream", now_s)]
        if media.track not in _INBOUND:
            return [Ignored("other stream", "media of another track")]
        return self._intake.hear(media, now_s)

    def _mark_reached(self, name: object) -> list[CarrierEvent]:
        if not isinstance(name, str) or not 0 < len(name) <= MARK_CHARS:
            raise FieldError(f"the mark has no name of at most {MARK_CHARS} characters")
        return [MarkReached(name)]
