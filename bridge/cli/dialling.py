"""`tipring dial`: the agent calls somebody."""

import os
from typing import Annotated

import typer

from bridge.cli.options import Json, Verbose
from bridge.cli.terminal import FAILED, logs, print_json, say

_ANSWERED = ("hangup", "agent_hangup", "timeout")


def dial(  # noqa: PLR0913 - as `call`: one argument for each option
    to: Annotated[str, typer.Argument(metavar="NUMBER", help="Whom to call, such as +15550100.")],
    *,
    from_: Annotated[
        str, typer.Option("--from", metavar="NUMBER", help="A number of yours at the carrier.")
    ],
    carrier: Annotated[
        str, typer.Option(metavar="NAME", help="twilio, telnyx or plivo.")
    ] = "twilio",
    api_url: Annotated[
        str, typer.Option(metavar="URL", help="The API that places the call.")
    ] = "http://localhost:8080",
    api_key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="Its key; better left to the variable TIPRING_API_KEY or ULTRAVOX_API_KEY.",
            show_default=False,
        ),
    ] = None,
    agent: Annotated[str | None, typer.Option(metavar="ID", help="A stored agent of it.")] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Model of the call, such as tipring/echo.")
    ] = None,
    system_prompt: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Prompt of the call.")
    ] = None,
    ring: Annotated[
        float, typer.Option(metavar="S", min=1, help="Give up when nobody answers for so long.")
    ] = 90.0,
    max_duration: Annotated[
        float | None, typer.Option(metavar="S", help="The call ends after so long at most.")
    ] = None,
    wait: Annotated[bool, typer.Option(help="Stay until the call is over.")] = True,
    json_: Json = False,
    verbose: Verbose = False,
) -> int:
    """Have the agent call somebody through a carrier.

    \b
    Through a running `tipring serve` whose config has the carrier's account and allows it under \\[outgoing]:
      tipring dial +15550100 --from +15550123
    Without any account, with `tipring carrier twilio --listen` as the carrier: see config/outgoing-local.toml.
    Through a hosted API with the key in ULTRAVOX_API_KEY:
      tipring dial +15550100 --from +15550123 --carrier telnyx --api-url https://… --agent ID
    Exit code 0 if the call was answered, 1 if not.
    """
    from pydantic import SecretStr

    from bridge.batch.dial import DialPlan
    from bridge.batch.dial import dial as place
    from bridge.batch.plan import parse_api_url

    logs(verbose)
    environ = os.environ
    key = api_key or environ.get("TIPRING_API_KEY") or environ.get("ULTRAVOX_API_KEY")
    plan = DialPlan(
        carrier=carrier,
        to=to,
        from_=from_,
        api_url=parse_api_url(api_url),
        api_key=SecretStr(key) if key else None,
        agent=agent,
        model=model,
        system_prompt=system_prompt,
        ring_s=ring,
        max_duration_s=max_duration,
        wait=wait,
    )
    call = place(plan, (lambda _state: None) if json_ else say)
    if json_:
        print_json(call)
    else:
        print(call["callId"], flush=True)
    return 0 if not wait or call.get("endReason") in _ANSWERED else FAILED
