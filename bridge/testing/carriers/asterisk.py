"""Asterisk's chan_websocket, emulated: Asterisk dials the application (reference telephony section 5.8).

Source: docs.asterisk.org, Channel-Drivers/WebSocket. Binary messages are bare media in the channel's codec, text
messages are control, in plain text or JSON. Frames that a message does not fill are dropped unless buffering is on;
about 1000 frames may wait, with MEDIA_XOFF at 900 and MEDIA_XON at 800; a message over 65,500 bytes ends the call.
A flush is not confirmed, and no mark that waited comes back. Either side's close hangs the channel up.
"""

import json
from collections.abc import Mapping, Sequence
from typing import ClassVar, Final

from bridge.ids import Ids
from bridge.testing.carriers.json_messages import BadMessage, read_object, text_of
from bridge.testing.carriers.plain_dialect import PlainDialect
from bridge.testing.carriers.socket_carrier import SocketCarrier
from bridge.testing.commands import Answer, Clear, Command, HangUp, Hold, Mark, Message, Play, Wrong
from bridge.testing.phone_call import PhoneCall
from bridge.testing.playout import Playout
from bridge.testing.verbs import Stream
from bridge_codecs.g711 import decode_alaw, decode_ulaw, encode_alaw, encode_ulaw
from bridge_codecs.pcm import Int16, from_bytes, silence, to_bytes

MAX_MESSAGE_BYTES: Final = 65_500
MAX_FRAMES: Final = 1_000
XOFF_FRAMES: Final = 900
XON_FRAMES: Final = 800
RATES: Final = {"ulaw": 8_000, "alaw": 8_000, "slin": 8_000, "slin16": 16_000, "slin24": 24_000}
_COMMANDS: Final = frozenset(
    {
        "ANSWER",
        "HANGUP",
        "START_MEDIA_BUFFERING",
        "STOP_MEDIA_BUFFERING",
        "FLUSH_MEDIA",
        "PAUSE_MEDIA",
        "CONTINUE_MEDIA",
        "MARK_MEDIA",
        "GET_STATUS",
        "REPORT_QUEUE_DRAINED",
        "SET_MEDIA_DIRECTION",
    }
)


class Asterisk(SocketCarrier):
    """An Asterisk whose dialplan dials ``WebSocket/…``; the URL may carry a user and a password."""

    name = "asterisk"
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "codec": tuple(RATES),
        "control": ("text", "json"),
    }
    subprotocols: Sequence[str] = ("media",)

    def dialect(self, call: PhoneCall, stream: Stream) -> "AsteriskMedia":  # noqa: ARG002
        """The channel of this call."""
        json_control = self.option("control") == "json"
        numbers = {"CALLERID(num)": call.facts.from_number, "EXTEN": call.facts.to_number}
        return AsteriskMedia(
            self.option("codec"), numbers, self.world.ids, json_control=json_control
        )


class AsteriskMedia(PlainDialect):
    """One WebSocket channel.

    Args:
        codec: of the channel, by Asterisk's name.
        variables: of the channel, told with JSON control.
        ids: for the connection.
        json_control: whether control is JSON.
    """

    def __init__(
        self, codec: str, variables: Mapping[str, str], ids: Ids, *, json_control: bool
    ) -> None:
        self.said_hz = self.played_hz = RATES[codec]
        self._codec = codec
        self._variables = variables
        self._connection_id = ids.uuid()
        self._channel_id = f"{ids.random.randrange(10**9, 2 * 10**9)}.{ids.random.randrange(1000)}"
        self._json = json_control
        self._frame_bytes = self.said_hz // 50 * (1 if codec in ("ulaw", "alaw") else 2)
        self._buffered: bytearray | None = None
        self._waiting = 0
        self._xoff = False
        self._report_drained = False

    def opening(self) -> Sequence[Message]:
        """MEDIA_START."""
        fields: dict[str, object] = {
            "connection_id": self._connection_id,
            "channel": f"WebSocket/{self._connection_id}",
            "channel_id": self._channel_id,
            "format": self._codec,
            "optimal_frame_size": self._frame_bytes,
            "ptime": 20,
        }
        if self._json:
            fields["channel_variables"] = dict(self._variables)
        return [self._event("MEDIA_START", **fields)]

    def said(self, samples: Int16) -> Sequence[Message]:
        """One frame of 20 ms."""
        return [self._encode(samples)]

    def key(self, digit: str) -> Sequence[Message]:
        """DTMF_END."""
        return [self._event("DTMF_END", digit=digit)]

    def read(self, message: Message) -> Sequence[Command]:
        """A message of the application."""
        size = len(message) if isinstance(message, bytes) else len(message.encode())
        if size > MAX_MESSAGE_BYTES:
            sentence = f"A message has {size} bytes: over {MAX_MESSAGE_BYTES} Asterisk hangs up."
            return [Wrong(sentence), HangUp("it sent a message that is too large")]
        if isinstance(message, bytes):
            return self._media(message)
        try:
            command, argument = self._command(message)
        except BadMessage as error:
            return [Wrong(str(error))]
        return self._obey(command, argument)

    def reached(self, mark: str) -> Sequence[Message]:
        """MEDIA_MARK_PROCESSED, or the end of a buffered transfer."""
        kind, _, name = mark.partition(" ")
        event = "MEDIA_MARK_PROCESSED" if kind == "mark" else "MEDIA_BUFFERING_COMPLETED"
        if self._json:
            return [self._event(event, **({"correlation_id": name} if name else {}))]
        return [f"{event} {name}".rstrip()]

    def cleared(self, marks: Sequence[str]) -> Sequence[Message]:  # noqa: ARG002 - none comes back
        """Nothing: a flush is not confirmed."""
        return ()

    def progress(self, playout: Playout) -> Sequence[Message]:
        """Flow control, and the report that the queue is empty."""
        self._waiting = playout.waiting
        frames = self._waiting // (self.said_hz // 50)
        messages: list[Message] = []
        if self._xoff and frames < XON_FRAMES:
            self._xoff = False
            messages.append(self._event("MEDIA_XON"))
        if self._report_drained and not frames:
            self._report_drained = False
            messages.append(self._event("QUEUE_DRAINED"))
        return messages

    def _event(self, name: str, **fields: object) -> str:
        if self._json:
            return json.dumps({"event": name, **fields})
        return " ".join([name, *(f"{key}:{value}" for key, value in fields.items())])

    def _command(self, text: str) -> tuple[str, str]:
        """A command and its argument, in either form. Raises: BadMessage."""
        if text.lstrip().startswith("{"):
            fields = read_object(text)
            command = text_of(fields, "command", "control")
            argument = str(fields.get("correlation_id") or fields.get("direction") or "")
        else:
            command, _, argument = text.strip().partition(" ")
        if command not in _COMMANDS:
            raise BadMessage(f"Asterisk knows no command “{command[:40]}”; case matters.")
        return command, argument.strip()

    def _obey(self, command: str, argument: str) -> Sequence[Command]:
        asked: Sequence[Command] = ()
        match command:
            case "HANGUP":
                asked = [HangUp("it sent HANGUP")]
            case "FLUSH_MEDIA":
                self._buffered = None
                self._waiting = 0
                asked = [Hold(paused=False), Clear()]
            case "PAUSE_MEDIA" | "CONTINUE_MEDIA":
                asked = [Hold(paused=command == "PAUSE_MEDIA")]
            case "MARK_MEDIA":
                asked = [Mark(f"mark {argument}")]
            case "START_MEDIA_BUFFERING":
                self._buffered = bytearray()
            case "STOP_MEDIA_BUFFERING":
                asked = [*self._flush_buffered(), Mark(f"buffered {argument}")]
            case "REPORT_QUEUE_DRAINED":
                self._report_drained = True
            case "GET_STATUS":
                asked = [Answer(self._status())]
        return asked

    def _status(self) -> str:
        frames = self._waiting // (self.said_hz // 50)
        told = {
            "queue_length": frames,
            "xon_level": XON_FRAMES,
            "xoff_level": XOFF_FRAMES,
            "queue_full": frames >= MAX_FRAMES,
            "bulk_media": self._buffered is not None,
            "media_paused": False,
        }
        plain = {key: str(value).lower() for key, value in told.items()}
        return self._event("STATUS", **(told if self._json else plain))

    def _flush_buffered(self) -> Sequence[Command]:
        """What is left of a buffered transfer, filled up with silence."""
        rest, self._buffered = bytes(self._buffered or b""), None
        if not rest:
            return []
        samples = self._decode(rest[: len(rest) - len(rest) % 2] if self._linear else rest)
        missing = self.said_hz // 50 - samples.size
        return [Play(samples), Play(silence(missing))]

    def _media(self, payload: bytes) -> Sequence[Command]:
        commands: list[Command] = []
        if self._buffered is not None:
            self._buffered += payload
            whole = len(self._buffered) // self._frame_bytes * self._frame_bytes
            payload = bytes(self._buffered[:whole])
            del self._buffered[:whole]
        elif len(payload) % self._frame_bytes:
            commands.append(
                Wrong(
                    f"A binary message has {len(payload)} bytes, no whole frames of {self._frame_bytes}: the rest is "
                    "dropped unless START_MEDIA_BUFFERING was sent."
                )
            )
            payload = payload[: len(payload) // self._frame_bytes * self._frame_bytes]
        if not payload:
            return commands
        return [*commands, *self._queue(self._decode(payload))]

    def _queue(self, samples: Int16) -> Sequence[Command]:
        frame = self.said_hz // 50
        room = MAX_FRAMES * frame - self._waiting
        if samples.size > room:
            lost = Wrong(
                "More audio came than Asterisk's queue of 1000 frames holds: it is lost. Heed MEDIA_XOFF."
            )
            return [lost, *([Play(samples[:room])] if room > 0 else [])]
        self._waiting += samples.size
        if not self._xoff and self._waiting >= XOFF_FRAMES * frame:
            self._xoff = True
            return [Play(samples), Answer(self._event("MEDIA_XOFF"))]
        return [Play(samples)]

    @property
    def _linear(self) -> bool:
        return self._codec not in ("ulaw", "alaw")

    def _encode(self, samples: Int16) -> bytes:
        if self._linear:
            return to_bytes(samples)
        return encode_ulaw(samples) if self._codec == "ulaw" else encode_alaw(samples)

    def _decode(self, payload: bytes) -> Int16:
        if self._linear:
            return from_bytes(payload)
        return decode_ulaw(payload) if self._codec == "ulaw" else decode_alaw(payload)
