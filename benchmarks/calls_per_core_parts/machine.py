"""What the operating system knows of a process and of the machine. Linux only: from /proc."""

import os
import platform
from pathlib import Path
from typing import Final

_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def cpu_s(pid: int) -> float:
    """CPU time of a process and its children so far, user and kernel, all threads, s."""
    fields = [_stat(process) for process in _family(pid)]
    return sum(int(stat[11]) + int(stat[12]) for stat in fields) / _TICKS_PER_S


def rss_bytes(pid: int) -> int:
    """Resident memory of a process and its children."""
    pages = (Path(f"/proc/{process}/statm").read_text().split()[1] for process in _family(pid))
    return sum(map(int, pages)) * _PAGE_BYTES


def busy_s() -> float:
    """CPU time that all processes together have taken since the machine started, s."""
    user, nice, system, _idle, _wait, *others = _cpu_line()
    return (user + nice + system + sum(others)) / _TICKS_PER_S


def description() -> dict[str, object]:
    """The machine, for the table's caption."""
    info = Path("/proc/cpuinfo").read_text()
    models = [line.partition(":")[2].strip() for line in info.splitlines() if "model name" in line]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _family(pid: int) -> list[int]:
    found = [pid]
    for process in found:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            found += map(int, children.read_text().split())
    return found


def _stat(pid: int) -> list[str]:
    # The name may hold blanks and brackets: what counts stands behind the last one.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _cpu_line() -> list[int]:
    first = Path("/proc/stat").read_text().partition("\n")[0]
    return [int(field) for field in first.split()[1:9]]
