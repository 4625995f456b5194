"""A talk as lines of text: for a pipe, a dumb terminal, a screen reader, or `--plain`.

A line stands for something that is complete: an utterance, a tool call with its result, a note, the end. What of an
agent's utterance nobody heard stands behind it in brackets; where it becomes known only after the line was written,
on a line of its own.
"""

from collections.abc import Callable

from bridge.legs.base import Ended
from bridge.log import printable
from bridge.talk.endings import clock_words, words_of
from bridge.talk.events import (
    LIVE,
    CallEnded,
    DigitsSent,
    MicMuted,
    Noted,
    OutputMediumSet,
    SessionEvent,
    SpeakerMuted,
    StatusChanged,
    ToolChanged,
    ToolRun,
    Transcript,
    TranscriptChanged,
    TurnMeasured,
)
from bridge.talk.screen.feed import arguments_text

_WHO = {"agent": "agent", "user": "you"}


def left_out_words(n_lines: int) -> str:
    """A line that stands for those that nobody read in time."""
    return f"({n_lines} lines were not read in time and are left out)"


class Lines:
    """Writes what a session tells, line by line.

    Args:
        write: takes one line, without its end.
        may_answer: somebody is there to answer tools by hand.
    """

    def __init__(self, write: Callable[[str], None], *, may_answer: bool) -> None:
        self._write = write
        self._may_answer = may_answer
        self._written: dict[int, tuple[str, str]] = {}
        """By ordinal: the text and the unheard text that were written."""
        self._turns: set[int] = set()
        self._live = self._refused = False

    def take(self, event: SessionEvent) -> None:
        """One event of the session."""
        match event:
            case StatusChanged(status=status) if status in LIVE and not self._live:
                self._live = True
                self._line(event.at_s, "you can talk; Ctrl-C hangs up")
            case StatusChanged(status="disconnected", was="connecting"):
                self._refused = True
            case CallEnded() if self._refused:
                pass  # whoever asked for the call gets the error itself
            case TranscriptChanged(transcript=transcript) if transcript.final:
                self._said(transcript)
            case ToolChanged(tool=tool):
                self._tool(tool)
            case TurnMeasured():
                self._answered(event)
            case _:
                if words := _words(event):
                    self._line(event.at_s, words)

    def _said(self, said: Transcript) -> None:
        text, unheard = " ".join(said.text.split()), " ".join(said.unheard.split())
        before = self._written.get(said.ordinal)
        if before == (text, unheard) or not (text or unheard):
            return
        self._written[said.ordinal] = (text, unheard)
        if before is not None and unheard:
            self._line(said.end_s, f"{_WHO[said.role]} was cut off, not heard: {unheard}")
        elif before is None:
            words = f"{text} [not heard: {unheard}]".strip() if unheard else text
            typed = " (typed)" if said.role == "user" and said.medium == "text" else ""
            self._line(said.start_s, f"{_WHO[said.role]}{typed}: {words}")

    def _tool(self, tool: ToolRun) -> None:
        call = f"tool {tool.name}({arguments_text(tool.arguments)})"
        if tool.state == "waiting" and self._may_answer:
            self._line(tool.asked_s, f"{call} waits for you: /answer RESULT")
        elif not tool.pending:
            outcome = f"failed: {tool.error}" if tool.state == "failed" else tool.result or ""
            took = "" if tool.done_s is None else f" ({tool.done_s - tool.asked_s:.2f} s)"
            self._line(tool.asked_s, f"{call} -> {outcome}{took}")

    def _answered(self, event: TurnMeasured) -> None:
        turn = event.turn
        if turn.latency_ms is not None and turn.number not in self._turns:
            self._turns.add(turn.number)
            self._line(event.at_s, f"answer {turn.number} after {turn.latency_ms / 1000:.2f} s")

    def _line(self, at_s: float, words: str) -> None:
        self._write(f"{clock_words(at_s)} {printable(words)}")


def _words(event: SessionEvent) -> str:
    """What a line says of an event that is complete in itself; nothing of one that is no line."""
    words = ""
    match event:
        case MicMuted(muted=muted):
            words = f"microphone {'off' if muted else 'on'}"
        case SpeakerMuted(muted=muted):
            words = f"loudspeaker {'off' if muted else 'on'}"
        case OutputMediumSet(medium=medium):
            words = f"the agent answers by {medium}"
        case DigitsSent(digits=digits):
            words = f"keys {digits} sent"
        case Noted(text=text):
            words = f"note: {text}"
        case CallEnded(reason=reason, detail=detail):
            words = f"ended: {words_of(Ended(reason, detail))}"
        case _:
            pass
    return words
