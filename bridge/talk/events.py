"""What a call tells whoever takes part in it: frozen dataclasses, one for each kind of news.

Names follow the vendor's SDKs where the meaning is the same (reference 3.4: `status`, `transcripts`, `data_message`,
`mic_muted`, `speaker_muted`). Instants are seconds since the call was joined, on the event loop's clock.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from bridge.legs.base import EndReason
from bridge.talk.facts import (
    LIVE,
    SessionFigures,
    Status,
    ToolRun,
    ToolState,
    Transcript,
    Turn,
)
from bridge.wire.messages import Medium, ServerMessage, UnknownMessage

__all__ = [
    "LIVE",
    "CallEnded",
    "DataMessage",
    "DigitsSent",
    "Interrupted",
    "MicMuted",
    "Noted",
    "OutputMediumSet",
    "SessionEvent",
    "SessionFigures",
    "SpeakerMuted",
    "Status",
    "StatusChanged",
    "ToolChanged",
    "ToolRun",
    "ToolState",
    "Transcript",
    "TranscriptChanged",
    "Turn",
    "TurnMeasured",
]


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """The session's status is another one; `was` is the one before."""

    kind: ClassVar[Literal["status"]] = "status"
    at_s: float
    status: Status
    was: Status


@dataclass(frozen=True, slots=True)
class TranscriptChanged:
    """An utterance began, went on, ended, or was cut off: all of it as it stands now."""

    kind: ClassVar[Literal["transcripts"]] = "transcripts"
    at_s: float
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The agent was cut off: what it says from here on is new. `transcript` is None if it had said nothing yet."""

    kind: ClassVar[Literal["interrupted"]] = "interrupted"
    at_s: float
    transcript: Transcript | None


@dataclass(frozen=True, slots=True)
class ToolChanged:
    """A client tool was asked for, or is answered: all of it as it stands now."""

    kind: ClassVar[Literal["tool"]] = "tool"
    at_s: float
    tool: ToolRun


@dataclass(frozen=True, slots=True)
class TurnMeasured:
    """More is known of how long a turn's answer took; the same turn may come again with more."""

    kind: ClassVar[Literal["turn"]] = "turn"
    at_s: float
    turn: Turn


@dataclass(frozen=True, slots=True)
class MicMuted:
    """The microphone was muted, or is heard again."""

    kind: ClassVar[Literal["mic_muted"]] = "mic_muted"
    at_s: float
    muted: bool


@dataclass(frozen=True, slots=True)
class SpeakerMuted:
    """The loudspeaker was muted, or is on again."""

    kind: ClassVar[Literal["speaker_muted"]] = "speaker_muted"
    at_s: float
    muted: bool


@dataclass(frozen=True, slots=True)
class OutputMediumSet:
    """The agent was asked to answer in this medium from now on."""

    kind: ClassVar[Literal["output_medium"]] = "output_medium"
    at_s: float
    medium: Medium


@dataclass(frozen=True, slots=True)
class DigitsSent:
    """Keys pressed quickly one after the other went to the agent as one message."""

    kind: ClassVar[Literal["digits"]] = "digits"
    at_s: float
    digits: str


@dataclass(frozen=True, slots=True)
class DataMessage:
    """A data message of the server, after the session itself has acted on it."""

    kind: ClassVar[Literal["data_message"]] = "data_message"
    at_s: float
    message: ServerMessage | UnknownMessage


@dataclass(frozen=True, slots=True)
class Noted:
    """One sentence that people should read; the call goes on."""

    kind: ClassVar[Literal["note"]] = "note"
    at_s: float
    text: str


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over: the last event.

    `reason` is the API's endReason as far as this side can tell, `detail` one sentence for people, or empty.
    """

    kind: ClassVar[Literal["ended"]] = "ended"
    at_s: float
    reason: EndReason
    detail: str


SessionEvent: TypeAlias = (
    StatusChanged
    | TranscriptChanged
    | Interrupted
    | ToolChanged
    | TurnMeasured
    | MicMuted
    | SpeakerMuted
    | OutputMediumSet
    | DigitsSent
    | DataMessage
    | Noted
    | CallEnded
)
