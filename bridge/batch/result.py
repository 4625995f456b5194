"""What one call was: its audio, messages, events and figures, and the files that tell of it.

The run streams call.wav and agent.wav itself; `write_results` adds call.json and timeline.html.
Nothing in these files depends on where they stand or on the wall clock beyond what the result
carries, so a call that was the same twice has the same bytes twice.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final

from bridge.batch.figures import Figures, measure
from bridge.batch.files import write_atomically
from bridge.batch.timeline import render_timeline
from bridge_codecs.pcm import Int16

CALL_JSON: Final = "call.json"
TIMELINE_HTML: Final = "timeline.html"
AGENT_WAV: Final = "agent.wav"
CALL_WAV: Final = "call.wav"

_FORMAT_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class InputPlayed:
    """One file of the caller: its name, when it began, how long it is, what was noted about it."""

    name: str
    start_s: float
    duration_s: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class StateChange:
    """From `at_s` on the agent is in `state` (idle, listening, thinking, speaking)."""

    at_s: float
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """One utterance, whole: `text` is what was said (by the agent: heard) from `start_s` to `end_s`.

    `unheard_text` is what the agent would have said had it not been cut off.
    """

    role: str
    text: str
    start_s: float
    end_s: float
    ordinal: int | None = None
    medium: str = "voice"
    unheard_text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One tool call: asked for at `at_s`, answered at `done_s` (None: never)."""

    at_s: float
    name: str
    invocation_id: str
    arguments: Mapping[str, object]
    result: str | None = None
    error: str | None = None
    done_s: float | None = None


@dataclass(frozen=True, slots=True)
class Cut:
    """The agent was interrupted at `at_s`: what the caller had heard of it, and what not."""

    at_s: float
    heard_text: str
    unheard_text: str


@dataclass(frozen=True, kw_only=True)
class CallResult:
    """One call that is over.

    Attributes:
        call_id: The API's id of the call; empty when it never came to be.
        rate_hz: Sample rate of `caller` and `agent`.
        caller: What the caller said, mono int16, from the call's first sample on.
        agent: What the caller heard, sample-locked to `caller`.
        end_reason: The API's `endReason`.
        end_detail: One sentence about the end, for people; may be empty.
        seed: The plan's seed.
        virtual: Whether the call ran on the jumping clock.
        settings: What the call was made with, plain JSON values, no secrets.
        messages: `GET /api/calls/{id}/messages`, as they came.
        events: `GET /api/calls/{id}/events`, as they came.
        notes: Sentences the user should read.
    """

    call_id: str
    rate_hz: int
    caller: Int16
    agent: Int16
    end_reason: str
    end_detail: str = ""
    seed: str = ""
    virtual: bool = False
    settings: Mapping[str, object] = field(default_factory=dict)
    inputs: Sequence[InputPlayed] = ()
    messages: Sequence[Mapping[str, object]] = ()
    events: Sequence[Mapping[str, object]] = ()
    tool_calls: Sequence[ToolCall] = ()
    states: Sequence[StateChange] = ()
    transcripts: Sequence[Transcript] = ()
    cuts: Sequence[Cut] = ()
    underruns: int = 0
    underrun_ms: float = 0.0
    notes: Sequence[str] = ()

    @cached_property
    def figures(self) -> Figures:
        """Measured from the two channels, once."""
        return measure(
            self.caller,
            self.agent,
            self.rate_hz,
            underruns=self.underruns,
            underrun_ms=self.underrun_ms,
        )

    def as_dict(self) -> dict[str, object]:
        """All but the audio as plain JSON values, keys always in this order."""
        return {
            "version": _FORMAT_VERSION,
            "call_id": self.call_id,
            "end_reason": self.end_reason,
            "end_detail": self.end_detail,
            "virtual": self.virtual,
            "seed": self.seed,
            "sample_rate_hz": self.rate_hz,
            "settings": dict(self.settings),
            "notes": list(self.notes),
            "figures": self.figures.as_dict(),
            "inputs": [_plain(item) for item in self.inputs],
            "transcripts": [_plain(item) for item in self.transcripts],
            "states": [_plain(item) for item in self.states],
            "interruptions_heard": [_plain(item) for item in self.cuts],
            "tool_calls": [_plain(item) for item in self.tool_calls],
            "messages": [dict(message) for message in self.messages],
            "events": [dict(event) for event in self.events],
        }


def write_results(out_dir: Path, result: CallResult) -> None:
    """Write call.json and timeline.html into `out_dir`, each whole or not at all, mode 0600."""
    write_atomically(out_dir / CALL_JSON, encode_json(result.as_dict(), indent=2))
    write_atomically(out_dir / TIMELINE_HTML, render_timeline(result).encode("utf-8", "replace"))


def encode_json(value: Mapping[str, object], *, indent: int | None = None) -> bytes:
    """Deterministic JSON with a newline at its end; floats to six digits after the point."""
    text = json.dumps(_rounded(value), ensure_ascii=False, allow_nan=False, indent=indent)
    return text.encode("utf-8", "replace") + b"\n"


def _plain(item: InputPlayed | StateChange | Transcript | ToolCall | Cut) -> dict[str, object]:
    return {name: getattr(item, name) for name in type(item).__dataclass_fields__}


def _rounded(value: object) -> object:
    match value:
        case float():
            return round(value, 6)
        case Mapping():
            return {str(key): _rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [_rounded(item) for item in value]
        case _:
            return value
