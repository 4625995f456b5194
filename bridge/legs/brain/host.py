"""What a conversation needs from the call that hosts it: settings, a journal, tools.

The conversation depends on these small interfaces, the call service implements them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from bridge.audio.endpoint import VadSettings
from bridge.brains.base import HistoryItem

Medium = Literal["voice", "text"]
Reaction = Literal["speaks", "listens", "speaks-once"]
EndBehavior = Literal["go_on", "hang_up_soft", "hang_up_strict"]
Severity = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class AgentFirst:
    """The agent opens the call (API: ``firstSpeakerSettings.agent``)."""

    text: str | None = None
    prompt: str | None = None
    delay_s: float = 0.0
    uninterruptible: bool = False


@dataclass(frozen=True, slots=True)
class Fallback:
    """What the agent does when a user who should speak first does not."""

    delay_s: float
    text: str | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class UserFirst:
    """The user opens the call (API: ``firstSpeakerSettings.user``)."""

    fallback: Fallback | None = None


FirstSpeaker: TypeAlias = AgentFirst | UserFirst


@dataclass(frozen=True, slots=True)
class TimedMessage:
    """Spoken after ``duration_s`` without user activity, counted from the message before it."""

    duration_s: float
    message: str = ""
    end_behavior: EndBehavior = "go_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationSettings:
    """The part of a call's settings that steers the conversation (API defaults)."""

    call_id: str
    first_speaker: FirstSpeaker = field(default_factory=AgentFirst)
    inactivity: Sequence[TimedMessage] = ()
    max_duration_s: float = 3600.0
    time_exceeded_message: str = ""
    output_medium: Medium = "voice"
    vad: VadSettings = field(default_factory=VadSettings)


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """How a tool ended. ``error`` is for the record; the brain sees ``result``.

    ``call_state`` is the call's new state, None when the tool leaves it as it is.
    """

    result: str
    reaction: Reaction = "speaks"
    response_type: str = "tool-response"
    error: str | None = None
    call_state: Mapping[str, object] | None = None


class Tools(Protocol):
    """Runs the tools of the call."""

    async def run(
        self, invocation_id: str, name: str, arguments: Mapping[str, object]
    ) -> ToolOutcome:
        """Run one tool to its end, its deadline included; failures are outcomes, not exceptions."""
        ...


class Journal(Protocol):
    """Keeps the call's messages and events. An ordinal is a message's place in the call, from 0."""

    @property
    def full(self) -> bool:
        """Whether so much was said that the call takes no more from outside."""
        ...

    def add(  # noqa: PLR0913 - a message has that many parts
        self,
        role: Literal["user", "agent", "tool_call", "tool_result"],
        text: str,
        *,
        medium: Medium,
        invocation_id: str | None = None,
        tool_name: str | None = None,
        error: str | None = None,
        heard_span_ms: tuple[float, float] | None = None,
        call_state: Mapping[str, object] | None = None,
    ) -> int:
        """Add a message and return its ordinal.

        ``heard_span_ms`` is on the input-audio clock; ``call_state`` is the call's state from this message on.
        """
        ...

    def finish(self, ordinal: int, text: str) -> None:
        """The agent's message is over: ``text`` is what was heard of it."""
        ...

    def event(self, type_: str, text: str, severity: Severity = "info", **extras: object) -> None:
        """Record a call event."""
        ...

    def history(self) -> Sequence[HistoryItem]:
        """The conversation so far, as a brain reads it."""
        ...

    def invocation_id(self) -> str:
        """A new id for a tool invocation."""
        ...
