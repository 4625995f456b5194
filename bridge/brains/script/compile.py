"""From the model of a script to its program, with every check that needs the whole script.

Checked here: labels exist once, variables and tools are known, arguments fit their tool, and no
path runs for ever (or for more than `MAX_STEPS_WITHOUT_WAIT` steps) without waiting for the user.
"""

from collections.abc import Container
from typing import Final

from pydantic import JsonValue

from bridge.brains.script.fields import Values
from bridge.brains.script.model import (
    Branch,
    Otherwise,
    SayPart,
    Script,
    ScriptTool,
    Step,
    ToolPart,
    WaitPart,
)
from bridge.brains.script.outline import names_set_by, step_name, walk
from bridge.brains.script.program import (
    EndNode,
    JumpNode,
    Node,
    Program,
    ResultExit,
    SayNode,
    SetNode,
    ToolNode,
    WaitNode,
    successors,
)
from bridge.brains.script.template import variables_in
from bridge.errors import ConfigError, did_you_mean

MAX_STEPS_WITHOUT_WAIT: Final = 100

RESULT: Final = "result"
"""The variable that holds the text of the last tool result."""


def compile_script(script: Script) -> Program:
    """Check the script as a whole and make its program.

    Raises: ConfigError that names the step and what is wrong with it.
    """
    return _Compiler(script).program()


class _Compiler:
    """Builds blocks from their last step to their first, so that each knows what follows it."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self._nodes: list[Node | None] = []
        self._tools = _tools(script)
        self._labels: dict[str, int] = {}
        self._names = {RESULT, *script.variables}
        for where, part in walk(script):
            self._learn(where, part)

    def program(self) -> Program:
        end = self._new(EndNode("the end of the script", ""))
        start = self._block(self._script.steps, "", end)
        nodes = tuple(node for node in self._nodes if node is not None)
        program = Program(nodes, start, dict(self._script.variables), frozenset(self._names))
        _check_runs(program)
        return program

    def _learn(self, where: str, part: Step | Branch | WaitPart) -> None:
        match part:
            case Step(label=str(label)):
                if label in self._labels:
                    raise ConfigError(f"{where}: the label {label!r} is there twice")
                self._labels[label] = self._new(None)
            case WaitPart(save=str(name)):
                self._names.add(name)
            case _:
                pass
        self._names.update(names_set_by(part))

    def _new(self, node: Node | None) -> int:
        self._nodes.append(node)
        return len(self._nodes) - 1

    def _block(self, steps: list[Step], prefix: str, after: int) -> int:
        """Compile steps; what follows the last is `after`. Returns the node of the first."""
        for number in range(len(steps), 0, -1):
            step = steps[number - 1]
            where = prefix + step_name(number, step.label)
            at = self._new(None) if step.label is None else self._labels[step.label]
            self._nodes[at] = self._step(step, where, at, after)
            after = at
        return after

    def _step(self, step: Step, where: str, at: int, after: int) -> Node:
        if step.say is not None:
            return self._say(step.say, where, after)
        if step.wait is not None:
            return self._wait(step.wait, where, at, after)
        if step.tool is not None:
            return self._tool(step.tool, where, after)
        if step.set is not None:
            return self._set(step.set, where, after)
        if step.hang_up is not None:
            message = step.hang_up.message or ""
            self._check_text(message, f"{where}, hang_up")
            return EndNode(where, message)
        return JumpNode(where, self._label(step.goto, where, after))

    def _say(self, say: SayPart, where: str, after: int) -> Node:
        self._check_text(say.text, f"{where}, say")
        return SayNode(where, say.text, say.uninterruptible, after)

    def _set(self, values: Values, where: str, after: int) -> Node:
        self._check_values(values, f"{where}, set")
        return SetNode(where, tuple(values.items()), after)

    def _wait(self, wait: WaitPart, where: str, at: int, after: int) -> Node:
        answers: dict[str, int] = {}
        for number, answer in enumerate(wait.expect, 1):
            entry = self._branch(answer, f"{where}, wait.expect[{number}]", after)
            answers.update(dict.fromkeys(answer.phrases, entry))
        if (otherwise := wait.otherwise) is None:
            return WaitNode(where, answers, wait.save, None, at, after)
        inside = f"{where}, wait.otherwise"
        again = self._branch(otherwise.model_copy(update={"goto": None}), inside, at)
        given_up = self._label(otherwise.goto, inside, after)
        return WaitNode(where, answers, wait.save, _repeats(otherwise), again, given_up)

    def _tool(self, tool: ToolPart, where: str, after: int) -> Node:
        self._check_call(tool, f"{where}, tool")
        exits = []
        for number, way in enumerate(tool.on, 1):
            entry = self._branch(way, f"{where}, tool.on[{number}]", after)
            exits.append(ResultExit(tuple(way.when.items()), tuple(way.has), entry))
        error = self._branch(tool.error, f"{where}, tool.error", after) if tool.error else after
        return ToolNode(where, tool.name, tool.arguments, tuple(exits), error, after)

    def _branch(self, branch: Branch, where: str, after: int) -> int:
        entry = self._label(branch.goto, where, after)
        entry = self._block(branch.steps, f"{where}, ", entry)
        if branch.say is not None:
            entry = self._new(self._say(branch.say, where, entry))
        if branch.set:
            entry = self._new(self._set(branch.set, where, entry))
        return entry

    def _label(self, label: str | None, where: str, after: int) -> int:
        if label is None:
            return after
        if label not in self._labels:
            hint = did_you_mean(label, list(self._labels))
            raise ConfigError(f"{where}, goto: there is no label {label!r}{hint}")
        return self._labels[label]

    def _check_text(self, text: str, where: str) -> None:
        try:
            names = variables_in(text)
        except ValueError as exc:
            raise ConfigError(f"{where}: {exc}") from None
        for name in names:
            if name not in self._names:
                hint = did_you_mean(name, sorted(self._names))
                raise ConfigError(f"{where}: nothing sets the variable {name!r}{hint}")

    def _check_values(self, value: object, where: str) -> None:
        match value:
            case str():
                self._check_text(value, where)
            case list():
                for item in value:
                    self._check_values(item, where)
            case dict():
                for key, item in value.items():
                    self._check_values(item, f"{where}.{key}")
            case _:
                pass

    def _check_call(self, call: ToolPart, where: str) -> None:
        tool = self._tools.get(call.name)
        if tool is None:
            hint = did_you_mean(call.name, list(self._tools))
            raise ConfigError(f"{where}.name: the script has no tool {call.name!r}{hint}")
        _check_arguments(tool, call.arguments, f"{where}.arguments")
        self._check_values(call.arguments, f"{where}.arguments")


def _tools(script: Script) -> dict[str, ScriptTool]:
    tools: dict[str, ScriptTool] = {}
    for number, tool in enumerate(script.tools, 1):
        if tool.name in tools:
            raise ConfigError(f"tools[{number}]: the tool {tool.name!r} is there twice")
        tools[tool.name] = tool
    return tools


def _check_arguments(tool: ScriptTool, arguments: dict[str, JsonValue], where: str) -> None:
    for name in arguments:
        if name not in tool.parameters:
            hint = did_you_mean(name, list(tool.parameters))
            raise ConfigError(f"{where}: {tool.name} has no parameter {name!r}{hint}")
    for name, parameter in tool.parameters.items():
        if parameter.required and name not in arguments:
            raise ConfigError(f"{where}: {tool.name} needs the argument {name!r}")


def _repeats(otherwise: Otherwise) -> int:
    if otherwise.repeats is not None:
        return otherwise.repeats
    return 2 if otherwise.say or otherwise.steps else 0


def _check_runs(program: Program) -> None:
    """Follow every path that has no choice: it must reach a wait, a tool or the end in time."""
    lengths: dict[int, int] = {}
    for start in range(len(program.nodes)):
        path = _path(program, start, lengths)
        for at in reversed(path):
            (after,) = successors(program.nodes[at])
            lengths[at] = 1 + lengths.get(after, 0)
            if lengths[at] > MAX_STEPS_WITHOUT_WAIT:
                raise ConfigError(
                    f"{program.nodes[at].where}: more than {MAX_STEPS_WITHOUT_WAIT} steps "
                    f"follow without waiting for the user"
                )


def _path(program: Program, at: int, known: Container[int]) -> list[int]:
    """The nodes from `at` on that have but one way out, up to one that is known."""
    path: dict[int, None] = {}
    while at not in known and isinstance(node := program.nodes[at], SayNode | SetNode | JumpNode):
        if at in path:
            raise ConfigError(f"{node.where}: from here the script goes round for ever")
        path[at] = None
        at = node.next
    return list(path)
