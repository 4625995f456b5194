import os
import sys
from pathlib import Path

import pytest

from bridge.talk.screen.terminal import KEPT_ASIDE, Terminal, stderr_kept_aside


def terminal(
    *, stdin: bool = True, stdout: bool = True, term: str = "xterm", encoding: str = "utf-8"
) -> Terminal:
    return Terminal(stdin, stdout, term, encoding)


def test_a_usual_terminal_gets_a_screen() -> None:
    assert terminal().why_no_screen() == ""
    assert terminal(term="windows").why_no_screen() == ""


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (terminal(stdout=False), "output"),
        (terminal(stdin=False), "input"),
        (terminal(term="dumb"), "TERM"),
        (terminal(term=""), "TERM"),
        (terminal(encoding="iso8859-1"), "iso8859-1"),
    ],
)
def test_where_there_can_be_no_screen_a_clause_says_why(there: Terminal, words: str) -> None:
    assert words in there.why_no_screen()


def test_only_terminals_that_strike_through_are_asked_to() -> None:
    assert terminal(term="xterm-256color").strikes
    assert not terminal(term="linux").strikes


def test_a_closed_standard_input_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    assert not Terminal.of_process({"TERM": "xterm"}).stdin_is_terminal


@pytest.fixture
def errors_on_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Standard error is a file that says it is a terminal."""
    file = tmp_path / "stderr"
    monkeypatch.setattr("bridge.talk.screen.terminal._is_terminal", lambda _stream: True)
    return file


def test_what_others_write_to_standard_error_is_given_back_behind_the_screen(
    errors_on_terminal: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given: list[bytes] = []

    with stderr_kept_aside(given.append):
        os.write(2, b"past Python\n")
        during = capfd.readouterr().err
    os.write(2, b"afterwards\n")

    assert during == ""
    assert given == [b"past Python\n"]
    assert capfd.readouterr().err == "afterwards\n"


def test_only_the_last_of_much_is_given_back_and_nothing_of_nothing(
    errors_on_terminal: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    given: list[bytes] = []

    with stderr_kept_aside(given.append):
        pass
    with stderr_kept_aside(given.append):
        os.write(2, b"x" * KEPT_ASIDE + b"end")

    assert [len(each) for each in given] == [KEPT_ASIDE]
    assert given[0].endswith(b"xend")


def test_standard_error_that_is_no_terminal_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bridge.talk.screen.terminal._is_terminal", lambda _stream: False)

    with stderr_kept_aside(lambda _kept: None):
        os.write(2, b"into a file\n")
        assert capfd.readouterr().err == "into a file\n"
