"""Asterisk's AudioSocket, emulated: a TCP connection to the application (reference telephony section 5.7).

Source: docs.asterisk.org, Channel-Drivers/AudioSocket; res_audiosocket.c. Frames of one type byte, two length bytes
(big-endian) and a payload. There is no queue to speak of, no clear and no mark: what comes much faster than it is
played is lost, and silence comes when nothing is sent. Any frame but audio and hang-up ends the session.
"""

import random
import uuid
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from bridge.testing.carriers.plain_dialect import PlainDialect
from bridge.testing.carriers.socket_carrier import SocketCarrier
from bridge.testing.commands import Command, HangUp, Message, Play, StreamEnd, Wrong
from bridge.testing.phone_call import PhoneCall
from bridge.testing.playout import Playout
from bridge.testing.verbs import Stream
from bridge_codecs.pcm import Int16, from_bytes, to_bytes

HANG_UP: Final = 0x00
UUID: Final = 0x01
DTMF: Final = 0x03
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
MAX_AHEAD_S: Final = 0.5
"""More than this is lost: the channel behind it has no room."""
_TYPES: Final = {"8000": 0x10, "16000": 0x12, "24000": 0x13, "48000": 0x16}


class AudioSocket(SocketCarrier):
    """An Asterisk whose dialplan runs AudioSocket(); the URL is ``tcp://host:port``, or with ``/UUID`` at its end."""

    name = "audiosocket"
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {"rate": tuple(_TYPES)}

    def dialect(self, call: PhoneCall, stream: Stream) -> "AudioSocketMedia":
        """The session of this call."""
        last = stream.url.rpartition("/")[2]
        try:
            call_uuid = uuid.UUID(last)
        except ValueError:
            call_uuid = uuid.UUID(call.facts.call_id)
        world = self.world
        # TCP knows no messages: on a bad network a frame may come in pieces.
        cuts = None if world.profile.name == "clean" else random.Random(f"{world.seed} cuts")  # noqa: S311
        return AudioSocketMedia(call_uuid, _TYPES[self.option("rate")], cuts)


class AudioSocketMedia(PlainDialect):
    """One session.

    Args:
        call_uuid: told first.
        kind: type byte of the caller's audio.
        cuts: where frames are cut into pieces; None: nowhere.
    """

    def __init__(self, call_uuid: uuid.UUID, kind: int, cuts: random.Random | None) -> None:
        self.said_hz = self.played_hz = RATES[kind]
        self._uuid = call_uuid
        self._kind = kind
        self._cuts = cuts
        self._unread = bytearray()
        self._waiting = 0

    def opening(self) -> Sequence[Message]:
        """The call's UUID."""
        return self._frame(UUID, self._uuid.bytes)

    def said(self, samples: Int16) -> Sequence[Message]:
        """20 ms."""
        return self._frame(self._kind, to_bytes(samples))

    def key(self, digit: str) -> Sequence[Message]:
        """One ASCII byte."""
        return self._frame(DTMF, digit.encode("ascii"))

    def read(self, message: Message) -> Sequence[Command]:
        """Bytes of the application: whole frames of them are obeyed."""
        if isinstance(message, str):
            return [Wrong("AudioSocket is no WebSocket: text came.", "protocol error")]
        self._unread += message
        commands: list[Command] = []
        while len(self._unread) >= 3:
            kind, size = self._unread[0], int.from_bytes(self._unread[1:3], "big")
            if len(self._unread) < 3 + size:
                break
            payload = bytes(self._unread[3 : 3 + size])
            del self._unread[: 3 + size]
            commands.extend(self._obey(kind, payload))
        return commands

    def progress(self, playout: Playout) -> Sequence[Message]:
        """Nothing is told, but what waits is counted."""
        self._waiting = playout.waiting
        return ()

    def closing(self, end: StreamEnd) -> Sequence[Message]:
        """The caller's hang-up is a frame; an error is one too."""
        if end.error:
            return self._frame(ERROR, b"\x01")
        return self._frame(HANG_UP, b"") if end.by != "application" else ()

    def _frame(self, kind: int, payload: bytes) -> Sequence[Message]:
        frame = bytes([kind]) + len(payload).to_bytes(2, "big") + payload
        if self._cuts is None:
            return [frame]
        cut = self._cuts.randrange(1, len(frame))
        return [frame[:cut], frame[cut:]]

    def _obey(self, kind: int, payload: bytes) -> Sequence[Command]:
        if kind == HANG_UP:
            return [HangUp("it sent the hang-up frame")]
        if kind not in RATES:
            return [
                Wrong(f"An application may not send frames of type 0x{kind:02x}.", "protocol error")
            ]
        if RATES[kind] != self.played_hz:
            return [Wrong(f"Audio of {RATES[kind]} Hz came on a channel of {self.played_hz} Hz.")]
        if len(payload) % 2:
            return [Wrong("A frame has half a sample at its end.")]
        samples = from_bytes(payload)
        self._waiting += samples.size
        if self._waiting > MAX_AHEAD_S * self.played_hz:
            self._waiting -= samples.size
            return [
                Wrong(
                    "Audio comes faster than it is played: AudioSocket has no queue, send 20 ms every 20 ms."
                )
            ]
        return [Play(samples)]
