"""A file of tools: what of it is a tool, and which line is wrong."""

import sys
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.talk.tools_file import load_tools

GOOD = '''
from dataclasses import dataclass
from json import dumps  # not a tool: it is another's
from bridge import tool
from beside import PRICE

@dataclass
class Cake:
    size: str

def second(cake: Cake) -> str:
    """Sell a cake."""
    return dumps({"price": PRICE})

@tool(name="first-one", deadline_s=3)
async def first() -> None:
    pass

def _helper() -> None:
    pass
'''


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my_tools.py"
    path.write_text(text)
    return path


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test's file imports is another file in the next test."""
    monkeypatch.setattr(sys, "modules", dict(sys.modules))


def test_every_public_function_that_is_defined_in_it_is_a_tool(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("PRICE = 10\n")

    tools = load_tools(written(tmp_path, GOOD))

    assert [(each.name, each.deadline_s) for each in tools] == [("second", 10), ("first-one", 3)]
    assert tools[0].bind({"cake": {"size": "large"}})() == '{"price": 10}'
    assert str(tmp_path) not in sys.path


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("def f(:\n", r"my_tools\.py, line 1: "),
        ("x = 1\n\nraise ValueError('no\\nway')\n", r"my_tools\.py, line 3: ValueError: no way$"),
        ("import nothing_like_it\n", r"my_tools\.py, line 1: ModuleNotFoundError"),
        ("import sys\nsys.exit('bye')\n", r"my_tools\.py, line 2: SystemExit: bye"),
        ("x = 1\nraise KeyboardInterrupt\n", r"my_tools\.py, line 2: KeyboardInterrupt$"),
        (
            "class Own(BaseException):\n    __str__ = None\nraise Own\n",
            r"my_tools\.py, line 3: Own$",
        ),
        ("import json\n\njson.loads('{')\n", r"my_tools\.py, line 3: JSONDecodeError"),
        ("open('/nowhere/at/all')\n", r"my_tools\.py, line 1: FileNotFoundError"),
        ("\n\ndef f(x): pass\n", r"my_tools\.py, line 3: the parameter x of f has no type"),
        ("\ndef é() -> None: pass\n", r"my_tools\.py, line 2: 'é' is no name of a tool"),
        ("x = 1\n", r"my_tools\.py: there is no function in it"),
        ("def a() -> None: pass\nb = a\n", ""),
        ("x = '\0'\n", r"my_tools\.py"),
        (
            "from bridge import tool\n@tool(name='a')\ndef b() -> None: pass\ndef a() -> None: pass\n",
            "two tools with the name a",
        ),
    ],
)
def test_an_error_is_named_with_its_line(tmp_path: Path, text: str, why: str) -> None:
    path = written(tmp_path, text)
    if not why:
        assert [each.name for each in load_tools(path)] == ["a"]
        return

    with pytest.raises(UsageError, match=why) as caught:
        load_tools(path)

    assert "\n" not in str(caught.value)


def test_the_line_of_an_error_is_named_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "x = 1\nraise ValueError('no')\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"^my_tools\.py, line 2: ValueError: no$"):
        load_tools(Path("my_tools.py"))
    with pytest.raises(UsageError, match="cannot be read"):
        load_tools(Path("none.py"))


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        load_tools(tmp_path / "none.py")


def test_a_folder_is_no_file_of_tools(tmp_path: Path) -> None:
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(UsageError, match="cannot be read"):
        load_tools(tmp_path / "folder.py")


def test_what_is_no_python_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "tools.txt").write_text("")
    with pytest.raises(UsageError, match=r"ends in \.py"):
        load_tools(tmp_path / "tools.txt")
