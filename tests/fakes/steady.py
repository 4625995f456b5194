"""What the process holds: threads, file descriptors, child processes; and what it may hold after a test.

A test ends as it began. The autouse fixture in `conftest.py` compares before and after; what it may keep stands
in `KEPT`, each with its reason, and nowhere else.
"""

import gc
import os
import re
import socket
import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# What may be there after a test that was not there before. Each line needs a reason that a reviewer accepts.
KEPT: Final = (
    (
        re.compile(r"fd .* -> /dev/u?random"),
        "opened once by the first who needs chance, kept for all",
    ),
    (re.compile(r"child .*multiprocessing\.resource_tracker.*"), "one for the process, by Python"),
    (re.compile(r"child .*multiprocessing\.forkserver.*"), "one for the process, by Python"),
)

_FDS: Final = Path("/proc/self/fd")
_TASKS: Final = Path("/proc/self/task")


@dataclass(frozen=True, slots=True)
class Holdings:
    """Printable names of what the process holds."""

    things: frozenset[str]

    @classmethod
    def now(cls) -> "Holdings":
        """Look. Where there is no /proc, threads are all that is seen."""
        return cls(frozenset([*_threads(), *_fds(), *_children()]))

    def changes_since(self, before: "Holdings") -> list[str]:
        """One line for each thing that came or went and may not, sorted."""
        came = [
            f"left behind: {thing}" for thing in self.things - before.things if not _kept(thing)
        ]
        went = [f"taken away: {thing}" for thing in before.things - self.things]
        return sorted(came + went)


def describe_sockets(changes: list[str]) -> list[str]:
    """The same lines, with addresses where they speak of sockets."""
    return [_with_address(line) for line in changes]


def live_objects(package: str = "bridge") -> Counter[str]:
    """How many objects of a package's classes are alive, by class; for tests that call a thousand times."""
    gc.collect()
    kinds = Counter(type(thing) for thing in gc.get_objects())
    names = {f"{kind.__module__}.{kind.__qualname__}": count for kind, count in kinds.items()}
    return Counter({n: count for n, count in names.items() if n.startswith(f"{package}.")})


def _kept(thing: str) -> bool:
    return any(pattern.fullmatch(thing) for pattern, _reason in KEPT)


def _threads() -> list[str]:
    return [f"thread {thread.name} ({thread.ident})" for thread in threading.enumerate()]


def _fds() -> list[str]:
    found = []
    for number in os.listdir(_FDS) if _FDS.exists() else []:  # noqa: PTH208 - three times as fast
        try:
            found.append(f"fd {number} -> {os.readlink(f'{_FDS}/{number}')}")  # noqa: PTH115
        except OSError:
            continue  # the one that lists them
    return found


def _children() -> list[str]:
    found = []
    for thread in os.listdir(_TASKS) if _TASKS.exists() else []:  # noqa: PTH208
        try:
            pids = (_TASKS / thread / "children").read_text().split()
        except OSError:
            continue  # the thread has just ended
        found += [f"child {pid}: {_command(pid)}" for pid in pids]
    return found


def _command(pid: str) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        words = []
    return (
        " ".join(word.decode(errors="replace") for word in words).strip()
        or "(ended, not waited for)"
    )


def _with_address(line: str) -> str:
    match = re.search(r"fd (\d+) -> socket:", line)
    if match is None or line.startswith("taken"):
        return line
    try:
        with socket.socket(fileno=os.dup(int(match[1]))) as copy:
            listening = copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            kind = "listening" if listening else "connected"
            return f"{line} {copy.family.name} {kind} at {copy.getsockname()}"
    except OSError:
        return line
