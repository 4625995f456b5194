"""What commands say and how they end: exit codes, results, notes, the log."""

import json
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

FAILED: Final = 1
WRONG_USAGE: Final = 2
STOPPED: Final = 130


def logs(verbose: bool) -> None:
    """Log what goes wrong, or with --verbose all."""
    import logging

    from bridge.log import set_up

    set_up(verbose=verbose)
    if not verbose:
        logging.getLogger("bridge").setLevel(logging.ERROR)


def say(sentence: str) -> None:
    """Print one line, whatever is in the names and words it repeats."""
    from bridge.log import printable

    print(printable(sentence), file=sys.stderr, flush=True)


def show(what: "RenderableType") -> None:
    """Print a result for people."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 160  # a file has no edge to keep away from
    Console(highlight=False, width=width, soft_wrap=width is not None).print(what)


def terminal() -> "Console":
    """Where progress is shown."""
    from rich.console import Console

    return Console(stderr=True)


def print_json(told: Mapping[str, object]) -> None:
    """Print a result for programs, on one line."""
    print(json.dumps(told), flush=True)
