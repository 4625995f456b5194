"""One job from its plan to its outcome: what a worker process does."""

from pathlib import Path

from bridge.batch import one_call
from bridge.batch.job import BatchOptions, Job
from bridge.batch.outcome import JobOutcome, outcome_of
from bridge.errors import AudioFileError, BridgeError, UsageError


def run_job(job: Job, out_dir: Path, options: BatchOptions) -> JobOutcome:
    """Carry out a job in `out_dir`; whatever is wrong with it is in the outcome.

    Raises: only what is a bug here or the end of the process.
    """
    try:
        result = one_call.run(job.plan(out_dir, options))
    except (AudioFileError, UsageError) as exc:
        return JobOutcome(id=job.id, status="failed", reasons=(str(exc),))
    except (BridgeError, OSError) as exc:
        return JobOutcome(id=job.id, status="error", reasons=(str(exc),))
    return outcome_of(job, result)
