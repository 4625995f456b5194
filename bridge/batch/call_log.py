"""What happened in one call, as its client saw it: states, transcripts, tool calls, cuts, with their instants.

Instants are seconds since the call's first sample, on the loop's clock. A far end may say any number of things: what
is kept of one call is bounded, what comes after that is acted on but not noted, and a warning says so.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from bridge.batch.result import Cut, StateChange, ToolCall, Transcript
from bridge.legs.base import Leg, LegEvent, MessageEvent, Warned
from bridge.wire.messages import (
    CallStarted,
    ClientToolInvocation,
    ClientToolResult,
    PlaybackClearBuffer,
    State,
)
from bridge.wire.messages import Transcript as TranscriptMessage

MAX_WARNINGS: Final = 100
"""Different warnings of one call that are kept: a far end can make up any number."""
MAX_CHARACTERS: Final = 4 * 1024 * 1024
"""Of texts, names and arguments that are kept of one call: some fifty hours of talk."""
MAX_UTTERANCE: Final = 64 * 1024
"""Characters of one utterance, as many as one message holds."""
ENTRY_COST: Final = 100
"""Characters that an entry counts for beside its text."""


class Room:
    """How much is still kept of what a far end says, in characters.

    Args:
        on_full: told when something was left out, each time.
    """

    def __init__(self, on_full: Callable[[], None]) -> None:
        self._on_full = on_full
        self._left = MAX_CHARACTERS

    def take(self, n_characters: int) -> bool:
        """Whether so many more are kept; a text that shrinks gives nothing back."""
        if n_characters > self._left:
            self._on_full()
            return False
        self._left -= max(0, n_characters)
        return True


def grown(said: str, message: TranscriptMessage) -> str:
    """The text of an utterance after one more message of it."""
    whole = said + (message.delta or "") if message.text is None else message.text
    return whole[:MAX_UTTERANCE]


FULL: Final = "the call says more than is kept: what it says from here on is left out"


@dataclass(slots=True)
class CallLog:
    """Collects; `watch` is the relay's watcher.

    Attributes:
        now: seconds since the call's first sample.
        tools: canned results of client tools, by name.
        answer: sends a tool result to the agent.
    """

    now: Callable[[], float]
    tools: Mapping[str, str]
    answer: Callable[[ClientToolResult], None]
    on_words: Callable[[str], None]
    call_id: str = ""
    states: list[StateChange] = field(default_factory=list)
    tool_calls: list[ToolCall] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _cuts: dict[int, float] = field(default_factory=dict)
    _transcripts: dict[int, Transcript] = field(default_factory=dict)
    _speaking: int | None = None
    _room: Room = field(init=False)

    def __post_init__(self) -> None:
        self._room = Room(lambda: self._warn(FULL))

    def watch(self, leg: Leg, event: LegEvent) -> None:
        """An event of either leg."""
        if isinstance(event, Warned):
            self._warn(f"{leg.name}: {event.text}")
        elif isinstance(event, MessageEvent):
            self._take(event.message)

    @property
    def transcripts(self) -> Sequence[Transcript]:
        """By ordinal; blank agent messages are left out."""
        ordered = (self._transcripts[ordinal] for ordinal in sorted(self._transcripts))
        return [each for each in ordered if each.text]

    def cuts(self, unheard: Mapping[int, str]) -> list[Cut]:
        """The interruptions; ``unheard`` maps an agent message's ordinal to what was cut off."""
        for ordinal, text in unheard.items():
            if ordinal in self._transcripts:
                said = self._transcripts[ordinal]
                self._transcripts[ordinal] = replace(said, unheard_text=text)
        return [
            Cut(at, self._transcripts[ordinal].text, unheard.get(ordinal, ""))
            for ordinal, at in self._cuts.items()
        ]

    def _take(self, message: object) -> None:
        match message:
            case CallStarted(call_id=call_id):
                self.call_id = call_id
            case State(state=state):
                if self._room.take(ENTRY_COST):
                    self.states.append(StateChange(self.now(), state))
            case TranscriptMessage():
                self._transcript(message)
            case PlaybackClearBuffer():
                self._cut()
            case ClientToolInvocation():
                self._run_tool(message)
            case _:
                pass

    def _cut(self) -> None:
        """The message that the agent is in the middle of is cut off; it can be only once."""
        if self._speaking is not None and self._speaking in self._transcripts:
            self._cuts.setdefault(self._speaking, self.now())

    def _transcript(self, message: TranscriptMessage) -> None:
        now = self.now()
        before = self._transcripts.get(message.ordinal)
        said = "" if before is None else before.text
        text = grown(said, message)
        if self._room.take(len(text) - len(said) + (ENTRY_COST if before is None else 0)):
            self._transcripts[message.ordinal] = Transcript(
                role=message.role,
                text=text,
                start_s=now if before is None else before.start_s,
                end_s=now,
                ordinal=message.ordinal,
                medium=message.medium,
            )
        if message.role == "agent":
            self._speaking = None if message.final else message.ordinal
        if message.final and text:
            self.on_words(f"{message.role}: {text}")

    def _run_tool(self, message: ClientToolInvocation) -> None:
        canned = self.tools.get(message.tool_name)
        call = ToolCall(
            at_s=self.now(),
            name=message.tool_name,
            invocation_id=message.invocation_id,
            arguments=dict(message.parameters),
            result=canned,
            error=None if canned is not None else "this caller has no such tool",
            done_s=self.now(),
        )
        size = len(json.dumps(call.arguments)) + len(call.name) + len(call.invocation_id)
        if self._room.take(size + ENTRY_COST):
            self.tool_calls.append(call)
        if canned is None:
            self.answer(
                ClientToolResult(
                    invocation_id=message.invocation_id,
                    error_type="undefined",
                    error_message=call.error,
                )
            )
        else:
            self.answer(ClientToolResult(invocation_id=message.invocation_id, result=canned))

    def _warn(self, text: str) -> None:
        if text not in self.warnings and len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(text)


def unheard_texts(events: Sequence[Mapping[str, object]]) -> dict[int, str]:
    """What the server's events say was cut off, by the ordinal of the agent's message."""
    found: dict[int, str] = {}
    for event in events:
        extras = event.get("extras")
        if event.get("type") == "agent_interrupted" and isinstance(extras, Mapping):
            ordinal, text = extras.get("ordinal"), extras.get("unheardText")
            if isinstance(ordinal, int) and isinstance(text, str):
                found[ordinal] = text
    return found
