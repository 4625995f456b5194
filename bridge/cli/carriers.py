"""`tipring carrier`: a carrier without an account, for any application that answers phone calls."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.options import IN_HELP, Json, Tail, TurnGap, Verbose
from bridge.cli.terminal import FAILED, logs, print_json, say, show, terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bridge.testing.carriers.base import Account
    from bridge.testing.report import CallReport


def carrier(  # noqa: PLR0913 - one argument for each option
    *,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="The carrier: twilio, telnyx (or telnyx-texml), plivo, exotel, vonage, genesys, "
            "audiosocket, asterisk, jambonz, audio_fork, audio_stream.",
        ),
    ],
    call: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="Place one call to the application that answers at this URL."
        ),
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="With --call, where twilio, telnyx-texml, plivo and vonage tell the call's status; "
            "left out: …/status, if --call ends with /carriers/NAME/answer; none: nowhere.",
            show_default=False,
        ),
    ] = None,
    listen: Annotated[
        bool,
        typer.Option(
            "--listen", metavar="", help="Wait for calls that the application places by REST."
        ),
    ] = False,
    callee: Annotated[
        str,
        typer.Option(
            metavar="WORD",
            help="With --listen, what the called phone does: picks-up, no-answer, busy or failed.",
        ),
    ] = "picks-up",
    in_: Annotated[
        list[str] | None,
        typer.Option("--in", metavar="FILE", help=IN_HELP),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Where what the caller heard is written.")
    ] = None,
    digits: Annotated[
        list[str] | None,
        typer.Option(metavar="KEYS@5s", help="Keys the caller presses, and when: 12#@5s, 1@+2s."),
    ] = None,
    account_sid: Annotated[
        str | None,
        typer.Option(
            "--account-sid",
            "--account",
            metavar="ID",
            help="The application's account; also from the carrier's usual variable.",
        ),
    ] = None,
    auth_token: Annotated[
        str | None,
        typer.Option(
            "--auth-token",
            metavar="TOKEN",
            help="Its secret; better left to the variable, such as TWILIO_AUTH_TOKEN.",
            show_default=False,
        ),
    ] = None,
    from_: Annotated[
        str, typer.Option("--from", metavar="NUMBER", help="Who calls.")
    ] = "+15550100001",
    to: Annotated[str, typer.Option(metavar="NUMBER", help="Whom they call.")] = "+15550100002",
    api_port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65_535, help="Where the carrier's REST API listens."
        ),
    ] = 8081,
    profile: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Of the network: clean, mobile-edge, hotel-wifi, carrier-burst, stall, "
            "mid-word-disconnect.",
        ),
    ] = "clean",
    seed: Annotated[
        str, typer.Option(metavar="TEXT", help="The same seed, the same network.")
    ] = "tipring",
    turn_gap: TurnGap = 700,
    tail: Tail = 10.0,
    hang_up: Annotated[
        float | None,
        typer.Option(metavar="S", min=0, help="The caller hangs up then, whatever is said."),
    ] = None,
    max_duration: Annotated[
        float, typer.Option(metavar="S", help="The call ends after so long at most.")
    ] = 3600.0,
    calls: Annotated[
        int, typer.Option(metavar="N", min=0, help="With --listen: so many calls; 0: until Ctrl-C.")
    ] = 0,
    rate: Annotated[
        int,
        typer.Option(metavar="HZ", help="Of the phone line: 8000, 16000, 24000 or 48000."),
    ] = 8_000,
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="A switch of the carrier's, such as codec=slin16."),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", metavar="", help="Refuse ws:// too, as the carrier would."),
    ] = False,
    json_: Json = False,
    verbose: Verbose = False,
) -> int:
    """Play a phone carrier: call an application, or take its calls, and tell what was heard.

    \b
    Call a service that answers Twilio's webhook on this machine, with a recorded caller:
      tipring carrier twilio --call http://localhost:8080/carriers/twilio/answer \\
          --in caller.wav --out heard.wav
    Interrupt it, press keys, on a bad network:
      tipring carrier twilio --call http://localhost:8080/twiml --in hello.wav \\
          --in wait.wav@+1.5s --digits 12#@20s --profile mobile-edge
    Be an exchange that opens its media socket at once:
      tipring carrier asterisk --call ws://localhost:8080/media --option codec=slin16 --rate 16000
      tipring carrier audiosocket --call tcp://localhost:9092 --in hello.wav
    Take the calls that it places at http://localhost:8081 as Twilio's API:
      tipring carrier twilio --listen --in hello.wav --json

    Ends with 1 when the call failed or the application broke the carrier's rules; it says which.
    """
    from bridge.batch.plan import parse_input
    from bridge.errors import UsageError
    from bridge.testing.caller import parse_keys, parse_options
    from bridge.testing.carriers.base import Numbers
    from bridge.testing.run import CarrierPlan, Watch, run
    from bridge.testing.summary import call_summary, progress

    logs(verbose)
    if (call is None) != listen:
        raise UsageError("say either --call URL, to place a call, or --listen, to take some")
    plan = CarrierPlan(
        carrier=name,
        call_url=call,
        calls=calls,
        callee=callee,
        inputs=tuple(parse_input(text) for text in in_ or ()),
        keys=tuple(parse_keys(text) for text in digits or ()),
        out=out,
        account=_account(name, account_sid, auth_token),
        api_port=api_port,
        numbers=Numbers(from_, to),
        profile=profile,
        seed=seed,
        turn_gap_ms=turn_gap,
        tail_s=tail,
        hang_up_at_s=hang_up,
        max_duration_s=max_duration,
        line_hz=rate,
        options=parse_options(option or ()),
        strict=strict,
        status_url="" if status == "none" else status,
    )

    def on_report(report: "CallReport") -> None:
        if json_:
            print_json(dict(report.as_dict()))
        else:
            show(call_summary(report))

    def on_listening(api_url: str, hints: "Sequence[str]") -> None:
        for hint in hints:
            say(f"note: {hint}")
        if listen:
            say(f"{name} answers {api_url}; Ctrl-C ends it.")

    with progress(terminal(), quiet=verbose) as on_progress:
        reports = run(plan, Watch(on_progress, on_report, on_listening))
    return 0 if all(report.passed for report in reports) else FAILED


def _account(name: str, account_id: str | None, token: str | None) -> "Account | None":
    """The credentials given, or the environment's; None where there are none."""
    from bridge.testing.carriers.base import Account
    from bridge.testing.carriers.make import known

    carrier_known = known(name)
    test = carrier_known.test_account
    account_id = account_id or os.environ.get(carrier_known.account_variable or "-")
    token = token or os.environ.get(carrier_known.token_variable or "-")
    if account_id is None and token is None:
        say(
            f"note: no credentials are given; the test account {test.account_id} signs with {test.token}"
        )
        return None
    return Account(account_id or test.account_id, token or test.token)
