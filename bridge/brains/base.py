"""What a brain is: it hears turns, and answers cues with acts.

The call service knows brains by this protocol alone, so that a scripted brain, a cascade
(recogniser, language model, voice) and a realtime model are the same to it. A brain knows no
call, no socket and no clock: it is told what happened (a cue) and says what it wants (acts).
Audio is mono int16; what a brain listens to comes at `HEAR_HZ`, what it says goes out at its
own `speech_hz`.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from bridge_codecs.pcm import Int16

HEAR_HZ: Final = 16_000
"""Samples per second of all audio that a brain hears (a live brain: its `speech_hz`)."""


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A piece of speech and the text that is spoken in it.

    `text` is spoken from the first sample of `samples` on: a word with its leading space and
    its punctuation. The texts of an utterance, joined, are the utterance.
    """

    samples: Int16
    text: str


@dataclass(frozen=True, slots=True)
class UserTurn:
    """One turn of the user: its samples at `HEAR_HZ`, and where it stands on the uplink clock."""

    samples: Int16
    start_ms: float
    end_ms: float


@dataclass(frozen=True, slots=True)
class Say:
    """Speak `text`; `chunks` when the brain streams its own speech instead of using `speak`."""

    text: str
    chunks: AsyncIterator[SpeechChunk] | None = None
    uninterruptible: bool = False


@dataclass(frozen=True, slots=True)
class CallTool:
    """Call a tool of this call; what it returned comes back as the cue `ToolsReturned`."""

    name: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the call, after speaking `message` where there is one."""

    message: str = ""


Act: TypeAlias = Say | CallTool | HangUp


@dataclass(frozen=True, slots=True)
class Greeting:
    """The agent speaks first: exactly `text` if given, else in the sense of `prompt` if given."""

    text: str | None = None
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class UserSaid:
    """A user turn as text: what `hear` made of audio (`spoken`), or text that was typed."""

    text: str
    spoken: bool


@dataclass(frozen=True, slots=True)
class ToolReturn:
    """The outcome of one tool call: `result`, or a sentence in `error` when it failed."""

    name: str
    invocation_id: str
    result: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class ToolsReturned:
    """All tools of the last reply have come to an end."""

    results: tuple[ToolReturn, ...]


Cue: TypeAlias = Greeting | UserSaid | ToolsReturned


@dataclass(frozen=True, slots=True)
class HistoryItem:
    """One message of the call so far; `name` is the tool's, where it is about a tool."""

    role: Literal["user", "agent", "tool_call", "tool_result"]
    text: str
    name: str = ""


class Brain(Protocol):
    """Decides what the local agent says. One instance serves one call."""

    @property
    def speech_hz(self) -> int:
        """Samples per second of the chunks that `speak` and `Say.chunks` give."""
        ...

    @property
    def live(self) -> bool:
        """True: no turn taking; what `listen` returns is played at once."""
        ...

    def listen(self, samples: Int16) -> Int16 | None:
        """Take every uplink chunk, at `HEAR_HZ`; only a live brain answers, at `speech_hz`."""
        ...

    async def hear(self, turn: UserTurn) -> str:
        """What the user said in this turn; empty when nothing was understood."""
        ...

    def reply(self, cue: Cue, history: Sequence[HistoryItem]) -> AsyncIterator[Act]:
        """The acts that answer a cue, each to be taken when the one before it is over.

        The iterator is closed (`aclose`) when the agent is interrupted.
        Raises: BrainError if no answer can be found.
        """
        ...

    def speak(self, text: str) -> AsyncIterator[SpeechChunk]:
        """Speak any text in this brain's voice: greetings, forced and inactivity messages.

        Raises: BrainError if the voice fails.
        """
        ...

    async def close(self) -> None:
        """Let go of what the brain holds; no method is called afterwards."""
        ...
