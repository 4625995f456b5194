"""`tipring serve`: the long-running service."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bridge.cli.credentials import credentials
from bridge.cli.options import Json, Verbose
from bridge.cli.terminal import print_json, say

if TYPE_CHECKING:
    from bridge.gateway.serve import Ready


def serve(  # noqa: PLR0913 - one argument for each option
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
    tls_cert: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Certificate chain (PEM): serve https and wss with it."),
    ] = None,
    tls_key: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Its key. Both are read again when they change."),
    ] = None,
    insecure_carriers: Annotated[
        bool,
        typer.Option(
            "--insecure-carriers",
            metavar="",
            help="Take phone calls that nobody has signed. For tests only.",
        ),
    ] = False,
    json_: Json = False,
    verbose: Verbose = False,
) -> None:
    """Run the call server and the phone gateway: REST and media on one port, until Ctrl-C.

    SIGTERM drains it: calls go on to their end, new ones are refused.

    \b
    For this machine alone, without a key:
      tipring serve --port 8080
    For others too, with a key:
      TIPRING_API_KEY=… tipring serve --host 0.0.0.0
    Phone calls, with a carrier's number pointed at it, or with `tipring carrier` as the carrier:
      tipring serve --config config/gateway-local.toml
    """
    from bridge.config import load_config
    from bridge.gateway.serve import serve as serve_calls
    from bridge.log import set_up

    set_up(verbose=verbose)
    given = {
        "port": port,
        "host": host,
        "recordings": recordings,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
    }
    overrides: dict[str, object] = {k: value for k, value in given.items() if value is not None}
    if key := os.environ.get("TIPRING_API_KEY"):
        overrides["api_keys"] = (key,)
    more = credentials(os.environ)
    if insecure_carriers:
        more["phone"] = {"insecure": True}

    def on_ready(ready: "Ready") -> None:
        if json_:
            print_json({"url": ready.url, "models": ready.models, "notes": ready.notes})
            return
        print(f"Tipring serves {ready.url}; Ctrl-C ends it.", flush=True)
        say(f"A page to call from: {ready.url}/")
        for note in ready.notes:
            say(note)

    serve_calls(load_config(config, overrides, more), on_ready)
