"""A process that runs jobs one after another, as its parent asks.

Standard input brings one JSON object per line, `{"job", "folder", "options"}`; standard output
answers each with the outcome, one line too. What anything else prints goes to standard error. When
the parent is gone, so is the worker, in the middle of a job if need be: nobody would take its
result, and the next batch is about to write in the same place.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Final, TypeAlias

from pydantic import SecretStr

from bridge.batch.job import BatchOptions, Job
from bridge.batch.outcome import JobOutcome

RunJob: TypeAlias = Callable[[Job, Path, BatchOptions], JobOutcome]
DEFAULT_RUN_JOB: Final = "bridge.batch.run_job:run_job"
READY: Final = b"ready\n"


def encode_request(job: Job, folder: Path, options: BatchOptions) -> bytes:
    """The line that asks a worker for a job; the one place where the API key is in the clear."""
    key = None if options.api_key is None else options.api_key.get_secret_value()
    request = {
        "job": job.model_dump(mode="json"),
        "folder": str(folder),
        "options": {**options.model_dump(mode="json", exclude={"api_key"}), "api_key": key},
    }
    return json.dumps(request).encode() + b"\n"


def decode_request(line: bytes) -> tuple[Job, Path, BatchOptions]:
    """What `encode_request` was given."""
    request = json.loads(line)
    key = request["options"].pop("api_key")
    options = BatchOptions.model_validate(
        {**request["options"], "api_key": None if key is None else SecretStr(key)}
    )
    return Job.model_validate(request["job"]), Path(request["folder"]), options


def load_run_job(name: str) -> RunJob:
    """The function called `package.module:function`."""
    module, _, function = name.partition(":")
    found: RunJob = getattr(import_module(module), function)
    return found


def main() -> None:
    """Serve standard input until it ends."""
    # The parent decides when to stop; a Ctrl-C reaches the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    run_job = load_run_job(sys.argv[1])
    requests: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(sys.stdin.buffer, requests), daemon=True).start()
    answers.write(READY)
    while True:
        answers.write(_answer(run_job, requests.get()))


def _read(source: IO[bytes], requests: "SimpleQueue[bytes]") -> None:
    for line in source:
        requests.put(line)
    os._exit(0)


def _answer(run_job: RunJob, line: bytes) -> bytes:
    job, folder, options = decode_request(line)
    try:
        outcome = run_job(job, folder, options)
    except Exception as exc:  # noqa: BLE001 - a bug in one job is the end of that job alone
        reason = f"{type(exc).__name__}: {exc}"
        outcome = JobOutcome(id=job.id, status="error", reasons=(reason[:500],))
    return outcome.model_dump_json().encode() + b"\n"


if __name__ == "__main__":
    main()
