"""The three ways in which `tipring talk` runs: on a screen, in lines, in JSON; from an order to an exit code."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from functools import partial
from typing import TYPE_CHECKING

from bridge.cli.terminal import FAILED, say

if TYPE_CHECKING:
    from bridge.talk.fronts import Front
    from bridge.talk.line_writer import LineWriter
    from bridge.talk.run import TalkOrder, TalkResult


def screen_is_possible() -> bool:
    """Where it is not, say why, unless whoever asked can hardly have expected one."""
    from importlib.util import find_spec

    from bridge.talk.screen.terminal import Terminal

    terminal = Terminal.of_process(os.environ)
    why = terminal.why_no_screen()
    if not why and find_spec("textual") is None:
        why = "the screen needs textual (pip install 'tipring[talk]')"
    if why and terminal.stdout_is_terminal:
        say(f"tipring: lines instead of a screen: {why}")
    return not why


def on_screen(order: "TalkOrder", *, title: str, verbose: bool) -> int:
    """Carry a talk out on the screen; gives the exit code.

    `title`: whom one talks to; `verbose`: what came to standard error meanwhile is given back.
    """
    from rich.console import Console

    from bridge.talk.screen.closing import closing_lines
    from bridge.talk.screen.front import ScreenFront
    from bridge.talk.screen.terminal import Terminal, stderr_kept_aside

    terminal = Terminal.of_process(os.environ)
    front = ScreenFront(
        title,
        push_to_talk=order.sound.push_to_talk,
        colours=not os.environ.get("NO_COLOR"),
        strikes=terminal.strikes,
    )

    def give_back(kept: bytes) -> None:
        if verbose:
            sys.stderr.buffer.write(kept)
            sys.stderr.flush()

    try:
        with stderr_kept_aside(give_back):
            result = _carry_out(order, lambda: front)
    finally:
        console = Console(highlight=False)
        for line in closing_lines(front.board, front.look, console):
            console.print(line)
    return _close(order, result)


def in_lines(order: "TalkOrder", *, at_keyboard: bool) -> int:
    """Carry a talk out in lines of text; gives the exit code. `at_keyboard`: a person types."""
    from bridge.talk.fronts import LineFront
    from bridge.talk.keyboard import typed_lines
    from bridge.talk.line_writer import LineWriter
    from bridge.talk.lines import left_out_words
    from bridge.talk.steering import Reader

    with _closed_at_the_end() as writers:

        def front() -> "Front":
            reader = Reader()
            encoding = sys.stdout.encoding or "ascii"
            writers.append(LineWriter(1, reader.gone, left_out_words, encoding=encoding))
            typed = partial(typed_lines, 0)
            return LineFront(writers[0].write, say, typed, reader, at_terminal=at_keyboard)

        result = _carry_out(order, front)
    return _close(order, result)


def in_json(order: "TalkOrder") -> int:
    """Carry a talk out in lines of JSON; gives the exit code."""
    from bridge.talk.fronts import JsonFront
    from bridge.talk.json_events import left_out_line
    from bridge.talk.keyboard import typed_lines
    from bridge.talk.line_writer import LineWriter
    from bridge.talk.steering import Reader

    with _closed_at_the_end() as writers:

        def front() -> "Front":
            reader = Reader()
            writers.append(LineWriter(1, reader.gone, left_out_line))
            return JsonFront(writers[0].write, partial(typed_lines, 0), reader)

        with redirect_stdout(sys.stderr):  # what a tool prints is no line of JSON
            result = _carry_out(order, front)
    return _exit_code(result)


@contextmanager
def _closed_at_the_end() -> "Iterator[list[LineWriter]]":
    """Writers that are made on the way: what they still have is written before the process ends."""
    writers: list[LineWriter] = []
    try:
        yield writers
    finally:
        unread = sum(writer.close() for writer in writers)
        if unread:
            say(f"tipring: the last {unread} lines were not read in time and are lost")


def _carry_out(order: "TalkOrder", front: "Callable[[], Front]") -> "TalkResult":
    """Run the talk; Ctrl-C before there is a call stops it."""
    import asyncio

    from bridge.loops import new_event_loop
    from bridge.talk.run import run
    from bridge.talk.signals import caught

    async def talk_to_its_end() -> "TalkResult":
        return await run(order, front(), caught)

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        try:
            return runner.run(talk_to_its_end())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def _close(order: "TalkOrder", result: "TalkResult") -> int:
    from bridge.talk.summary import summary

    for line in summary(result, order.record):
        say(line)
    return _exit_code(result)


def _exit_code(result: "TalkResult") -> int:
    from bridge.talk.endings import WELL_ENDED

    return 0 if result.ended.reason in WELL_ENDED and result.kept else FAILED
