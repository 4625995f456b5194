"""The `tipring` command: the only place with print, exit codes and the environment.

Exit codes: 0 all went well, 1 something failed, 2 wrong usage, 130 stopped by Ctrl-C. Results go to
standard output, progress, notes, logs and errors to standard error. What is heavy is imported by
the command that needs it, so that help comes at once.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from bridge.cli.batches import batch
from bridge.cli.calls import call, demo
from bridge.cli.carriers import carrier
from bridge.cli.devices import devices_app
from bridge.cli.dialling import dial
from bridge.cli.service import serve
from bridge.cli.talking import talk
from bridge.cli.terminal import FAILED, STOPPED, WRONG_USAGE, say

# The first base that is not about parameters: also where typer brings its own click.
_WrongCommandLine: type[BaseException] = typer.BadParameter.__mro__[2]

_COMMANDS: Final = (talk, demo, call, batch, dial, serve, carrier)

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main() -> None:
    """Run the command line and exit."""
    _open_standard_descriptors()
    # Matrices here are too small for threads; numpy reads this when it is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(run(sys.argv[1:]))


def _open_standard_descriptors() -> None:
    """A descriptor that was closed before we began would become some socket's, and take what is printed."""
    for descriptor, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)  # the lowest that is free: this one
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def run(arguments: Sequence[str]) -> int:
    """Run one command; gives the exit code."""
    from bridge.errors import BridgeError, UsageError

    try:
        return _run_command(list(arguments) or ["--help"])
    except (UsageError, BridgeError) as exc:
        say(f"tipring: {exc}")
        return WRONG_USAGE if isinstance(exc, UsageError) else FAILED
    except _WrongCommandLine as exc:
        say(f"tipring: {_sentence(exc)}")
        return WRONG_USAGE
    except (KeyboardInterrupt, typer.Abort):
        say("tipring: stopped")
        return STOPPED
    except BrokenPipeError:
        # Who read our output has gone; the interpreter must not complain about it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _run_command(arguments: list[str]) -> int:
    command = typer.main.get_command(app)
    ended = command.main(arguments, "tipring", standalone_mode=False)
    if ended == STOPPED:  # some versions of typer give an interruption as a code, some as Abort
        raise typer.Abort
    return int(ended or 0)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"tipring {version('tipring')}")
        raise typer.Exit


@app.callback()
def _common(
    *,
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar="", help="Print it.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """A real-time media bridge for live voice-AI calls, with its own call server."""


def _sentence(error: BaseException) -> str:
    """What is wrong with the command line, as one sentence without a full stop."""
    text: str = getattr(error, "format_message", lambda: str(error))()
    return " ".join(text.split()).rstrip(".")


for _command in _COMMANDS:
    app.command()(_command)
app.add_typer(devices_app, name="devices")
