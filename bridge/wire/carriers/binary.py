"""What the carriers that send audio as binary messages have in common; each adds its text messages.

Binary is audio without any header, text is for everything else. The order and the limits are those of `guard.py`.
Measured: 0.6 us for a message of the caller's, 0.2 us for one of ours.
"""

from abc import ABC, abstractmethod
from typing import Final

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.carriers.base import (
    AudioIn,
    CarrierEvent,
    CarrierWarning,
    Ignored,
    MediaFormat,
    Message,
    Started,
    StartInfo,
    StopCause,
    Traits,
)
from bridge.wire.carriers.fields import FieldError, JsonObject, words
from bridge.wire.carriers.guard import FROM_CARRIER, Guard
from bridge.wire.carriers.make import DEFAULTS, WireOptions
from bridge.wire.carriers.shapes import PayloadShape, shape_of
from bridge.wire.close_codes import TOO_BIG, ending
from bridge.wire.strict_json import decode
from bridge_codecs.filterbank import RATES_HZ

ODD_MESSAGES: Final = 3
"""Messages of another length than documented, in a row, until that is worth a warning."""
LONGEST_MESSAGE: Final = 65_500
"""Bytes of audio in one message of ours; Asterisk hangs up over more, and nobody needs it."""


class BinaryWire(ABC):
    """The frame of such a carrier's machine: a subclass reads its texts in `_read` and calls `_start`."""

    traits: Traits
    sender: str
    """Who this is, in sentences for people."""
    close_means: StopCause = "stopped"
    """What an orderly close by the carrier says of the phone call."""

    def __init__(self, options: WireOptions = DEFAULTS) -> None:
        self._options = options
        self._guard = Guard()
        self._shape = PayloadShape()
        self._align = 1
        self._s_per_byte = 0.0  # 0: a message says itself how long it is
        self._expected = 0  # bytes of a message of the caller's, where that is documented
        self._unexpected = 0  # messages in a row

    def receive_text(self, text: str, now_s: float) -> list[CarrierEvent]:
        """A text message of the carrier."""
        guard = self._guard
        if guard.is_over:
            return [guard.after_end()]
        guard.check_message(now_s)
        try:
            return self._read(text, now_s)
        except FieldError as exc:
            return [guard.bad(str(exc), now_s)]

    def receive_bytes(self, data: bytes, now_s: float) -> list[CarrierEvent]:
        """A binary message of the carrier: the caller's audio."""
        guard, n_bytes = self._guard, len(data)
        if guard.state != "live":
            return [self._untimely()]
        if n_bytes > FROM_CARRIER.frame_bytes:
            guard.check_size(n_bytes)
        guard.check_frame(now_s)
        if not n_bytes:
            return [Ignored("empty", "a binary message without audio")]
        if n_bytes % self._align:
            return [guard.bad("a binary message ends inside a sample", now_s)]
        audio_s = n_bytes * self._s_per_byte or self._shape.ms_of(data) / 1_000
        refused = guard.admit(audio_s, now_s)
        if refused is not None:
            return [refused]
        if n_bytes != self._expected and self._expected:
            return [AudioIn(data), *self._odd_length()]
        self._unexpected = 0
        return [AudioIn(data)]

    def receive_close(self, code: int, reason: str, *, ours: bool) -> list[CarrierEvent]:
        """The socket is over."""
        if self.close_means != "stopped" and not ours and (end := ending(code, reason)).orderly:
            return [*self._guard.stop(self.close_means, words(end.sentence))]
        return [*self._guard.close(code, reason, ours=ours)]

    def audio(self, payload: bytes) -> Message:
        """The message that plays this audio. Raises: LocalWireError if it is empty or too long."""
        self._check_ours(len(payload), LONGEST_MESSAGE)
        return payload

    def mark(self, name: str) -> tuple[Message, ...]:  # noqa: ARG002 - for carriers without marks
        """Nothing: this carrier has no marks."""
        return ()

    def clear(self) -> tuple[Message, ...]:
        """Nothing: this carrier cannot."""
        return ()

    def digits(self, digits: str) -> tuple[Message, ...]:  # noqa: ARG002 - never a message here
        """Nothing: no carrier of this kind takes keys on its socket."""
        return ()

    def hang_up(self) -> tuple[Message, ...]:
        """Nothing: this carrier's socket cannot."""
        return ()

    @property
    def _live(self) -> bool:
        return self._guard.state == "live"

    @abstractmethod
    def _read(self, text: str, now_s: float) -> list[CarrierEvent]:
        """Take one text. Raises: FieldError if it is not as documented."""

    def _json(self, text: str) -> JsonObject:
        """The object that a text is in JSON. Raises: FieldError if it is none."""
        try:
            message = decode(text)
        except RemoteWireError as exc:
            if exc.close_code == TOO_BIG:
                raise self._guard.refuse(str(exc), TOO_BIG) from None
            raise FieldError(str(exc)) from None
        if not isinstance(message, dict):
            raise FieldError("a message is not an object")
        return message

    def _start(self, info: StartInfo, heard: MediaFormat, played: MediaFormat) -> Started:
        """Open the stream. Raises: RemoteWireError the second time, or for an unsupported rate."""
        self._check_not_started()
        for rate_hz in (heard.rate_hz, played.rate_hz):
            if rate_hz not in RATES_HZ:
                raise self._guard.refuse(f"{self.sender} has audio at {rate_hz} Hz: not supported")
        self._guard.state = "live"
        self._shape = shape_of(heard)
        self._align = self._shape.align
        self._s_per_byte = 1 / self._shape.bytes_per_s if self._shape.bytes_per_s else 0.0
        return Started(info, heard, played)

    def _check_not_started(self) -> None:
        if self._guard.state != "waiting":
            raise self._guard.refuse(f"{self.sender} started the stream a second time")

    def _check_ours(self, n_bytes: int, longest: int) -> None:
        if self._guard.state == "waiting":
            raise LocalWireError(f"audio for {self.sender} before its stream has started")
        if not 0 < n_bytes <= longest:
            raise LocalWireError(f"a message of {n_bytes} bytes of audio for {self.sender}")

    def _untimely(self) -> CarrierEvent:
        if self._guard.state == "waiting":
            return self._guard.early("audio before the start")
        return self._guard.after_end()

    def _odd_length(self) -> list[CarrierEvent]:
        self._unexpected += 1
        if self._unexpected < ODD_MESSAGES:
            return []
        self._expected = 0  # said once
        return [CarrierWarning("the audio is not in messages of the length that was announced")]
