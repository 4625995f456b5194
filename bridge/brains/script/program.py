"""A compiled script: a graph of nodes that know where they lead, and where they were written."""

from dataclasses import dataclass, field
from typing import TypeAlias

from pydantic import JsonValue

from bridge.brains.script.template import Scalar


@dataclass(frozen=True, slots=True)
class SayNode:
    """Say `text`."""

    where: str
    text: str
    uninterruptible: bool
    next: int


@dataclass(frozen=True, slots=True)
class SetNode:
    """Give variables values."""

    where: str
    values: tuple[tuple[str, Scalar], ...]
    next: int


@dataclass(frozen=True, slots=True)
class JumpNode:
    """Go on elsewhere."""

    where: str
    next: int


@dataclass(frozen=True, slots=True)
class WaitNode:
    """Wait for a user turn; without `answers` (phrase -> node) any turn leads to `next`.

    A turn that is no answer leads `repeats` times to `again`, then to `next`.
    """

    where: str
    answers: dict[str, int]
    save: str | None
    repeats: int | None
    again: int
    next: int


@dataclass(frozen=True, slots=True)
class ResultExit:
    """Where a tool result leads that fits."""

    when: tuple[tuple[str, Scalar], ...]
    has: tuple[str, ...]
    next: int


@dataclass(frozen=True, slots=True)
class ToolNode:
    """Call a tool; the first exit that fits is taken, `error` when it failed, else `next`."""

    where: str
    name: str
    arguments: dict[str, JsonValue]
    exits: tuple[ResultExit, ...]
    error: int
    next: int


@dataclass(frozen=True, slots=True)
class EndNode:
    """Hang up."""

    where: str
    message: str


Node: TypeAlias = SayNode | SetNode | JumpNode | WaitNode | ToolNode | EndNode


@dataclass(frozen=True, slots=True)
class Program:
    """The nodes, the one to begin with, and the variables with their first values.

    `names` are all variables of the script; a field of a tool result is kept only if it is one.
    """

    nodes: tuple[Node, ...]
    start: int
    variables: dict[str, Scalar] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    def expected_from(self, start: int) -> tuple[str, ...]:
        """The phrases of all waits that can come first from this node on, each once, in order."""
        phrases: dict[str, None] = {}
        seen: set[int] = set()
        ahead = [start]
        while ahead:
            at = ahead.pop()
            if at in seen:
                continue
            seen.add(at)
            node = self.nodes[at]
            if isinstance(node, WaitNode):
                phrases.update(dict.fromkeys(node.answers))
            else:
                ahead.extend(reversed(successors(node)))
        return tuple(phrases)


def successors(node: Node) -> tuple[int, ...]:
    """The nodes that can come directly after this one."""
    match node:
        case WaitNode():
            return (*node.answers.values(), node.again, node.next)
        case ToolNode():
            return (*(way.next for way in node.exits), node.error, node.next)
        case EndNode():
            return ()
        case _:
            return (node.next,)
