"""Ctrl-C while sound devices are open or being opened: `tipring talk` as a process on PulseAudio's virtual devices.

Whenever it comes, the program ends by itself and says no more than it should, a call that there is has been ended and
its files are complete, and the terminal is as it was.
"""

import asyncio
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from bridge.batch.audio_file import read_audio
from tests.fakes.pulse import PulseServer, has_portaudio, pulse, running
from tests.fakes.terminal import in_terminal

__all__ = ["pulse"]

pytestmark = [
    pytest.mark.skipif(not has_portaudio(), reason="PortAudio is not installed"),
    pytest.mark.timeout(120),
]

TALK = (sys.executable, "-m", "bridge", "talk")
STARTING_S = (0.3, 0.5, 0.7, 0.9, 1.2, 1.5, 2.0)
"""From loading over the opening of the devices and the making of the call to the first word."""
STOPPED = (130, -signal.SIGINT)
"""What every shell tells as 130. Python ends itself by the signal where one came while it ran a text as a program, as
the standard library does for each named tuple, even if that was caught."""
WELL = 0
LIMIT_S = 30.0


def environment(pulse: PulseServer) -> Mapping[str, str]:
    left_out = ("NO_COLOR", "ULTRAVOX_API_KEY", "TERM", "COLORTERM")
    return {name: value for name, value in pulse.environment.items() if name not in left_out}


def check_files(folder: Path, code: int) -> None:
    """Complete, or none where there was no call."""
    if code in STOPPED and not folder.exists():
        return
    record = json.loads((folder / "call.json").read_text())
    assert record["end_reason"] == "hangup"
    for name in ("call.wav", "agent.wav"):
        assert read_audio(folder / name, 48_000).samples.size > 0
    assert "</html>" in (folder / "timeline.html").read_text()


def interrupted_in_lines(pulse: PulseServer, folder: Path, after_s: float) -> tuple[int, str]:
    """Ctrl-C so long after the start, or, if that is endless, a second after one can talk."""
    command = [*TALK, "--plain", "--record", str(folder)]
    ends = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with running(command, env=environment(pulse), **ends) as program:
        assert program.stdout is not None
        if after_s == float("inf"):
            assert b"you can talk" in program.stdout.readline()
        time.sleep(1.0 if after_s == float("inf") else after_s)
        program.send_signal(signal.SIGINT)
        _, said = program.communicate(timeout=LIMIT_S)
    return program.returncode, said.decode()


@pytest.mark.slow
def test_ctrl_c_in_a_talk_in_lines_ends_the_call_and_completes_the_files(
    pulse: PulseServer, tmp_path: Path
) -> None:
    code, said = interrupted_in_lines(pulse, tmp_path / "kept", float("inf"))

    assert code == WELL
    assert re.fullmatch(r"(tipring: .*\n)*talked 0:\d\d; you hung up\nfiles: .*\n", said), said
    check_files(tmp_path / "kept", code)


async def test_ctrl_c_in_a_talk_on_the_screen_leaves_the_terminal_as_it_was(
    pulse: PulseServer, tmp_path: Path
) -> None:
    folder = tmp_path / "kept"
    async with in_terminal((*TALK, "--record", str(folder)), environment(pulse)) as terminal:
        before = terminal.settings()
        await terminal.shows("speaking")
        terminal.process.send_signal(signal.SIGINT)
        code = await terminal.ended()

        assert code == WELL
        assert terminal.settings() == before
        check_screen_was_left(bytes(terminal.drawn))
        assert b"you hung up" in terminal.drawn.rpartition(b"\x1b[?1049l")[2]
    check_files(folder, code)


def check_screen_was_left(drawn: bytes) -> None:
    """The alternate screen is gone, the cursor is seen, pasting and the mouse are as they were."""
    assert b"Traceback" not in drawn
    for mode in (b"1049", b"2004", b"1000", b"1003"):
        assert drawn.rfind(b"\x1b[?" + mode + b"h") <= drawn.rfind(b"\x1b[?" + mode + b"l")
    assert drawn.rfind(b"\x1b[?25l") <= drawn.rfind(b"\x1b[?25h")


@pytest.mark.slow
@pytest.mark.parametrize("after_s", STARTING_S)
def test_ctrl_c_while_a_talk_in_lines_starts_says_one_line(
    pulse: PulseServer, tmp_path: Path, after_s: float
) -> None:
    code, said = interrupted_in_lines(pulse, tmp_path / "kept", after_s)

    assert code in (WELL, *STOPPED)
    if code in STOPPED:
        assert said == "tipring: stopped\n"
    assert "Traceback" not in said
    check_files(tmp_path / "kept", code)


@pytest.mark.slow
@pytest.mark.parametrize("after_s", STARTING_S)
async def test_ctrl_c_while_a_talk_on_the_screen_starts_leaves_the_terminal_as_it_was(
    pulse: PulseServer, tmp_path: Path, after_s: float
) -> None:
    folder = tmp_path / "kept"
    async with in_terminal((*TALK, "--record", str(folder)), environment(pulse)) as terminal:
        before = terminal.settings()
        await asyncio.sleep(after_s)
        terminal.process.send_signal(signal.SIGINT)
        code = await terminal.ended()

        assert code in (WELL, *STOPPED)
        assert terminal.settings() == before
        check_screen_was_left(bytes(terminal.drawn))
    check_files(folder, code)
