"""The ways in which `tipring talk` runs, and how it ends."""

import asyncio
import importlib.util
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bridge import cli
from bridge.cli import talk_fronts
from bridge.legs.base import Ended
from bridge.talk.line_writer import LineWriter
from bridge.talk.run import TalkOrder, TalkResult

Capture = pytest.CaptureFixture[str]
pytestmark = pytest.mark.usefixtures("nothing_of_the_user")


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (TalkResult(Ended("hangup"), 75.0, (), ()), 0),
        (TalkResult(Ended("agent_hangup"), 75.0, (), ()), 0),
        (TalkResult(Ended("timeout"), 75.0, (), ()), 0),
        (TalkResult(Ended("connection_error", "said so"), 75.0, (), ()), 1),
        (TalkResult(Ended("system_error", "said so"), 75.0, (), ()), 1),
        (TalkResult(Ended("hangup"), 75.0, (), (), kept=False), 1),
    ],
)
@pytest.mark.parametrize("how", ["--plain", "--json"])
def test_the_exit_code_tells_whether_the_call_took_place_and_was_kept(
    result: TalkResult, code: int, how: str, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setattr(talk_fronts, "_carry_out", lambda _order, _front: result)

    assert cli.run(["talk", how]) == code

    told = capsys.readouterr().err
    assert ("talked 1:15" in told) == (how == "--plain")


def test_without_textual_there_are_lines_and_a_sentence(
    orders: list[TalkOrder], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "textual" else real(name)
    )
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")

    assert cli.run(["talk"]) == 0

    assert "pip install 'tipring[talk]'" in capsys.readouterr().err
    assert len(orders) == 1


def test_a_typed_conversation_in_json_ends_with_its_end(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    typed = tmp_path / "typed"
    typed.write_text("no thank you, goodbye\n")
    with typed.open() as file:
        monkeypatch.setattr("bridge.talk.keyboard.typed_lines", _of(file.fileno()))
        assert cli.run(["talk", "--text", "--json"]) == 0

    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert events[-1]["event"] == "ended"
    assert events[-1]["reason"] == "agent_hangup"


def _of(descriptor: int) -> Any:
    from bridge.talk.keyboard import typed_lines

    return lambda _standard_input: typed_lines(descriptor)


def test_lines_that_nobody_has_read_at_the_end_are_counted(
    orders: list[TalkOrder], monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    def carry_out(order: TalkOrder, front: Callable[[], object]) -> TalkResult:
        asyncio.run(_made(front))
        return TalkResult(Ended("hangup"), 12.0, (), ())

    monkeypatch.setattr(talk_fronts, "_carry_out", carry_out)
    close = LineWriter.close
    monkeypatch.setattr(LineWriter, "close", lambda writer: 3 + close(writer))

    assert cli.run(["talk", "--json"]) == 0
    assert "the last 3 lines were not read in time" in capsys.readouterr().err


async def _made(front: Callable[[], object]) -> None:
    front()
