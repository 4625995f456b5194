"""Runs the jobs of a batch in worker processes, so that one that crashes takes nobody with it.

Each worker runs one job at a time. A worker that dies costs its own job, which ends as an error,
and is replaced. The batch can be killed at any time: what was finished stays, the rest is done by
the next run.
"""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from bridge.batch.job import BatchOptions, Job
from bridge.batch.outcome import JobOutcome
from bridge.batch.shelf import Shelf
from bridge.batch.worker import DEFAULT_RUN_JOB, READY, encode_request
from bridge.errors import BridgeError

MAX_PARALLEL: Final = 256
MAX_JOB_S: Final = 5 * 3600.0
"""No call may last that long; a worker that does hangs."""
START_S: Final = 60.0
_MAX_LINE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """Where a batch stands; `audio_s` counts what this run has done, `skipped` what it found."""

    total: int
    done: int = 0
    failed: int = 0
    skipped: int = 0
    audio_s: float = 0.0


OnBatchProgress = Callable[[BatchProgress], None]


@dataclass(slots=True)
class _Batch:
    """One run: what is left to do, and what has been done."""

    shelf: Shelf
    options: BatchOptions
    run_job: str
    total: int
    on_progress: OnBatchProgress
    left: deque[tuple[Job, str]] = field(default_factory=deque)
    outcomes: dict[str, JobOutcome] = field(default_factory=dict)
    skipped: int = 0
    audio_s: float = 0.0

    def report(self) -> None:
        failed = sum(not outcome.passed for outcome in self.outcomes.values())
        self.on_progress(
            BatchProgress(self.total, len(self.outcomes), failed, self.skipped, self.audio_s)
        )

    def take(self, working: Path, outcome: JobOutcome) -> None:
        self.shelf.finish(working, outcome)
        self.shelf.append(outcome)
        self.outcomes[outcome.id] = outcome
        self.audio_s += outcome.duration_s
        self.report()


def run_batch(
    jobs: Sequence[Job],
    out_dir: Path,
    *,
    options: BatchOptions,
    parallel: int = 1,
    on_progress: OnBatchProgress = lambda _: None,
    run_job: str = DEFAULT_RUN_JOB,
) -> tuple[JobOutcome, ...]:
    """Run what an earlier run has not finished; gives the outcome of every job, in order.

    Args:
        jobs: With different ids.
        out_dir: Gets one folder per job and results.jsonl.
        options: For all jobs.
        parallel: Worker processes at most.
        on_progress: Called at the start and after each job.
        run_job: `module:function` that a worker runs for each job.

    Raises: UsageError when another batch writes to `out_dir` or it cannot be used; BridgeError when
    workers cannot start or results cannot be written.
    """
    with Shelf(out_dir) as shelf:
        batch = _Batch(shelf, options, run_job, len(jobs), on_progress)
        for job in jobs:
            digest = job.digest(options)
            finished = shelf.finished(job.id, digest)
            if finished is None:
                batch.left.append((job, digest))
            else:
                batch.outcomes[job.id] = finished
        batch.skipped = len(batch.outcomes)
        try:
            try:
                shelf.write_results(_in_order(jobs, batch))
                asyncio.run(_run(batch, min(parallel, len(batch.left), MAX_PARALLEL)))
            finally:
                outcomes = _in_order(jobs, batch)
                shelf.write_results(outcomes)
        except OSError as exc:
            raise _unwritable(exc) from None
    return outcomes


def _in_order(jobs: Sequence[Job], batch: _Batch) -> tuple[JobOutcome, ...]:
    return tuple(batch.outcomes[job.id] for job in jobs if job.id in batch.outcomes)


async def _run(batch: _Batch, n_workers: int) -> None:
    batch.report()
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(n_workers):
                group.create_task(_keep_working(batch), name=f"batch worker {number}")
    except* BridgeError as broken:
        raise broken.exceptions[0] from None
    except* OSError as broken:
        raise _unwritable(broken.exceptions[0]) from None


def _unwritable(error: BaseException) -> BridgeError:
    why = error.strerror if isinstance(error, OSError) else None
    return BridgeError(f"the results cannot be written ({why or error})")


async def _keep_working(batch: _Batch) -> None:
    """One worker after another, as long as there is work."""
    while batch.left:
        async with _worker(batch.run_job) as worker:
            while batch.left and await _one(batch, worker):
                pass


async def _one(batch: _Batch, worker: asyncio.subprocess.Process) -> bool:
    """One job on this worker; False when the worker is of no use any more."""
    job, digest = batch.left.popleft()
    working = batch.shelf.working_folder(job.id)
    outcome = await _ask(worker, encode_request(job, working, batch.options))
    usable = outcome is not None
    if outcome is None:
        outcome = JobOutcome(id=job.id, status="error", reasons=(await _death(worker),))
    batch.take(working, outcome.model_copy(update={"digest": digest, "id": job.id}))
    return usable


async def _ask(worker: asyncio.subprocess.Process, request: bytes) -> JobOutcome | None:
    """The worker's answer; None when it died or answered nonsense."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    try:
        worker.stdin.write(request)
        async with asyncio.timeout(MAX_JOB_S):
            await worker.stdin.drain()
            return JobOutcome.model_validate_json(await worker.stdout.readuntil())
    except (OSError, TimeoutError, EOFError, asyncio.LimitOverrunError, ValidationError):
        return None


async def _death(worker: asyncio.subprocess.Process) -> str:
    if worker.returncode is None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(worker.wait(), 1.0)
    if worker.returncode is None:
        return "its worker process hung and was ended"
    if worker.returncode < 0:
        return f"its worker process was ended by signal {-worker.returncode}"
    return f"its worker process ended with code {worker.returncode}"


@asynccontextmanager
async def _worker(run_job: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker that is ready; gone when this is left."""
    worker = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # not what lies in the current folder under the name "bridge"
        "-m",
        "bridge.batch.worker",
        run_job,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_MAX_LINE_BYTES,
    )
    try:
        assert worker.stdout is not None
        async with asyncio.timeout(START_S):
            if await worker.stdout.readline() != READY:
                raise BridgeError("a worker process could not start; the reason stands above")
        yield worker
    finally:
        with contextlib.suppress(ProcessLookupError):
            worker.kill()
        await worker.wait()
