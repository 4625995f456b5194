"""Making scripts and machines from TOML text in tests."""

from bridge.brains.base import Act
from bridge.brains.script.compile import compile_script
from bridge.brains.script.load import parse_script
from bridge.brains.script.machine import Machine, Turn
from bridge.brains.script.model import Script


def script(toml: str) -> Script:
    return parse_script(toml.encode(), "toml", source="test.toml")


def machine(toml: str) -> Machine:
    return Machine(compile_script(script(toml)))


def acts(running: Machine) -> list[Act]:
    """What the machine does until it waits."""
    done = []
    while (act := running.next_act()) is not None:
        done.append(act)
    return done


def typed(running: Machine, text: str) -> list[Act]:
    """What the machine does when the user has typed `text`."""
    running.said(Turn(text, text))
    return acts(running)
