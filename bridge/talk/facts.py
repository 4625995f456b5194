"""What there is to know of a call at an instant: utterances, tool calls, turns, figures. Events tell of their changes.

Instants are seconds since the call was joined, on the event loop's clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from bridge.wire.messages import Medium

Status: TypeAlias = Literal[
    "disconnected", "disconnecting", "connecting", "idle", "listening", "thinking", "speaking"
]
"""Of a session: one of the last three while the call is live and the agent has said what it does."""
LIVE: frozenset[Status] = frozenset({"listening", "thinking", "speaking"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One utterance, as far as it is known.

    Attributes:
        ordinal: Its place among the messages of the call; both roles count together, and there are gaps.
        role: Who said it.
        medium: Spoken or typed.
        final: Whether it is complete; a text that was not final may still change.
        text: What was said; of the agent, what the caller heard or is about to hear.
        unheard: What the agent would have gone on to say, or believed said, when it was cut off; the caller never
            heard it.
        start_s: When the first of it came.
        end_s: When the last of it came.
    """

    ordinal: int
    role: Literal["user", "agent"]
    medium: Medium
    final: bool
    text: str
    unheard: str = ""
    start_s: float
    end_s: float


ToolState: TypeAlias = Literal["running", "waiting", "answered", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """One call of a client tool.

    Attributes:
        invocation_id: What an answer by hand names it by.
        name: Of the tool, as the model knows it.
        arguments: JSON values by name, as the agent gave them.
        state: `running`: its function runs; `waiting`: nobody but a person can answer; `answered`; `failed`.
        result: The text that the agent was given.
        error: One sentence: why it failed.
        by_hand: Whether a person answered.
        asked_s: When the agent asked.
        done_s: When it was answered; None while it is not.
    """

    invocation_id: str
    name: str
    arguments: Mapping[str, object]
    state: ToolState
    result: str | None = None
    error: str | None = None
    by_hand: bool = False
    asked_s: float
    done_s: float | None = None

    @property
    def pending(self) -> bool:
        """Whether it still wants an answer."""
        return self.state in ("running", "waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """From the end of what the user said (or the sending of what was typed) to the agent's answer.

    Attributes:
        number: 1 for the first turn of the call.
        began_by: Whether the user spoke, typed or pressed keys.
        at_s: The end of the user's part.
        by_audio_ms: From the end of the user's speech, as their own audio has it, to the first audible sample of the
            agent that the caller's side played; None while there is none.
        by_states_ms: From the first that the agent's messages tell of the end of the user's part (that the user
            stopped speaking, the user's words, or the state `thinking`) to its state `speaking`, or its first written
            words; None where it told no such thing.
    """

    number: int
    began_by: Literal["voice", "text", "keys"]
    at_s: float
    by_audio_ms: float | None = None
    by_states_ms: float | None = None

    @property
    def latency_ms(self) -> float | None:
        """What the user waited: by audio where it is known, else by states."""
        return self.by_states_ms if self.by_audio_ms is None else self.by_audio_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFigures:
    """How the audio of a call stands.

    Attributes:
        buffered_ms: The agent's audio that has come and was not heard yet, ms.
        uplink_ms: The caller's audio that waits to be sent, ms.
        dropped_up_ms: The caller's audio that was too old to be sent, ms.
        dropped_down_ms: The agent's audio that did not fit, ms.
        cleared_ms: The agent's audio that was dropped because it was interrupted, ms.
        underruns: Holes in the agent's speech.
        underrun_ms: Their length together, ms.
        interruptions: How often the agent was cut off in the midst of an utterance.
    """

    buffered_ms: float = 0.0
    uplink_ms: float = 0.0
    dropped_up_ms: float = 0.0
    dropped_down_ms: float = 0.0
    cleared_ms: float = 0.0
    underruns: int = 0
    underrun_ms: float = 0.0
    interruptions: int = 0
