"""`tipring demo` and `tipring call`: one call with recordings as the caller."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.options import (
    IN_HELP,
    Agent,
    ApiKey,
    ApiUrl,
    Json,
    Model,
    Out,
    Script,
    SystemPrompt,
    Tail,
    TurnGap,
    Verbose,
)
from bridge.cli.options import api_key as key_for
from bridge.cli.terminal import FAILED, logs, print_json, show, terminal

if TYPE_CHECKING:
    from bridge.batch.plan import CallPlan


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

    logs(verbose)
    return _carry_out(demo_plan(out, virtual=not real_time), as_json=json_, quiet=verbose)


def call(  # noqa: PLR0913 - typer reads \b; one argument for each option
    *,
    in_: Annotated[
        list[str],
        typer.Option("--in", metavar="FILE", help=IN_HELP),
    ],
    out: Out,
    api_url: ApiUrl = None,
    api_key: ApiKey = None,
    join_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Join this call, which exists already.")
    ] = None,
    webrtc: Annotated[
        bool,
        typer.Option("--webrtc", metavar="", help="Over WebRTC; the call is made by --api-url."),
    ] = False,
    agent: Agent = None,
    script: Script = None,
    model: Model = None,
    system_prompt: SystemPrompt = None,
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
    turn_gap: TurnGap = 700,
    tail: Tail = 10.0,
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

    logs(verbose)
    key = key_for(api_url, api_key)
    plan = CallPlan(
        inputs=tuple(parse_input(text) for text in in_),
        out_dir=out,
        api_url=None if api_url is None else parse_api_url(api_url),
        api_key=None if key is None else SecretStr(key),
        join_url=join_url,
        webrtc=webrtc,
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


def _carry_out(plan: "CallPlan", *, as_json: bool, quiet: bool) -> int:
    from bridge.batch import one_call
    from bridge.batch.progress import call_progress
    from bridge.batch.summary import call_summary

    plan.check()
    with call_progress(terminal(), quiet=quiet) as on_progress:
        result = one_call.run(plan, on_progress)
    if as_json:
        figures = result.figures.as_dict()
        told = {"call_id": result.call_id, "end_reason": result.end_reason, "figures": figures}
        print_json({**told, "notes": list(result.notes), "out": str(plan.out_dir)})
    else:
        show(call_summary(result, plan.out_dir))
    return FAILED if result.end_reason in ("connection_error", "system_error") else 0
