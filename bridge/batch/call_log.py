"""What happened in one call, as its client saw it: states, transcripts, tool calls, cuts, with their instants.

Instants are seconds since the call's first sample, on the loop's clock.
"""

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
    _cuts: list[tuple[float, int | None]] = field(default_factory=list)
    _transcripts: dict[int, Transcript] = field(default_factory=dict)
    _speaking: int | None = None

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
            Cut(
                at,
                self._transcripts[ordinal].text if ordinal in self._transcripts else "",
                unheard.get(ordinal, "") if ordinal is not None else "",
            )
            for at, ordinal in self._cuts
            if ordinal is not None
        ]

    def _take(self, message: object) -> None:
        match message:
            case CallStarted(call_id=call_id):
                self.call_id = call_id
            case State(state=state):
                self.states.append(StateChange(self.now(), state))
            case TranscriptMessage():
                self._transcript(message)
            case PlaybackClearBuffer():
                self._cuts.append((self.now(), self._speaking))
            case ClientToolInvocation():
                self._run_tool(message)
            case _:
                pass

    def _transcript(self, message: TranscriptMessage) -> None:
        now = self.now()
        before = self._transcripts.get(message.ordinal)
        text = message.text
        if text is None:
            text = ("" if before is None else before.text) + (message.delta or "")
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
