"""A memory group of the kernel's for a process and what it starts: past its limit the killer comes."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path("/sys/fs/cgroup/memory")
_NUMBERS: Final = count()


@dataclass(frozen=True)
class MemoryGroup:
    """A group, version 1."""

    folder: Path

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with that shall run in it."""
        return ("sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs"))

    @property
    def used_bytes(self) -> int:
        """What its processes hold, files that the kernel may forget left out."""
        rows = (line.split() for line in (self.folder / "memory.stat").read_text().splitlines())
        stat = {name: int(value) for name, value in rows}
        return stat["total_rss"] + stat["total_cache"] - stat["total_inactive_file"]

    @property
    def n_killed(self) -> int:
        """How many processes it has cost."""
        rows = (self.folder / "memory.oom_control").read_text().split()
        return int(rows[rows.index("oom_kill") + 1])


@contextmanager
def memory_group(limit_bytes: int) -> Iterator[MemoryGroup]:
    """A group for the time of the context; skips the test where none can be made."""
    folder = _ROOT / f"tipring-test-{os.getpid()}-{next(_NUMBERS)}"
    try:
        folder.mkdir()
    except OSError as exc:
        pytest.skip(f"no memory group can be made in {_ROOT} on {sys.platform}: {exc.strerror}")
    try:
        (folder / "memory.limit_in_bytes").write_text(str(limit_bytes))
        yield MemoryGroup(folder)
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """Remove a group whose processes have ended; the kernel may still be at their pages."""
    until_s = time.monotonic() + 10
    while True:
        try:
            folder.rmdir()
        except OSError:
            if time.monotonic() > until_s:
                raise
            time.sleep(0.02)
        else:
            return
