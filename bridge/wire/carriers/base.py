"""What every carrier's media socket has in common: events in, commands out, and the traits that differ.

A carrier's protocol is one small class without a socket: it turns what the carrier sends into the events below and
our commands into the carrier's messages. One driver (``bridge.legs.carrier``) serves all of them. Sources: the
carriers' own pages, named in each module; the common model is reference telephony section 0.

Time is an argument, in seconds of any monotonic clock. Audio stays encoded here: the driver decodes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias, runtime_checkable

import msgspec

CarrierName: TypeAlias = Literal[
    "twilio",
    "telnyx",
    "plivo",
    "exotel",
    "vonage",
    "genesys",
    "audiosocket",
    "asterisk",
    "jambonz",
    "audio_fork",
    "audio_stream",
]
Encoding: TypeAlias = Literal["ulaw", "alaw", "l16le", "l16be", "g722", "opus"]
Message: TypeAlias = str | bytes
"""One message for the carrier's socket: a text or a binary one."""


@dataclass(frozen=True, slots=True)
class MediaFormat:
    """How one direction of audio is encoded."""

    encoding: Encoding
    rate_hz: int
    """Of the samples after decoding, Hz (G.722: 16,000)."""
    channels: int = 1
    """Interleaved; the caller is the first."""


@dataclass(frozen=True, slots=True)
class StartInfo:
    """Who is on the line. What the carrier did not say is empty. All of it is foreign text, bounded in length."""

    call_id: str
    """The carrier's id of the phone call: CallSid, call_control_id, callId …"""
    stream_id: str = ""
    account_id: str = ""
    from_number: str = ""
    to_number: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Custom parameters that whoever opened the stream gave along."""
    more: Mapping[str, object] = field(default_factory=dict)
    """What else the carrier said of the call, plain JSON."""


@dataclass(frozen=True, slots=True)
class Started:
    """The stream is open: comes once, before any audio."""

    info: StartInfo
    heard: MediaFormat
    """Of the caller's audio."""
    played: MediaFormat
    """Of the audio that the carrier takes from us."""


class AudioIn(msgspec.Struct, frozen=True, gc=False):  # made 50 times a second: a fifth of the time
    """The caller's audio, encoded, in order; never empty."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class AudioMissing:
    """Audio of the caller that will not come: so much silence stands for it, ms."""

    ms: float


@dataclass(frozen=True, slots=True)
class MarkReached:
    """A mark came back. It does not say whether the audio before it was played or flushed: the ledger knows."""

    name: str


@dataclass(frozen=True, slots=True)
class MarkFlushed:
    """The carrier says itself that the audio before this mark was flushed."""

    name: str


@dataclass(frozen=True, slots=True)
class DigitIn:
    """The caller pressed a key: one of 0-9 A-D * #."""

    digit: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The protocol asks for this answer now."""

    message: Message


@dataclass(frozen=True, slots=True)
class Flow:
    """The carrier's buffer is full (`open` false: send no audio) or has room again."""

    open: bool


@dataclass(frozen=True, slots=True)
class CarrierWarning:
    """The carrier complains of something; the call goes on. The words are the carrier's, bounded."""

    text: str


StopCause: TypeAlias = Literal[
    "stopped",  # the stream is over; whether the phone call lives on is not known
    "caller_hung_up",
    "lost",  # the connection broke
]


@dataclass(frozen=True, slots=True)
class Stopped:
    """The stream is over: the last event, and only once."""

    cause: StopCause
    detail: str = ""


IgnoredReason: TypeAlias = Literal[
    "unknown",  # an event of a type we do not know: carriers add some without notice
    "bad",  # not JSON, a field missing or of a wrong type, base64 that is not, half a sample
    "early",  # media before the start
    "late",  # repeated, or too late to be put in order
    "other stream",  # of another stream's id or another track
    "after the end",
    "too fast",  # more than time explains
    "empty",
]


@dataclass(frozen=True, slots=True)
class Ignored:
    """Something of the carrier's was dropped. The reason is for counters, the detail for people."""

    reason: IgnoredReason
    detail: str = ""


CarrierEvent: TypeAlias = (
    Started
    | AudioIn
    | AudioMissing
    | MarkReached
    | MarkFlushed
    | DigitIn
    | Reply
    | Flow
    | CarrierWarning
    | Stopped
    | Ignored
)

MarkRule: TypeAlias = Literal[
    "echoed",  # every mark comes back, after a clear at once (Twilio, Telnyx)
    "silent",  # a mark comes back only if the audio before it was played (Plivo, Vonage)
    "told",  # comes back with what became of it (jambonz)
    "none",  # the carrier has no marks: the play-out clock alone tells
]


@dataclass(frozen=True, slots=True)
class Traits:
    """What the driver has to know of a carrier, besides its messages."""

    name: CarrierName
    marks: MarkRule
    clears: bool
    """Whether a clear can be sent; if not, silence comes when what was sent has been played."""
    frame_ms: int = 20
    """Audio in one message of ours, ms."""
    whole_frames: bool = False
    """Whether the last frame of an utterance must be padded to the full length."""
    ahead_ms: int = 300
    """How far ahead of the caller's ear we send at most, ms."""
    ends_by: Literal["rest", "message", "close"] = "rest"
    """How the phone call is hung up; closing the socket follows in any case."""
    digits_by: Literal["rest", "message", "tones"] = "tones"
    """How keys are pressed towards the caller's side; tones are played into the audio."""
    transfers: bool = False
    """Whether the carrier can send the caller elsewhere: by its REST API, or by a message (`SendsAway`)."""


@runtime_checkable
class SendsAway(Protocol):
    """A wire on which the caller is sent elsewhere by a message, if its traits say that the carrier can."""

    def transfer(self, target: str) -> tuple[Message, ...]:
        """Send the caller to another number or SIP address; the carrier ends the stream."""
        ...


@runtime_checkable
class HearsText(Protocol):
    """A wire whose audio comes in text messages."""

    def hear(self, text: str, now_s: float) -> bytes | None:
        """The audio of a message for which `receive_text` would give one `AudioIn` and nothing else.

        None has taken nothing: `receive_text` shall take it. This is every frame of a usual call, in short.
        """
        ...


class CarrierWire(Protocol):
    """One carrier's media socket as a machine without a socket.

    A carrier that breaks its protocol beyond what is ignored raises RemoteWireError, from the three ``receive_…``
    methods only. Commands before the start, or after the end, give nothing.
    """

    traits: Traits

    def receive_text(self, text: str, now_s: float) -> list[CarrierEvent]:
        """A text message of the carrier."""
        ...

    def receive_bytes(self, data: bytes, now_s: float) -> list[CarrierEvent]:
        """A binary message of the carrier."""
        ...

    def receive_close(self, code: int, reason: str, *, ours: bool) -> list[CarrierEvent]:
        """The socket is over: `Stopped` if it has not come yet."""
        ...

    def audio(self, payload: bytes) -> Message:
        """The message that plays this encoded audio to the caller; only after the start."""
        ...

    def mark(self, name: str) -> tuple[Message, ...]:
        """Ask to be told when all audio sent so far has been played.

        Nothing where the carrier has no marks, or tells of its playback unasked: then `MarkReached` comes all the same.
        """
        ...

    def clear(self) -> tuple[Message, ...]:
        """Drop what has not been played; nothing where the carrier cannot."""
        ...

    def digits(self, digits: str) -> tuple[Message, ...]:
        """Press these keys, where that is a message (`digits_by`)."""
        ...

    def hang_up(self) -> tuple[Message, ...]:
        """End the phone call, where that is a message (`ends_by`); the carrier's answer is `Stopped`."""
        ...
