"""jambonz listen, FreeSWITCH's mod_audio_fork and mod_audio_stream, emulated (reference telephony 5.9 and 5.10).

Sources: jambonz listen webhook page and feature-server lib/tasks/listen.js; freeswitch-modules mod_audio_fork;
mod_audio_stream README. A first text message tells of the call, then binary 16-bit audio goes to the application.
jambonz and the fork take bare binary audio back; mod_audio_stream takes ``streamAudio`` messages, which its
FreeSWITCH plays one after the other.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

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
from bridge.testing.carriers.socket_carrier import SocketCarrier
from bridge.testing.commands import (
    Answer,
    Clear,
    Command,
    Connect,
    DropMarks,
    EndStream,
    Mark,
    Message,
    Play,
    Wrong,
)
from bridge.testing.phone_call import PhoneCall
from bridge.testing.verbs import Stream
from bridge_codecs.pcm import Int16, to_bytes

MAX_MESSAGE_BYTES: Final = 64 * 1024
KEY_TICKS: Final = "1600"
"""Of a key, in RTP timestamp units: 200 ms."""


@dataclass(frozen=True, slots=True)
class Habits:
    """What differs from one of them to another."""

    name: str
    binary_back: bool
    """Whether bare binary audio is played."""
    marks: bool
    stream_audio: bool = False
    """Whether ``streamAudio`` messages are played."""
    transfers: bool = False
    """Whether ``transfer`` reaches an application that connects the caller to its ``target``."""
    early_marks: bool = False
    """Whether marks come back at once, as some builds of jambonz have them."""


class Forked(SocketCarrier):
    """Sends a call's audio to a socket and plays what comes back."""

    habits: ClassVar[Habits]

    def dialect(self, call: PhoneCall, stream: Stream) -> "ForkedMedia":  # noqa: ARG002
        """The stream of this call."""
        return ForkedMedia(self.habits, self.metadata(call), int(self.option("rate")))

    def metadata(self, call: PhoneCall) -> Mapping[str, object]:
        """The first text message."""
        raise NotImplementedError


class Jambonz(Forked):
    """jambonz with a ``listen`` verb: two-way streaming audio, keys passed on."""

    name = "jambonz"
    subprotocols: Sequence[str] = ("audio.jambonz.org",)
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "rate": ("8000", "16000", "24000", "48000"),
        "output_rate": ("same", "8000", "16000", "24000", "48000"),
        "marks": ("played", "early"),
    }
    """`output_rate`: of what it plays, as its ``bidirectionalAudio`` has it."""

    def dialect(self, call: PhoneCall, stream: Stream) -> "ForkedMedia":  # noqa: ARG002
        """The stream of this call."""
        early = self.option("marks") == "early"
        habits = Habits("jambonz", binary_back=True, marks=True, early_marks=early)
        media = ForkedMedia(habits, self.metadata(call), int(self.option("rate")))
        if self.option("output_rate") != "same":
            media.played_hz = int(self.option("output_rate"))
        return media

    def metadata(self, call: PhoneCall) -> Mapping[str, object]:
        """The call's attributes, as its webhooks have them."""
        facts = call.facts
        return {
            "callSid": facts.call_id,
            "direction": facts.direction,
            "from": facts.from_number,
            "to": facts.to_number,
            "callId": f"{facts.call_id}@sip",
            "sipStatus": 200,
            "sipReason": "OK",
            "callStatus": "in-progress",
            "accountSid": self.account.account_id,
            "applicationSid": "tipring",
            "originatingSipIp": "198.51.100.9",
            "sampleRate": int(self.option("rate")),
            "mixType": "mono",
        }


class AudioFork(Forked):
    """FreeSWITCH with mod_audio_fork in its two-way form."""

    name = "audio_fork"
    subprotocols: Sequence[str] = ("audio.drachtio.org",)
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {"rate": ("8000", "16000")}
    habits = Habits("mod_audio_fork", binary_back=True, marks=True, transfers=True)

    def metadata(self, call: PhoneCall) -> Mapping[str, object]:
        """What the dialplan gave along."""
        facts = call.facts
        return {
            "callSid": facts.call_id,
            "uuid": facts.call_id,
            "from": facts.from_number,
            "to": facts.to_number,
            "sampleRate": int(self.option("rate")),
            "mixType": "mono",
        }


class AudioStream(Forked):
    """FreeSWITCH with mod_audio_stream, its community build."""

    name = "audio_stream"
    OPTIONS: ClassVar[Mapping[str, tuple[str, ...]]] = {"rate": ("8000", "16000")}
    habits = Habits("mod_audio_stream", binary_back=False, marks=False, stream_audio=True)

    def metadata(self, call: PhoneCall) -> Mapping[str, object]:
        """What the dialplan gave along."""
        facts = call.facts
        return {
            "uuid": facts.call_id,
            "from": facts.from_number,
            "to": facts.to_number,
            "sampleRate": int(self.option("rate")),
        }


class ForkedMedia(PlainDialect):
    """One stream, both ways.

    Args:
        habits: whose stream.
        metadata: the first text message.
        rate_hz: of both directions.
    """

    def __init__(self, habits: Habits, metadata: Mapping[str, object], rate_hz: int) -> None:
        self.said_hz = self.played_hz = rate_hz
        self._habits = habits
        self._metadata = metadata
        self._odd = b""

    def opening(self) -> Sequence[Message]:
        """The metadata."""
        return [json.dumps(self._metadata)]

    def said(self, samples: Int16) -> Sequence[Message]:
        """20 ms."""
        return [to_bytes(samples)]

    def key(self, digit: str) -> Sequence[Message]:
        """A key, as jambonz passes it on, and as a dialplan would by `send_text`."""
        return [json.dumps({"event": "dtmf", "dtmf": digit, "duration": KEY_TICKS})]

    def read(self, message: Message) -> Sequence[Command]:
        """A message of the application."""
        if len(message) > MAX_MESSAGE_BYTES:
            return [
                Wrong(
                    f"A message is larger than {MAX_MESSAGE_BYTES} bytes: the socket breaks.",
                    "1006",
                )
            ]
        try:
            return self._binary(message) if isinstance(message, bytes) else self._text(message)
        except BadMessage as error:
            return [Wrong(str(error))]

    def reached(self, mark: str) -> Sequence[Message]:
        """The audio before it was played."""
        return [_mark(mark, "playout")]

    def cleared(self, marks: Sequence[str]) -> Sequence[Message]:
        """The audio before them was dropped, and that is said."""
        return [_mark(mark, "cleared") for mark in marks]

    def _binary(self, payload: bytes) -> Sequence[Command]:
        if not self._habits.binary_back:
            return [Wrong(f"{self._habits.name} plays no binary audio: send streamAudio.")]
        payload = self._odd + payload
        whole = len(payload) - len(payload) % 2
        self._odd = payload[whole:]
        return [Play(linear_of(payload[:whole]))] if whole else []

    def _text(self, text: str) -> Sequence[Command]:
        fields = read_object(text)
        kind = text_of(fields, "type", "command")
        match kind:
            case "killAudio":
                self._odd = b""
                return [Clear()]
            case "disconnect":
                return [EndStream("it sent disconnect")]
            case "transfer" if self._habits.transfers:
                return [Connect(text_of(part_of(fields, "data", "transfer"), "target", "transfer"))]
            case "mark" if self._habits.marks:
                name = text_of(part_of(fields, "data", "mark"), "name", "mark")
                return (
                    [Answer(_mark(name, "playout"))] if self._habits.early_marks else [Mark(name)]
                )
            case "clearMarks" if self._habits.marks:
                return [DropMarks()]
            case "streamAudio" if self._habits.stream_audio:
                return self._stream_audio(part_of(fields, "data", "streamAudio"))
            case _:
                raise BadMessage(f"{self._habits.name} knows no “{kind[:40]}” message.")

    def _stream_audio(self, data: Fields) -> Sequence[Command]:
        if data.get("audioDataType") != "raw":
            return [Wrong("This emulator plays streamAudio of the type raw only.")]
        if str(data.get("sampleRate")) != str(self.played_hz):
            return [
                Wrong(f"streamAudio says {data.get('sampleRate')} Hz; here it is {self.played_hz}.")
            ]
        return [Play(linear_of(payload_of(data, "audioData", "streamAudio")))]


def _mark(name: str, event: str) -> str:
    return json.dumps({"type": "mark", "data": {"name": name, "event": event}})
