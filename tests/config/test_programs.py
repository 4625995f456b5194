"""The guide for programs says what there is, and its examples run."""

import asyncio
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest

from bridge.talk import events
from bridge.talk.plan import INPUT_HZ, OUTPUT_HZ
from bridge.talk.tools import DEFAULT_DEADLINE_S
from bridge.talk.tools_file import load_tools
from bridge.virtual import run_virtual

RECORDINGS = Path(__file__).parents[2] / "bridge" / "assets" / "recordings"
GUIDE = (Path(__file__).parents[2] / "config" / "programs.md").read_text()
README = (Path(__file__).parents[2] / "README.md").read_text()


def _blocks(text: str) -> list[str]:
    found: list[str] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return found


BLOCKS = _blocks(GUIDE)
PROGRAMS = [block for block in BLOCKS if "asyncio.run(" in block]
TOOLS = [block for block in BLOCKS if "asyncio.run(" not in block]


def run(program: str, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Run a program in virtual time, in a folder of its own."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(asyncio, "run", run_virtual)
    exec(compile(program, "programs.md", "exec"), {"__name__": "__main__"})


def test_the_first_program_asks_and_hears_the_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(PROGRAMS[0], monkeypatch, tmp_path)

    said = capsys.readouterr().out.splitlines()
    assert any(line == "user: What are your opening hours?" for line in said)
    assert said[-1].startswith("agent: We are open")


def test_the_second_program_interrupts_and_keeps_its_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(RECORDINGS / "elephants.flac", tmp_path)
    run(PROGRAMS[1], monkeypatch, tmp_path)

    told = capsys.readouterr().out
    assert re.fullmatch(r"3\.0 s, then cut off after “.{20}” before “.{20}”\n", told)
    assert (tmp_path / "kept" / "timeline.html").exists()


def test_the_program_of_the_readme_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [program] = [block for block in _blocks(README) if "bridge.join" in block]
    run(program, monkeypatch, tmp_path)

    told = capsys.readouterr().out
    assert "What are your opening hours?" in told
    assert "We are open" in told


WRONG = {
    "call.on(events.StatusChanged, muted)": "[arg-type]",
    "call.microphone.write('words')": "[arg-type]",
    "call.set_output_medium('smoke')": "[arg-type]",
    "call.transcripts[0].words": "[attr-defined]",
    "call.leave_call()": "[unused-coroutine]",
}
"""Lines of a program, and what is wrong with each."""
MISTAKEN = """
import bridge
from bridge.talk import events


def muted(event: events.MicMuted) -> None: ...


async def main() -> None:
    async with bridge.join() as call:
"""


def mypy(folder: Path, *programs: str) -> list[str]:
    """What mypy says of a user's programs, at its strictest, with the package as it is installed."""
    pytest.importorskip("mypy", reason="mypy is not installed")
    (folder / "mypy.ini").write_text("[mypy]\nstrict = True\n")
    files = [folder / f"program_{number}.py" for number in range(len(programs))]
    for file, program in zip(files, programs, strict=True):
        file.write_text(program)
    said = subprocess.run(
        [sys.executable, "-m", "mypy", *map(str, files)],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
    )
    return (said.stdout + said.stderr).splitlines()


@pytest.mark.slow
def test_programs_are_typed_for_those_who_write_them(tmp_path: Path) -> None:
    [of_the_readme] = [block for block in _blocks(README) if "bridge.join" in block]
    first = PROGRAMS[0]  # the second one needs soundfile, which is not typed

    said = mypy(tmp_path, of_the_readme, first, *TOOLS)

    assert said == ["Success: no issues found in 3 source files"]


@pytest.mark.slow
def test_what_is_wrong_in_a_program_is_found_before_it_runs(tmp_path: Path) -> None:
    said = mypy(tmp_path, MISTAKEN + "".join(f"        {line}\n" for line in WRONG))

    errors = [line for line in said if ": error: " in line]
    assert [error.rpartition(" ")[2] for error in errors] == list(WRONG.values())


def test_every_program_of_the_guide_is_run() -> None:
    assert (len(PROGRAMS), len(TOOLS)) == (2, 1)


def test_the_tools_of_the_guide_are_tools(tmp_path: Path) -> None:
    path = tmp_path / "my_tools.py"
    path.write_text(TOOLS[0])

    free, book = load_tools(path)

    assert free.bind({"where": "inside"})() == 3
    assert (book.name, book.deadline_s) == ("bookTable", 20)
    assert asyncio.run(book.bind({"guest": {"name": "Ann"}})()) == {
        "status": "booked",
        "for": "Ann, 2",
    }
    assert free.deadline_s == DEFAULT_DEADLINE_S == 10


def test_the_guide_names_every_event_and_its_fields() -> None:
    table = GUIDE.partition("| kind |")[2].partition("\n\n")[0]
    rows: dict[str, set[str]] = {}
    for line in table.splitlines()[2:]:
        _, kinds, told, *_ = line.split("|")
        for kind in re.findall(r"`(\w+)`", kinds):
            rows[kind] = set(re.findall(r"`(\w+)`", told))

    known: Any = get_args(events.SessionEvent)
    assert rows == {each.kind: {field.name for field in fields(each)} - {"at_s"} for each in known}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("transcript", events.Transcript), ("turn", events.Turn), ("tool", events.ToolRun)],
)
def test_the_guide_names_every_field(name: str, kind: Any) -> None:
    sentence = GUIDE.partition(f"A **{name}** has ")[2].partition(".")[0]
    sentence = re.sub(r"\([^)]*\)", "", sentence)

    assert set(re.findall(r"`(\w+)`", sentence)) == {field.name for field in fields(kind)}


def test_the_guide_names_every_status_and_the_rates() -> None:
    row = next(line for line in GUIDE.splitlines() if line.startswith("| state |"))

    assert set(re.findall(r"`(\w+)`", row)) == set(get_args(events.Status))
    assert f"{INPUT_HZ:,} unless `input_hz`" in GUIDE
    assert f"{OUTPUT_HZ:,} unless\n`output_hz`" in GUIDE
