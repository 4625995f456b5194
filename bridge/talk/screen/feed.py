"""From the events of a session to the board of the screen."""

import json
from collections.abc import Mapping
from typing import Final

from bridge.legs.base import Ended
from bridge.talk.endings import words_of
from bridge.talk.events import (
    CallEnded,
    DataMessage,
    DigitsSent,
    Noted,
    OutputMediumSet,
    SessionEvent,
    StatusChanged,
    ToolChanged,
    ToolRun,
    TranscriptChanged,
    Turn,
    TurnMeasured,
)
from bridge.talk.screen.board import Board
from bridge.wire.messages import InvokingTool, ToolUsed

_OWN_FIELDS: Final = frozenset({"type", "toolName", "invocationId"})


class Feed:
    """Writes what a session tells onto a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._turn: Turn | None = None
        """The last one that was measured."""
        self._said: tuple[int, float] | None = None
        """The agent's last utterance: its ordinal and when it began."""

    def take(self, event: SessionEvent) -> None:
        """One event of the session."""
        board = self._board
        match event:
            case StatusChanged(status=status):
                board.set_state(status)
            case TranscriptChanged():
                self._transcript(event)
            case ToolChanged(tool=tool):
                self._tool(tool)
            case TurnMeasured():
                self._measured(event.turn)
            case OutputMediumSet(medium=medium):
                board.set_medium(medium)
            case DigitsSent(at_s=at_s, digits=digits):
                board.keys_sent(digits, at_s=at_s)
            case Noted(at_s=at_s, text=text):
                board.note(text, at_s=at_s)
            case DataMessage(at_s=at_s, message=InvokingTool() | ToolUsed() as message):
                self._server_tool(message, at_s)
            case CallEnded(reason=reason, detail=detail):
                board.end(words_of(Ended(reason, detail)))
            case _:
                pass

    def _transcript(self, event: TranscriptChanged) -> None:
        said = event.transcript
        self._board.say(
            said.role,
            said.ordinal,
            said.text,
            at_s=said.start_s,
            final=said.final,
            typed=said.medium == "text",
            unheard=said.unheard,
        )
        if said.role == "agent" and (self._said is None or said.ordinal > self._said[0]):
            self._said = (said.ordinal, said.start_s)
            if self._turn is not None:
                self._measured(self._turn)

    def _measured(self, turn: Turn) -> None:
        self._turn = turn
        if turn.latency_ms is None:
            return
        answer = None
        if self._said is not None and self._said[1] >= turn.at_s:
            answer, self._turn = self._said[0], None
        self._board.waited(turn.number, turn.latency_ms, answer)

    def _tool(self, tool: ToolRun) -> None:
        board = self._board
        board.tool_asked(
            tool.invocation_id,
            tool.name,
            arguments_text(tool.arguments),
            at_s=tool.asked_s,
            by_hand=tool.state == "waiting",
        )
        if not tool.pending:
            took_ms = None if tool.done_s is None else 1000 * (tool.done_s - tool.asked_s)
            failed = tool.state == "failed"
            outcome = tool.error if failed else tool.result
            board.tool_answered(tool.invocation_id, outcome or "", took_ms=took_ms, failed=failed)

    def _server_tool(self, message: InvokingTool | ToolUsed, at_s: float) -> None:
        """A tool that the server runs: what it says of it, which is documented nowhere."""
        told = {
            key: value
            for key, value in (message.model_extra or {}).items()
            if key not in _OWN_FIELDS
        }
        self._board.server_tool(
            message.invocation_id or f"{message.tool_name} at {at_s}",
            message.tool_name or "a tool of the server",
            arguments_text(told),
            at_s=at_s,
            done=isinstance(message, ToolUsed),
        )


def arguments_text(arguments: Mapping[str, object]) -> str:
    """Arguments as a call in Python shows them, values as JSON."""
    return ", ".join(
        f"{name}={json.dumps(value, ensure_ascii=False, default=str)}"
        for name, value in arguments.items()
    )
