"""Small things that a conversation needs: a loudspeaker, a journal, tools."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from bridge.audio.lane import Lane
from bridge.brains.base import HistoryItem, SpeechChunk
from bridge.legs.brain.host import Medium, Severity, ToolOutcome

MS_A_LETTER = 60


async def play(lane: Lane, *, frame_ms: int = 20) -> None:
    """A far end that plays what is in the lane at its tempo, until cancelled."""
    frame = lane.rate_hz * frame_ms // 1000
    loop = asyncio.get_running_loop()
    began, n_frames = loop.time(), 0
    while True:
        samples = lane.pull(frame)
        lane.ledger.sent(samples.size, loop.time())
        n_frames += 1
        await asyncio.sleep(began + n_frames * frame_ms / 1000 - loop.time())


async def words(text: str, rate_hz: int = 8_000) -> AsyncIterator[SpeechChunk]:
    """Speech of 60 ms a letter, a chunk for each word."""
    head, *tail = text.split(" ")
    for word in (head, *(f" {word}" for word in tail)):
        n_samples = len(word.strip()) * rate_hz * MS_A_LETTER // 1000
        yield SpeechChunk(np.full(n_samples, 5_000, np.int16), word)


@dataclass
class ListJournal:
    """A journal in lists."""

    messages: list[dict[str, object]] = field(default_factory=list)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    event_texts: list[str] = field(default_factory=list)
    ids: int = 0
    full: bool = False

    def add(
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
        self.messages.append(
            {
                "role": role,
                "text": text,
                "medium": medium,
                "id": invocation_id,
                "error": error,
                "call_state": call_state,
            }
        )
        return len(self.messages) - 1

    def finish(self, ordinal: int, text: str) -> None:
        self.messages[ordinal]["text"] = text

    def event(self, type_: str, text: str, severity: Severity = "info", **extras: object) -> None:
        self.events.append((type_, extras))
        self.event_texts.append(text)

    def history(self) -> Sequence[HistoryItem]:
        return ()

    def invocation_id(self) -> str:
        self.ids += 1
        return f"call_{self.ids}"

    @property
    def texts(self) -> list[tuple[object, object]]:
        return [(message["role"], message["text"]) for message in self.messages]


@dataclass
class HandTools:
    """Tools whose outcomes a test gives beforehand, or lets wait."""

    outcomes: Mapping[str, ToolOutcome] = field(default_factory=dict)
    takes_s: float = 0.0
    ran: list[tuple[str, str, Mapping[str, object]]] = field(default_factory=list)
    running: int = 0

    async def run(
        self, invocation_id: str, name: str, arguments: Mapping[str, object]
    ) -> ToolOutcome:
        self.ran.append((invocation_id, name, arguments))
        self.running += 1
        try:
            await asyncio.sleep(self.takes_s)
        finally:
            self.running -= 1
        return self.outcomes.get(name, ToolOutcome("fine"))
