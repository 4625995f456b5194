"""Reads a file of client tools: every public function that is defined in it.

What is wrong with the file is said in one sentence with the line: it cannot be read, it is no Python, it raises while
it is loaded, a function cannot be a tool. The file is the user's own program and is run as such.
"""

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final

from bridge.errors import UsageError
from bridge.talk.faults import said
from bridge.talk.tools import Tool, ToolImplementation, make_tool

_MODULE: Final = "tipring_tools_"


def load_tools(path: Path) -> tuple[Tool, ...]:
    """The tools of a file, in the order in which they stand there. Blocks for as long as the file takes to load.

    Raises: UsageError with the file's name and the line.
    """
    path = path.absolute()  # as Python names the file of a frame
    module = _run(path)
    functions = sorted(_functions(module), key=_line)
    if not functions:
        raise UsageError(f"{path.name}: there is no function in it that could be a tool")
    return unique(_tool(path, function) for function in functions)


def unique(tools: Iterable[Tool]) -> tuple[Tool, ...]:
    """The tools, each name once. Raises: UsageError."""
    known: dict[str, Tool] = {}
    for tool in tools:
        if tool.name in known:
            raise UsageError(f"there are two tools with the name {tool.name}")
        known[tool.name] = tool
    return tuple(known.values())


def _run(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(_MODULE + path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path.name} is no Python file: its name ends in .py")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    sys.path.insert(0, folder)  # it may import what stands beside it, as any program may
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as exc:
        raise UsageError(f"{_where(path, exc.filename, exc.lineno)}: {exc.msg}") from None
    except OSError as exc:
        if exc.filename is not None and Path(exc.filename) == path:
            raise UsageError(f"{path}: cannot be read ({exc.strerror})") from None
        raise UsageError(_raised(path, exc)) from None
    except BaseException as exc:  # noqa: BLE001 - the border to a user's program
        raise UsageError(_raised(path, exc)) from None
    finally:
        sys.path.remove(folder)
    return module


def _raised(path: Path, exc: BaseException) -> str:
    """What a file raised while it was loaded; its own innermost line, wherever the error came from."""
    frames = traceback.extract_tb(exc.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
    return f"{_where(path, None, lines[-1] if lines else None)}: {said(exc)}"


def _where(path: Path, file: str | None, line: int | None) -> str:
    name = path.name if file is None else Path(file).name
    return name if line is None else f"{name}, line {line}"


def _functions(module: ModuleType) -> list[ToolImplementation]:
    found = [
        each
        for name, each in vars(module).items()
        if inspect.isfunction(each)
        and not name.startswith("_")
        and each.__module__ == module.__name__
    ]
    return list(dict.fromkeys(found))  # one may have a second name


def _line(function: ToolImplementation) -> int:
    code: CodeType = inspect.unwrap(function).__code__
    return code.co_firstlineno


def _tool(path: Path, function: ToolImplementation) -> Tool:
    try:
        return make_tool(function)
    except UsageError as exc:
        raise UsageError(f"{path.name}, line {_line(function)}: {exc}") from None
