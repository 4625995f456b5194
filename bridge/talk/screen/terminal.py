"""The terminal while the screen is up: it is drawn on standard output, and nothing else may write to it.

Sound systems print complaints of their own straight to standard error, past Python. Where that is the same terminal,
what comes there is kept aside and given back when the screen has gone.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from textual.driver import Driver

_NO_STRIKE: Final = ("linux", "vt", "ansi", "screen.linux")
"""Terminals that show struck-through text as any other."""
KEPT_ASIDE: Final = 1024 * 1024
"""Bytes of what came to standard error that are given back, the last ones."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """What is known of where the command runs."""

    stdin_is_terminal: bool
    stdout_is_terminal: bool
    term: str
    encoding: str

    @classmethod
    def of_process(cls, environment: Mapping[str, str]) -> "Terminal":
        """The one that a process has."""
        return cls(
            _is_terminal(sys.stdin),
            _is_terminal(sys.stdout),
            environment.get("TERM", "" if os.name == "posix" else "windows"),
            (getattr(sys.stdout, "encoding", None) or "ascii").lower(),
        )

    def why_no_screen(self) -> str:
        """One clause, or nothing where a screen can be drawn."""
        if not self.stdout_is_terminal:
            return "the output is no terminal"
        if not self.stdin_is_terminal:
            return "the input is no terminal"
        if self.term in ("", "dumb", "unknown"):
            return "the terminal cannot place its cursor (TERM is dumb or not set)"
        if "utf" not in self.encoding:
            return f"the terminal's letters are {self.encoding}, not UTF-8"
        return ""

    @property
    def strikes(self) -> bool:
        """Whether it can strike text through."""
        return not self.term.startswith(_NO_STRIKE)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


@contextlib.contextmanager
def stderr_kept_aside(give_back: Callable[[bytes], None]) -> Iterator[None]:
    """Keep what comes to descriptor 2 off the screen; at the end `give_back` gets it, if there was anything."""
    if not _is_terminal(sys.stderr):
        yield  # somebody reads it elsewhere
        return
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        try:
            os.dup2(aside.fileno(), 2)
            yield
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
            aside.seek(max(0, aside.seek(0, os.SEEK_END) - KEPT_ASIDE))
            if kept := aside.read():
                give_back(kept)


@contextlib.contextmanager
def drawn_on_stdout() -> "Iterator[type[Driver] | None]":
    """The driver that draws on standard output; None: the system's own, which does so anyway."""
    if sys.platform == "win32":
        yield None
        return
    from textual.drivers.linux_driver import LinuxDriver  # noqa: PLC0415 - POSIX only

    with open(os.dup(1), "w", encoding="utf-8", errors="replace") as out:  # noqa: PTH123 - a descriptor

        class OnStdout(LinuxDriver):
            """Textual draws on standard error otherwise, which may lead into a file."""

            def __init__(self, *args: object, **options: object) -> None:
                super().__init__(*args, **options)  # type: ignore[arg-type]  # textual's own, unchanged
                self._file = out

        yield OnStdout
