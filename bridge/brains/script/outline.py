"""Where everything in a script stands, in the words of its error messages."""

from collections.abc import Iterator

from bridge.brains.script.model import Branch, Script, Step, WaitPart


def step_name(number: int, label: object) -> str:
    """A step as a person finds it in the file: its number and its label."""
    return f"step {number} ({label!r})" if isinstance(label, str) else f"step {number}"


def walk(script: Script) -> Iterator[tuple[str, Step | Branch | WaitPart]]:
    """Every step, branch and wait of the script, with where it stands."""
    blocks = [("", script.steps)]
    while blocks:
        prefix, steps = blocks.pop()
        for number, step in enumerate(steps, 1):
            where = prefix + step_name(number, step.label)
            yield where, step
            if step.wait is not None:
                yield where, step.wait
            for name, branch in _branches(step):
                yield f"{where}, {name}", branch
                blocks.append((f"{where}, {name}, ", branch.steps))


def _branches(step: Step) -> Iterator[tuple[str, Branch]]:
    if step.wait is not None:
        for number, answer in enumerate(step.wait.expect, 1):
            yield f"wait.expect[{number}]", answer
        if step.wait.otherwise is not None:
            yield "wait.otherwise", step.wait.otherwise
    if step.tool is not None:
        for number, way in enumerate(step.tool.on, 1):
            yield f"tool.on[{number}]", way
        if step.tool.error is not None:
            yield "tool.error", step.tool.error


def names_set_by(part: Step | Branch | WaitPart) -> set[str]:
    """Variables that this part gives values, fields of tool results that it asks for included."""
    if isinstance(part, WaitPart):
        return set()
    names = set(part.set or ())
    if isinstance(part, Step) and part.tool is not None:
        for way in part.tool.on:
            names.update(way.when, way.has)
    return names
