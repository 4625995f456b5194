"""The command from its first instant on, as a process."""

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import signal, sys

class Pressing:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            signal.raise_signal(signal.SIGINT)

signal.signal(signal.SIGINT, signal.{before})
sys.meta_path.insert(0, Pressing())
sys.argv = ["tipring", "--version"]
from bridge.__main__ import main
main()
"""


def run(module: str, before: str = "default_int_handler") -> "subprocess.CompletedProcess[bytes]":
    """`tipring --version`, with Ctrl-C at the instant at which a module begins to load."""
    program = PROGRAM.format(module=module, before=before)
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=30, check=False
    )


@pytest.mark.parametrize("module", ["bridge.cli", "typer", "platform", "bridge.cli.talking"])
def test_ctrl_c_while_the_command_is_loading_stops_it_without_a_traceback(module: str) -> None:
    done = run(module)

    assert done.returncode == 130
    assert done.stderr == b"tipring: stopped\n"
    assert done.stdout == b""


def test_who_ignores_ctrl_c_is_not_stopped_by_it() -> None:
    done = run("typer", before="SIG_IGN")

    assert done.returncode == 0
    assert done.stdout.startswith(b"tipring ")


def test_ctrl_c_later_is_the_command_s_own_affair() -> None:
    program = (
        "import signal; from bridge.__main__ import _load; _load(); print(signal.getsignal(2))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=30, check=True
    )

    assert str(signal.default_int_handler).split(" at ")[0].encode() in done.stdout
