"""`tipring batch`: many calls, checked."""

from pathlib import Path
from typing import Annotated

import typer

from bridge.cli.options import ApiKey, ApiUrl, Json, Out, Verbose
from bridge.cli.options import api_key as key_for
from bridge.cli.terminal import FAILED, logs, print_json, say, show, terminal


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

    logs(verbose)
    if virtual and api_url is not None:
        raise UsageError("--virtual works with the embedded server only: leave out --api-url")
    key = key_for(api_url, api_key)
    options = BatchOptions(
        virtual=virtual,
        api_url=None if api_url is None else parse_api_url(api_url),
        api_key=None if key is None else SecretStr(key),
    )
    found = load_jobs(jobs)
    for note in found.notes:
        say(f"note: {note}")
    try:
        with batch_progress(terminal(), quiet=verbose) as on_progress:
            outcomes = run_batch(
                found.jobs, out, options=options, parallel=parallel, on_progress=on_progress
            )
    except KeyboardInterrupt:
        say("note: what is done is kept; the same command again does the rest")
        raise
    passed = sum(outcome.passed for outcome in outcomes)
    if json_:
        print_json({"jobs": len(found.jobs), "passed": passed, "out": str(out)})
    else:
        show(batch_summary(outcomes, len(found.jobs), out))
    return 0 if passed == len(found.jobs) else FAILED
