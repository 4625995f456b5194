"""Options that several commands have."""

import os
from pathlib import Path
from typing import Annotated, Final

import typer

Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where the files go.")]
Json = Annotated[
    bool, typer.Option("--json", metavar="", help="Print the result as one line of JSON.")
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", metavar="", help="Log to standard error.")
]
IN_HELP: Final = (
    "A recording of the caller; several are turns. FILE@+1.5s starts 1.5 s after the agent's next "
    "first sound, and so interrupts it."
)
TurnGap = Annotated[
    int, typer.Option(metavar="MS", min=0, help="Silence of the agent that ends its turn.")
]
Tail = Annotated[
    float, typer.Option(metavar="S", help="Silence of both sides before the caller hangs up.")
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
Agent = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="An agent of --api-url, or a shipped script: receptionist, survey, monologue.",
    ),
]
Script = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="A script for the embedded agent (config/scripts.md)."),
]
Model = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Model of the call, such as tipring/echo."),
]
SystemPrompt = Annotated[
    str | None,
    typer.Option(metavar="TEXT", help="Prompt of the call; a local script does not read it."),
]


def api_key(api_url: str | None, given: str | None) -> str | None:
    """The key for an API; the environment's only where there is an API to give it to."""
    if given is None and api_url is not None:
        return os.environ.get("ULTRAVOX_API_KEY")
    return given
