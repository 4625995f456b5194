"""`tipring talk` as a process, in a terminal and in pipes: whatever ends it, the call and the terminal end properly."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from tests.fakes.talk_process import ENVIRONMENT, talk_process
from tests.fakes.terminal import in_terminal

TALK = (sys.executable, "-m", "bridge", "talk", "--text")
LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"
ENTERED_ALTERNATE_SCREEN = b"\x1b[?1049h"
COLOURS = (b"38;2;", b"48;2;", b"38;5;", b"\x1b[31m", b"\x1b[34m")


def end_reason(folder: Path) -> str:
    return str(json.loads((folder / "call.json").read_text())["end_reason"])


@pytest.mark.parametrize(
    "how",
    [
        "key",
        pytest.param("signal", marks=pytest.mark.slow),
        pytest.param("closed", marks=pytest.mark.slow),
    ],
)
async def test_the_screen_can_be_left_in_any_way_and_the_files_are_complete(
    how: str, tmp_path: Path
) -> None:
    folder = tmp_path / "talk"
    async with in_terminal((*TALK, "--record", str(folder)), ENVIRONMENT) as terminal:
        before = terminal.settings()
        await terminal.shows("How may I help")
        if how == "key":
            terminal.press("\x03")
        elif how == "signal":
            terminal.process.send_signal(signal.SIGTERM)
        else:
            terminal.hang_up()
        code = await terminal.ended()
        if how != "closed":
            assert code == 0
            assert terminal.settings() == before
            assert LEFT_ALTERNATE_SCREEN in terminal.drawn
            after = terminal.drawn.rpartition(LEFT_ALTERNATE_SCREEN)[2]
            assert b"Harbour Clinic" in after
            assert b"you hung up" in after

    assert end_reason(folder) == "hangup"


@pytest.mark.slow
async def test_ctrl_c_before_there_is_a_call_stops_at_once(tmp_path: Path) -> None:
    tools = tmp_path / "tools.py"
    tools.write_text("import time\nprint('load' + 'ing', flush=True)\ntime.sleep(60)\n")
    async with in_terminal((*TALK, "--plain", "--tools", str(tools)), ENVIRONMENT) as terminal:
        await terminal.shows("loading")
        terminal.process.send_signal(signal.SIGINT)
        code = await terminal.ended()

        assert code == 130
        assert b"Traceback" not in terminal.drawn


@pytest.mark.slow
async def test_a_dumb_terminal_gets_lines_and_is_told_why() -> None:
    async with in_terminal(TALK, {**ENVIRONMENT, "TERM": "dumb"}) as terminal:
        await terminal.shows("0:00 agent: Hello")
        terminal.press("goodbye\n")
        await terminal.shows("you (typed): goodbye")
        await terminal.ended()

        assert b"lines instead of a screen: " in terminal.drawn
        assert b"\x1b[" not in terminal.drawn


async def test_no_color_leaves_struck_and_bold_but_no_colours() -> None:
    async with in_terminal(TALK, {**ENVIRONMENT, "NO_COLOR": "1"}) as terminal:
        await terminal.shows("Harbour")
        await asyncio.sleep(0.3)
        terminal.press("\x03")
        await terminal.ended()

        assert ENTERED_ALTERNATE_SCREEN in terminal.drawn
        assert [colour for colour in COLOURS if colour in terminal.drawn] == []
        assert b"\x1b[1m" in terminal.drawn


@pytest.mark.slow
async def test_errors_of_others_go_past_the_screen(tmp_path: Path) -> None:
    with (tmp_path / "errors").open("w") as errors:
        async with in_terminal(TALK, ENVIRONMENT, stderr=errors.fileno()) as terminal:
            await terminal.shows("Harbour")
            terminal.press("\x03")
            code = await terminal.ended()

    assert code == 0
    assert "you hung up" in (tmp_path / "errors").read_text()


async def test_ctrl_c_stops_while_a_tools_file_loads_for_ever(tmp_path: Path) -> None:
    tools = tmp_path / "tools.py"
    tools.write_text("print('loading', flush=True)\nwhile True:\n    pass\n")
    async with talk_process("--plain", "--tools", str(tools)) as talk:
        await talk.prints(lambda line: line == "loading")
        talk.interrupt()
        code = await talk.ended()

    assert code == 130
    assert talk.errors == "tipring: stopped\n"


async def test_what_a_tool_prints_is_no_line_of_the_json(tmp_path: Path) -> None:
    tools = tmp_path / "tools.py"
    tools.write_text("print('imported')\ndef f() -> None:\n    pass\n")
    async with talk_process("--json", "--tools", str(tools)) as talk:
        talk.types("/hangup")
        code = await talk.ended()

    assert code == 0
    assert all("event" in event for event in talk.events)
    assert "imported" in talk.errors


@pytest.mark.parametrize(
    "closed",
    ["0", pytest.param("1", marks=pytest.mark.slow), pytest.param("2", marks=pytest.mark.slow)],
)
async def test_a_closed_standard_descriptor_becomes_no_socket_of_the_call(
    closed: str, tmp_path: Path
) -> None:
    folder = tmp_path / "talk"
    close = f"os.close({closed})"
    async with talk_process("--plain", "--record", str(folder), before=close) as talk:
        talk.types_no_more()
        code = await talk.ended()

    assert code == 0, talk.errors
    assert end_reason(folder) == "hangup"


async def test_a_reader_that_goes_ends_the_call(tmp_path: Path) -> None:
    folder = tmp_path / "talk"
    async with talk_process("--json", "--record", str(folder)) as talk:
        await talk.prints(bool)
        talk.read_no_more()
        code = await talk.ended()

    assert code == 1
    assert "Traceback" not in talk.errors
    assert end_reason(folder) == "hangup"


FULL_AT = 20_000
"""Bytes: as if the disk took no more of a file."""


async def test_a_recording_that_is_cut_short_is_said_and_ends_the_talk_with_1(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "talk"
    full = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({FULL_AT}, {FULL_AT}))"
    async with talk_process("--json", "--record", str(folder), before=full) as talk:
        await talk.tells(lambda event: "recording stopped" in event.get("text", ""))
        talk.types("/hangup")
        code = await talk.ended()

    assert code == 1
    assert (talk.events[-1]["event"], talk.events[-1]["reason"]) == ("ended", "hangup")
    assert (folder / "call.wav").stat().st_size <= FULL_AT
