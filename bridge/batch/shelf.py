"""The results folder of a batch: one owner, one folder per finished job, one list of outcomes.

A job works in a folder with a temporary name; when it is over, its outcome is written into it and
the folder gets its final name. That rename is the moment at which a job is finished: whatever ends
the batch before or after it, there is never a part of a job under a final name, and the next run
knows from the folders alone what is left to do. `results.jsonl` is written from the same outcomes.
"""

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from pydantic import ValidationError

from bridge.batch.files import write_atomically
from bridge.batch.outcome import JobOutcome
from bridge.clock import rfc3339, wall_clock
from bridge.errors import UsageError

RESULTS: Final = "results.jsonl"
OUTCOME: Final = "result.json"
LOCK: Final = "batch.lock"
_WORKING: Final = ".working-"
_RETIRED: Final = ".retired-"


class Shelf:
    """The results folder, held by this process from `with` on.

    Raises: UsageError when another batch holds it or it cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = (self.folder / LOCK).open("a+", encoding="utf-8")
        except OSError as exc:
            raise UsageError(f"{self.folder}: cannot hold results ({exc.strerror})") from None
        if not _take(self._lock):
            holder = self._holder()
            self._lock.close()
            raise UsageError(f"{self.folder}: another batch writes here{holder}")
        self._lock.truncate(0)
        told = json.dumps({"pid": os.getpid(), "since": rfc3339(wall_clock())})
        with contextlib.suppress(
            OSError
        ):  # on a full disk the lock holds, though it does not say for whom
            os.write(self._lock.fileno(), told.encode())
        self._sweep()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._sweep()
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()

    def finished(self, job_id: str, digest: str) -> JobOutcome | None:
        """The outcome of a job that an earlier run finished, if it was this very job."""
        try:
            content = (self.folder / job_id / OUTCOME).read_bytes()
            outcome = JobOutcome.model_validate_json(content)
        except (OSError, ValidationError):
            return None
        if outcome.digest != digest or outcome.id != job_id or not outcome.final:
            return None
        return outcome

    def working_folder(self, job_id: str) -> Path:
        """A new, empty folder for a job to work in."""
        folder = self.folder / f"{_WORKING}{job_id}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        return folder

    def finish(self, working: Path, outcome: JobOutcome) -> None:
        """Give the job's folder its final name, in place of one from an earlier run."""
        write_atomically(working / OUTCOME, outcome.model_dump_json(indent=2).encode() + b"\n")
        final = self.folder / outcome.id
        retired = self.folder / f"{_RETIRED}{outcome.id}"
        if final.exists():
            final.rename(retired)
        working.rename(final)
        shutil.rmtree(retired, ignore_errors=True)

    def append(self, outcome: JobOutcome) -> None:
        """Add a line to results.jsonl, for who follows the batch while it runs."""
        descriptor = os.open(self.folder / RESULTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as results:
            results.write(_line(outcome))

    def write_results(self, outcomes: Iterable[JobOutcome]) -> None:
        """Write results.jsonl anew, in the given order."""
        write_atomically(self.folder / RESULTS, b"".join(map(_line, outcomes)))

    def _holder(self) -> str:
        """Who holds the folder, as far as the lock tells."""
        try:
            told = json.loads((self.folder / LOCK).read_text("utf-8"))
            return f" (process {int(told['pid'])}, since {str(told['since'])[:40]})"
        except (OSError, ValueError, KeyError, TypeError):
            return ""

    def _sweep(self) -> None:
        """Remove what an interrupted run left half done."""
        for entry in self.folder.iterdir():
            if entry.name.startswith((_WORKING, _RETIRED)):
                shutil.rmtree(entry, ignore_errors=True)


def _line(outcome: JobOutcome) -> bytes:
    return outcome.model_dump_json().encode() + b"\n"


def _take(lock: IO[str]) -> bool:
    """Whether the lock is ours now; the system lets go of it when we end, however we end."""
    try:
        if sys.platform == "win32":
            import msvcrt  # noqa: PLC0415

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl  # noqa: PLC0415

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
