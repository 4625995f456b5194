"""Runs a program: cues in, acts out; no audio, no waiting, no clock.

An act counts as done when it has been given out, so that an interrupted `Say` is not said again:
the script goes on with what follows. A user turn is kept until a wait takes it.
"""

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bridge.brains.base import Act, CallTool, HangUp, Say, ToolReturn
from bridge.brains.script.compile import MAX_STEPS_WITHOUT_WAIT, RESULT
from bridge.brains.script.phrases import find_phrase
from bridge.brains.script.program import (
    EndNode,
    JumpNode,
    Program,
    SayNode,
    SetNode,
    ToolNode,
    WaitNode,
)
from bridge.brains.script.template import Scalar, as_text, fill, fill_value
from bridge.errors import BrainError, RemoteWireError
from bridge.wire.strict_json import decode

MAX_KEPT_TURNS: Final = 16


@dataclass(frozen=True, slots=True)
class Turn:
    """A user turn: its transcript, and the words that phrases are looked for in.

    `words` is None when the ear found none of the expected phrases.
    """

    text: str
    words: str | None


class Machine:
    """One run of a program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._at = program.start
        self._variables: dict[str, Scalar] = dict(program.variables)
        self._turns: deque[Turn] = deque(maxlen=MAX_KEPT_TURNS)
        self._greeting: str | None = None
        self._begun = False
        self._pending: ToolNode | None = None
        self._hung_up = False
        self._misses: Counter[int] = Counter()
        self._steps = 0

    @property
    def pending_tool(self) -> str | None:
        """The tool whose result the script waits for."""
        return self._pending.name if self._pending else None

    @property
    def expected(self) -> tuple[str, ...]:
        """The phrases that the next wait knows; empty if it takes any turn."""
        return self._program.expected_from(self._at)

    def greet(self, text: str | None) -> None:
        """Speak first; `text` takes the place of the script's first sentence."""
        self._greeting = text

    def said(self, turn: Turn) -> None:
        """Keep a user turn for the next wait; of too many the oldest goes."""
        self._turns.append(turn)

    def returned(self, results: Sequence[ToolReturn]) -> None:
        """Take the outcome of the tool that was called; nothing if no tool has come to an end."""
        node = self._pending
        if node is None or not results:
            return
        outcome = next((one for one in results if one.name == node.name), None)
        self._pending = None
        self._at = self._after_tool(node, outcome)

    def next_act(self) -> Act | None:
        """The next thing to do; None while the script waits for the user or for a tool.

        Raises: BrainError if the script goes round without a wait.
        """
        while self._pending is None:
            node = self._program.nodes[self._at]
            if self._greeting is not None and not isinstance(node, SetNode | JumpNode):
                return self._greet(self._greeting)
            if isinstance(node, WaitNode):
                if not self._turns:
                    return None
                self._take(node, self._turns.popleft())
                continue
            if isinstance(node, EndNode):
                return self._hang_up(node)
            self._count(node.where)
            if act := self._run(node):
                self._begun = True
                return act
        return None

    def _greet(self, text: str) -> Act:
        node = self._program.nodes[self._at]
        self._greeting = None
        if isinstance(node, SayNode) and not self._begun:
            self._at = node.next
        self._begun = True
        return Say(text)

    def _run(self, node: SayNode | SetNode | JumpNode | ToolNode) -> Act | None:
        match node:
            case SayNode():
                self._at = node.next
                return Say(fill(node.text, self._variables), uninterruptible=node.uninterruptible)
            case ToolNode():
                self._pending = node
                arguments = fill_value(dict(node.arguments), self._variables)
                assert isinstance(arguments, dict)
                return CallTool(node.name, dict(arguments))
            case SetNode():
                for name, value in node.values:
                    filled = fill_value(value, self._variables)
                    assert isinstance(filled, str | int | float | bool)
                    self._variables[name] = filled
        self._at = node.next
        return None

    def _take(self, node: WaitNode, turn: Turn) -> None:
        self._begun = True
        self._steps = 0
        if node.save:
            self._variables[node.save] = turn.text
        phrase = None if turn.words is None else find_phrase(turn.words, node.answers)
        here = self._at
        if phrase is not None:
            self._at = node.answers[phrase]
        elif node.answers and (node.repeats is None or self._misses[here] < node.repeats):
            self._misses[here] += 1
            self._at = node.again
            return
        else:
            self._at = node.next
        del self._misses[here]

    def _after_tool(self, node: ToolNode, outcome: ToolReturn | None) -> int:
        if outcome is None or outcome.error is not None:
            self._variables[RESULT] = as_text(outcome.error) if outcome else ""
            return node.error
        fields = _fields(outcome.result)
        for name in fields.keys() & self._program.names:
            value = fields[name]
            if isinstance(value, str | int | float | bool):
                self._variables[name] = value
        for way in node.exits:
            if _fits(way.when, way.has, fields):
                return way.next
        return node.next

    def _hang_up(self, node: EndNode) -> Act | None:
        if self._hung_up and not self._turns:
            return None
        message = "" if self._hung_up else fill(node.message, self._variables)
        self._turns.clear()
        self._hung_up = True
        return HangUp(message)

    def _count(self, where: str) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS_WITHOUT_WAIT:
            raise BrainError(
                f"the script ran {MAX_STEPS_WITHOUT_WAIT} steps without waiting for the user, "
                f"at {where}"
            )


def _fields(result: str) -> dict[str, object]:
    """What a tool result tells: its text as `result`, and the fields of a JSON object."""
    fields: dict[str, object] = {RESULT: result.strip()}
    try:
        content = decode(result)
    except RemoteWireError:
        return fields  # a text that is no JSON is a result like any other
    return fields | content if isinstance(content, dict) else fields


def _fits(
    when: tuple[tuple[str, Scalar], ...], has: tuple[str, ...], fields: dict[str, object]
) -> bool:
    equal = all(
        name in fields and as_text(fields[name]).casefold() == as_text(value).casefold()
        for name, value in when
    )
    return equal and all(fields.get(name) not in (None, "") for name in has)
