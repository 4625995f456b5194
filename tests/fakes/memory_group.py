"""A memory group of the kernel's for a process and what it starts: past its limit the killer comes."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Final, Literal

import pytest

from bridge.gateway.memory import groups_of, mounted

_NUMBERS: Final = count()
_LIMIT: Final = {1: "memory.limit_in_bytes", 2: "memory.max"}
_USED: Final = {1: "memory.usage_in_bytes", 2: "memory.current"}
_KILLED: Final = {1: "memory.oom_control", 2: "memory.events"}
_FORGOTTEN: Final = {
    1: ("total_inactive_file", "total_active_file"),
    2: ("inactive_file", "active_file", "slab_reclaimable"),
}


@dataclass(frozen=True)
class MemoryGroup:
    """A group, of either version."""

    folder: Path
    version: Literal[1, 2]

    @property
    def prefix(self) -> tuple[str, ...]:
        """What a command begins with that shall run in it."""
        return ("sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs"))

    @property
    def used_bytes(self) -> int:
        """What its processes hold, files that the kernel may forget left out."""
        stat = self._table("memory.stat")
        used = int((self.folder / _USED[self.version]).read_text())
        return used - sum(stat.get(name, 0) for name in _FORGOTTEN[self.version])

    @property
    def n_killed(self) -> int:
        """How many processes it has cost."""
        return self._table(_KILLED[self.version])["oom_kill"]

    def limit(self, n_bytes: int) -> None:
        """Let the killer come past so much. Raises: OSError if that cannot be."""
        (self.folder / _LIMIT[self.version]).write_text(str(n_bytes))
        with suppress(OSError):  # not everywhere, and where nothing is swapped it does not matter
            (self.folder / "memory.swap.max").write_text("0")

    def check(self) -> None:
        """Run a process in it. Raises: OSError if none may."""
        done = subprocess.run([*self.prefix, "true"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise OSError(done.returncode, done.stderr.strip())

    def _table(self, name: str) -> dict[str, int]:
        rows = (line.split() for line in (self.folder / name).read_text().splitlines())
        return {row[0]: int(row[1]) for row in rows}


@contextmanager
def memory_group(limit_bytes: int, proc: Path = Path("/proc")) -> Iterator[MemoryGroup]:
    """A group for the time of the context; skips the test where none can be made, and says why."""
    group = _made(limit_bytes, proc)
    try:
        yield group
    finally:
        _remove(group.folder)


def _made(limit_bytes: int, proc: Path) -> MemoryGroup:
    why = ["no memory group can be made here"]
    for version, parent in _parents(proc):
        folder = parent / f"tipring-test-{os.getpid()}-{next(_NUMBERS)}"
        group = MemoryGroup(folder, version)
        try:
            folder.mkdir()
        except OSError as exc:
            why.append(f"in {parent}: {exc.strerror}")
            continue
        try:
            group.limit(limit_bytes)
            group.check()
        except OSError as exc:
            _remove(folder)
            why.append(f"in {parent}: {exc.strerror}")
        else:
            return group
    pytest.skip("; ".join(why))


def _parents(proc: Path) -> Iterator[tuple[Literal[1, 2], Path]]:
    """Groups around this process in which others may be whose memory is limited, the outermost first."""
    with suppress(OSError):
        cgroup = (proc / "self/cgroup").read_text()
        for where in mounted((proc / "self/mountinfo").read_text()):
            for folder in map(Path, reversed(groups_of(cgroup, where))):
                if where.version == 1 or _hands_on_memory(folder):
                    yield where.version, folder


def _hands_on_memory(folder: Path) -> bool:
    """Whether a group of version 2 lets those inside it limit memory."""
    with suppress(OSError):
        return "memory" in (folder / "cgroup.subtree_control").read_text().split()
    return False


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
