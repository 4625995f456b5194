"""A job that takes no time, for tests of the batch around it; its seed says how it goes."""

import hashlib
import os
import signal
import time
from pathlib import Path

from bridge.batch.job import BatchOptions, Job
from bridge.batch.outcome import JobOutcome


def instant(job: Job, folder: Path, options: BatchOptions) -> JobOutcome:
    """Write two files that depend on the seed alone, and log the run beside the results."""
    with (folder.parent / "runs.log").open("a") as log:
        log.write(f"{job.id}\n")
    (folder / "first").write_bytes(hashlib.sha256(job.seed.encode()).digest() * 100)
    match job.seed.split("-")[0]:
        case "crash":
            os.kill(os.getpid(), signal.SIGKILL)
        case "leave":
            os._exit(3)
        case "raise":
            raise ValueError("a bug")
        case "fail":
            return JobOutcome(id=job.id, status="failed", reasons=("no good",))
        case "print":
            print("what a library has to say")  # noqa: T201
        case "sleep":
            time.sleep(0.02)
        case "hold":
            (folder.parent / "holding").touch()
            time.sleep(60)
        case "key":
            assert options.api_key is not None
            return JobOutcome(
                id=job.id, status="passed", notes=(options.api_key.get_secret_value()[::-1],)
            )
    (folder / "second").write_text(job.seed)
    return JobOutcome(id=job.id, status="passed", duration_s=2.5)
