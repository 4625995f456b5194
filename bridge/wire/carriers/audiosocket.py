"""Asterisk's AudioSocket: frames of type, length and value over TCP.

Sources: asterisk/documentation, Configuration/Channel-Drivers/AudioSocket.md; asterisk/asterisk,
include/asterisk/res_audiosocket.h and res/res_audiosocket.c.

- A frame is one byte of type, two of length (big-endian) and the value; one frame is one binary message here, with its
  header, both ways. `TlvReader` cuts them out of the stream.
- Asterisk first says the UUID of the stream. Audio is signed 16-bit, little-endian, mono; its type says the rate, so
  the stream starts with the first audio, unless the rate is configured (``WireOptions.played``).
- Nothing is queued there: no marks and no clear, and we keep the time. What comes goes straight on to the phone, whose
  own buffer can take three frames at once: so much network jitter is not heard. Whatever is neither audio nor a
  hang-up ends the session if we send it. Older releases know audio at 8 kHz only, so we send the type that we are sent.
"""

from typing import Final
from uuid import UUID

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.carriers.base import (
    CarrierEvent,
    CarrierWarning,
    Ignored,
    MediaFormat,
    Message,
    StartInfo,
    Traits,
)
from bridge.wire.carriers.binary import BinaryWire
from bridge.wire.carriers.fields import FieldError
from bridge.wire.carriers.make import DEFAULTS, WireOptions

HEADER_BYTES: Final = 3
LONGEST_PAYLOAD: Final = 0xFFFF

HANG_UP: Final = 0x00
IDENTITY: Final = 0x01
DIGIT: Final = 0x03
ERROR: Final = 0xFF
RATES: Final = {
    0x10: 8_000,
    0x11: 12_000,
    0x12: 16_000,
    0x13: 24_000,
    0x14: 32_000,
    0x15: 44_100,
    0x16: 48_000,
    0x17: 96_000,
    0x18: 192_000,
}
"""The types of audio, and their rates, Hz."""

_UUID_BYTES: Final = 16
_FIRST_HEADER: Final = bytes((IDENTITY, 0, _UUID_BYTES))
_TYPES: Final = {rate_hz: kind for kind, rate_hz in RATES.items()}
_CALLER_LEFT: Final = 0x01  # of the error codes


class TlvReader:
    """Cuts a TCP stream into frames, each with its header; it never holds more than one frame."""

    __slots__ = ("_identified", "_needed", "_rest")

    def __init__(self) -> None:
        self._rest = bytearray()
        self._needed = HEADER_BYTES  # bytes until there is something new to see
        self._identified = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take what has come; return the frames that it completes.

        Raises: RemoteWireError, as soon as it shows, if the stream does not begin with a UUID.
        """
        rest = self._rest
        rest += data
        if len(rest) < self._needed:
            return []
        frames, at = [], 0
        while len(rest) - at >= HEADER_BYTES:
            if not self._identified:
                self._identify(bytes(rest[:HEADER_BYTES]))
            end = at + HEADER_BYTES + (rest[at + 1] << 8 | rest[at + 2])
            if len(rest) < end:
                self._needed = end - at
                break
            frames.append(bytes(rest[at:end]))
            at = end
        else:
            self._needed = HEADER_BYTES
        del rest[:at]
        return frames

    def _identify(self, header: bytes) -> None:
        if header != _FIRST_HEADER:
            raise RemoteWireError("an AudioSocket stream begins with a UUID, and this one does not")
        self._identified = True


class AudioSocketWire(BinaryWire):
    """One AudioSocket connection."""

    traits = Traits(
        "audiosocket",
        marks="none",
        clears=False,
        whole_frames=True,
        ahead_ms=60,
        ends_by="message",
    )
    sender = "Asterisk"
    close_means = "caller_hung_up"

    def __init__(self, options: WireOptions = DEFAULTS) -> None:
        super().__init__(options)
        self._uuid = ""
        self._kind = -1  # the type of audio, once it is known
        self._n_header = -1  # the length that `_header` announces
        self._header = b""

    def receive_bytes(self, data: bytes, now_s: float) -> list[CarrierEvent]:
        """Take one frame, header included."""
        n_payload = len(data) - HEADER_BYTES
        if n_payload < 0 or data[1] << 8 | data[2] != n_payload:
            return self._not_a_frame(now_s)
        if data[0] == self._kind:
            return super().receive_bytes(data[HEADER_BYTES:], now_s)
        if self._guard.is_over:
            return [self._guard.after_end()]
        if data[0] in RATES:
            return self._first_audio(data, now_s)
        self._guard.check_message(now_s)
        return self._control(data[0], data[HEADER_BYTES:], now_s)

    def audio(self, payload: bytes) -> Message:
        """The frame that plays this audio. Raises: LocalWireError if it is empty, too long or half a sample."""
        n_bytes = len(payload)
        self._check_ours(n_bytes, LONGEST_PAYLOAD)
        if n_bytes != self._n_header:
            if n_bytes % 2:
                raise LocalWireError("audio for Asterisk ends inside a sample")
            self._n_header, self._header = (
                n_bytes,
                bytes((self._kind, n_bytes >> 8, n_bytes & 0xFF)),
            )
        return self._header + payload

    def hang_up(self) -> tuple[Message, ...]:
        """Hang the channel up."""
        return (bytes((HANG_UP, 0, 0)),) if self._live else ()

    def _read(self, text: str, now_s: float) -> list[CarrierEvent]:  # noqa: ARG002 - whatever it says
        raise FieldError("a text on a socket that has none")

    def _not_a_frame(self, now_s: float) -> list[CarrierEvent]:
        if self._guard.is_over:
            return [self._guard.after_end()]
        return [self._guard.bad("a frame of another length than its header says", now_s)]

    def _first_audio(self, data: bytes, now_s: float) -> list[CarrierEvent]:
        """Audio of another type than before, or the first at all."""
        rate_hz = RATES[data[0]]
        if self._live:
            raise self._guard.refuse(f"Asterisk changed to audio at {rate_hz} Hz")
        if not self._uuid:
            return [self._guard.early("audio before the UUID")]
        return [self._begin(rate_hz), *self.receive_bytes(data, now_s)]

    def _control(self, kind: int, value: bytes, now_s: float) -> list[CarrierEvent]:
        guard = self._guard
        if kind == IDENTITY:
            return self._identity(value, now_s)
        if kind == HANG_UP or (kind == ERROR and value == bytes((_CALLER_LEFT,))):
            return [*guard.stop("caller_hung_up")]
        if not self._live:
            return [guard.early("a frame before the first audio")]
        if kind == DIGIT:
            return [guard.digit(value.decode("latin-1"), now_s)]
        if kind == ERROR:
            return [CarrierWarning(f"Asterisk's side failed with code {value[:8].hex() or 'none'}")]
        return [Ignored("unknown", f"a frame of type {kind:#04x}")]

    def _identity(self, value: bytes, now_s: float) -> list[CarrierEvent]:
        if self._uuid:
            raise self._guard.refuse("Asterisk said the UUID a second time")
        if len(value) != _UUID_BYTES:
            return [self._guard.bad("a UUID that has not 16 bytes", now_s)]
        self._uuid = str(UUID(bytes=value))
        played = self._options.played
        return [] if played is None else [self._begin(played.rate_hz)]

    def _begin(self, rate_hz: int) -> CarrierEvent:
        if rate_hz not in _TYPES:
            raise self._guard.refuse(f"AudioSocket has no audio at {rate_hz} Hz")
        self._kind = _TYPES[rate_hz]
        media = MediaFormat("l16le", rate_hz)
        return self._start(StartInfo(call_id=self._uuid, stream_id=self._uuid), media, media)
