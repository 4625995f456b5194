"""The guide for programs says what there is, and its examples run."""

import asyncio
import re
import shutil
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
