"""The `tipring` command: the only place with print, exit codes and the environment.

Exit codes: 0 all went well, 1 something failed, 2 wrong usage, 130 stopped by Ctrl-C. Results go to
standard output, progress, notes, logs and errors to standard error. What is heavy is imported by
the command that needs it, so that help comes at once.
"""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from bridge.batch.plan import CallPlan
    from bridge.gateway.serve import Ready

FAILED: Final = 1
WRONG_USAGE: Final = 2
STOPPED: Final = 130

# The first base that is not about parameters: also where typer brings its own click.
_WrongCommandLine: type[BaseException] = typer.BadParameter.__mro__[2]

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")]
Json = Annotated[
    bool, typer.Option("--json", metavar="", help="Print the result as one line of JSON.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", metavar="", help="Log to standard error.")
]
ApiUrl = Annotated[
    str | None,
    typer.Option(metavar="URL", help="An Ultravox-style API to call, not the embedded server."),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        metavar="KEY",
        help="Key for --api-url; better left to the variable ULTRAVOX_API_KEY.",
        show_default=False,
    ),
]


def main() -> None:
    """Run the command line and exit."""
    # Matrices here are too small for threads; numpy reads this when it is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; gives the exit code."""
    from bridge.errors import BridgeError, UsageError

    try:
        return _run_command(list(arguments) or ["--help"])
    except (UsageError, BridgeError) as exc:
        _say(f"tipring: {exc}")
        return WRONG_USAGE if isinstance(exc, UsageError) else FAILED
    except _WrongCommandLine as exc:
        _say(f"tipring: {_sentence(exc)}")
        return WRONG_USAGE
    except (KeyboardInterrupt, typer.Abort):
        _say("tipring: stopped")
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


@app.command()
def demo(
    *,
    out: Out = Path("tipring-demo"),
    real_time: Annotated[
        bool,
        typer.Option(
            "--real-time", metavar="", help="Take as long as the call, over real sockets."
        ),
    ] = False,
    json_: Json = False,
    verbose: Verbose = False,
) -> int:
    """Let a recorded caller book an appointment with the shipped receptionist.

    \b
    Open tipring-demo/timeline.html afterwards: both voices, the agent's states,
    what was said and heard, and the tool calls on one time axis.
    """
    from bridge.batch.demo import demo_plan

    _logs(verbose)
    return _carry_out(demo_plan(out, virtual=not real_time), as_json=json_, quiet=verbose)


@app.command()
def call(  # noqa: PLR0913 - typer reads \b; one argument for each option
    *,
    in_: Annotated[
        list[str],
        typer.Option(
            "--in",
            metavar="FILE",
            help="A recording of the caller; several are turns. FILE@+1.5s starts 1.5 s after the "
            "agent's next first sound, and so interrupts it.",
        ),
    ],
    out: Out,
    api_url: ApiUrl = None,
    api_key: ApiKey = None,
    join_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Join this call, which exists already.")
    ] = None,
    agent: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="An agent of --api-url, or a shipped script: receptionist, survey, monologue.",
        ),
    ] = None,
    script: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A script for the embedded agent (config/scripts.md)."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Model of the call, such as tipring/echo."),
    ] = None,
    system_prompt: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="Prompt of the call; a local script does not read it."),
    ] = None,
    tool: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=RESULT", help="Answer a client tool of the call with this."),
    ] = None,
    virtual: Annotated[
        bool,
        typer.Option(
            "--virtual", metavar="", help="Many times faster than the call; embedded server."
        ),
    ] = False,
    turn_gap: Annotated[
        int, typer.Option(metavar="MS", min=0, help="Silence of the agent that ends its turn.")
    ] = 700,
    tail: Annotated[
        float,
        typer.Option(metavar="S", help="Silence of both sides before the caller hangs up."),
    ] = 10.0,
    max_duration: Annotated[
        float | None,
        typer.Option(metavar="S", help="The call ends after so long at most."),
    ] = None,
    sample_rate: Annotated[
        int,
        typer.Option(metavar="HZ", help="Of both directions: 8000, 16000, 24000 or 48000."),
    ] = 8_000,
    json_: Json = False,
    verbose: Verbose = False,
) -> int:
    """Make one call with recordings as the caller.

    \b
    One caller, played straight through, against the embedded agent:
      tipring call --in caller.wav --out result --virtual
    Turn by turn, the second one interrupting the agent:
      tipring call --in hello.wav --in wait.wav@+1.5s --out result
    Against an API, with the key in ULTRAVOX_API_KEY:
      tipring call --in hello.mp3 --out result --api-url https://… --agent NAME
    """
    from pydantic import SecretStr

    from bridge.batch.plan import CallPlan, parse_api_url, parse_input, parse_tools

    _logs(verbose)
    key = _api_key(api_url, api_key)
    plan = CallPlan(
        inputs=tuple(parse_input(text) for text in in_),
        out_dir=out,
        api_url=None if api_url is None else parse_api_url(api_url),
        api_key=None if key is None else SecretStr(key),
        join_url=join_url,
        agent=agent,
        model=model,
        script=script,
        system_prompt=system_prompt,
        tools=parse_tools(tool or ()),
        virtual=virtual,
        turn_gap_ms=turn_gap,
        sample_rate_hz=sample_rate,
        tail_s=tail,
        max_duration_s=max_duration,
    )
    return _carry_out(plan, as_json=json_, quiet=verbose)


@app.command()
def batch(  # noqa: PLR0913 - as above
    *,
    jobs: Annotated[
        Path,
        typer.Argument(
            metavar="JOBS", help="A folder of recordings, or a job list (.toml, .jsonl)."
        ),
    ],
    out: Out,
    parallel: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="Calls at the same time.")
    ] = 1,
    virtual: Annotated[
        bool,
        typer.Option(
            "--virtual", metavar="", help="Many times faster than the calls; embedded server."
        ),
    ] = False,
    api_url: ApiUrl = None,
    api_key: ApiKey = None,
    json_: Json = False,
    verbose: Verbose = False,
) -> int:
    """Make many calls, check what is expected of them, and go on where a run was stopped.

    \b
    Every recording of a folder is a caller:
      tipring batch recordings/ --out results --virtual --parallel 4
    A list says more: turns, tools, scripts, and what must hold (config/jobs.toml):
      tipring batch jobs.toml --out results

    Ends with 0 when all jobs passed, with 1 when some did not.
    """
    from pydantic import SecretStr

    from bridge.batch.job import BatchOptions
    from bridge.batch.job_list import load_jobs
    from bridge.batch.plan import parse_api_url
    from bridge.batch.pool import run_batch
    from bridge.batch.progress import batch_progress
    from bridge.batch.summary import batch_summary
    from bridge.errors import UsageError

    _logs(verbose)
    if virtual and api_url is not None:
        raise UsageError("--virtual works with the embedded server only: leave out --api-url")
    key = _api_key(api_url, api_key)
    options = BatchOptions(
        virtual=virtual,
        api_url=None if api_url is None else parse_api_url(api_url),
        api_key=None if key is None else SecretStr(key),
    )
    found = load_jobs(jobs)
    for note in found.notes:
        _say(f"note: {note}")
    try:
        with batch_progress(_terminal(), quiet=verbose) as on_progress:
            outcomes = run_batch(
                found.jobs, out, options=options, parallel=parallel, on_progress=on_progress
            )
    except KeyboardInterrupt:
        _say("note: what is done is kept; the same command again does the rest")
        raise
    passed = sum(outcome.passed for outcome in outcomes)
    if json_:
        _print_json({"jobs": len(found.jobs), "passed": passed, "out": str(out)})
    else:
        _show(batch_summary(outcomes, len(found.jobs), out))
    return 0 if passed == len(found.jobs) else FAILED


@app.command()
def serve(
    *,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", min=0, max=65_535, help="Default 8080.")
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Default 127.0.0.1; any other needs an API key."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A TOML file, see config/serve.toml.")
    ] = None,
    recordings: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where calls are recorded.")
    ] = None,
    json_: Json = False,
    verbose: Verbose = False,
) -> None:
    """Run the call server: REST and media on one port, until Ctrl-C.

    \b
    For this machine alone, without a key:
      tipring serve --port 8080
    For others too, with a key:
      TIPRING_API_KEY=… tipring serve --host 0.0.0.0
    """
    from bridge.config import load_config
    from bridge.gateway.serve import serve as serve_calls
    from bridge.log import set_up

    set_up(verbose=verbose)
    given = {"port": port, "host": host, "recordings": recordings}
    overrides: dict[str, object] = {k: value for k, value in given.items() if value is not None}
    if key := os.environ.get("TIPRING_API_KEY"):
        overrides["api_keys"] = (key,)

    def on_ready(ready: "Ready") -> None:
        if json_:
            _print_json({"url": ready.url, "models": ready.models})
            return
        print(f"Tipring serves {ready.url}; Ctrl-C ends it.", flush=True)
        for note in ready.notes:
            _say(note)

    serve_calls(load_config(config, overrides), on_ready)


def _carry_out(plan: "CallPlan", *, as_json: bool, quiet: bool) -> int:
    from bridge.batch import one_call
    from bridge.batch.progress import call_progress
    from bridge.batch.summary import call_summary

    plan.check()
    with call_progress(_terminal(), quiet=quiet) as on_progress:
        result = one_call.run(plan, on_progress)
    if as_json:
        figures = result.figures.as_dict()
        told = {"call_id": result.call_id, "end_reason": result.end_reason, "figures": figures}
        _print_json({**told, "notes": list(result.notes), "out": str(plan.out_dir)})
    else:
        _show(call_summary(result, plan.out_dir))
    return FAILED if result.end_reason in ("connection_error", "system_error") else 0


def _api_key(api_url: str | None, given: str | None) -> str | None:
    """The key for an API; the environment's only where there is an API to give it to."""
    if given is None and api_url is not None:
        return os.environ.get("ULTRAVOX_API_KEY")
    return given


def _logs(verbose: bool) -> None:
    """Log what goes wrong, or with --verbose all."""
    import logging

    from bridge.log import set_up

    set_up(verbose=verbose)
    if not verbose:
        logging.getLogger("bridge").setLevel(logging.ERROR)


def _sentence(error: BaseException) -> str:
    """What is wrong with the command line, as one sentence without a full stop."""
    text: str = getattr(error, "format_message", lambda: str(error))()
    return " ".join(text.split()).rstrip(".")


def _say(sentence: str) -> None:
    """Print one line, whatever is in the names and words it repeats."""
    from bridge.log import printable

    print(printable(sentence), file=sys.stderr, flush=True)


def _show(what: "RenderableType") -> None:
    from rich.console import Console

    width = None if sys.stdout.isatty() else 160  # a file has no edge to keep away from
    Console(highlight=False, width=width, soft_wrap=width is not None).print(what)


def _terminal() -> "Console":
    from rich.console import Console

    return Console(stderr=True)


def _print_json(told: Mapping[str, object]) -> None:
    print(json.dumps(told), flush=True)
