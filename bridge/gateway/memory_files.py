"""Reads what `memory` reckons with: the files of /proc and of the memory groups, and the process's own limits.

What is not there, or cannot be read, limits nothing: other systems than Linux have none of it.
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final, Literal

from bridge.gateway.memory import Bound, MemoryRoom, groups_of, limit_of, mounted, table_of
from bridge.log import whereabouts

log = logging.getLogger(__name__)

SAMPLE_S: Final = 1.0
PROC: Final = Path("/proc")
_FILES: Final[dict[Literal[1, 2], tuple[tuple[str, ...], str, tuple[str, ...]]]] = {
    1: (
        ("memory.limit_in_bytes",),
        "memory.usage_in_bytes",
        ("total_inactive_file", "total_active_file"),
    ),
    2: (
        ("memory.max", "memory.high"),
        "memory.current",
        ("inactive_file", "active_file", "slab_reclaimable"),
    ),
}
"""Limits, what is used, and the rows of ``memory.stat`` that the kernel takes back before it kills: files that were
read, however often, and what it keeps of their names."""


def memory_bounds(proc: Path = PROC) -> list[Bound]:
    """All limits that this process has, the machine among them."""
    return [*_groups(proc), *_address_space(proc), *_machine(proc)]


@asynccontextmanager
async def sampled(
    room: MemoryRoom, read: Callable[[], Iterable[Bound]] = memory_bounds
) -> AsyncIterator[None]:
    """Keep the room up to date for the time of the context, from a thread: the kernel may take its time.

    A round that fails changes nothing, and the next one is tried; the log has the first such.
    """
    loop = asyncio.get_running_loop()
    told = False

    async def sample() -> None:
        nonlocal told
        try:
            room.sampled(await loop.run_in_executor(None, read))
        except Exception as exc:  # noqa: BLE001 - whatever it is, admission goes on by what is read next
            if not told:
                log.warning("! how much memory is left cannot be read: %s", whereabouts(exc))
            told = True

    async def sample_on() -> None:
        while True:
            await asyncio.sleep(SAMPLE_S)
            await sample()

    await sample()
    sampling = loop.create_task(sample_on(), name="sample the memory")
    try:
        yield
    finally:
        sampling.cancel()
        with suppress(asyncio.CancelledError):
            await sampling


def _groups(proc: Path) -> Iterator[Bound]:
    with suppress(OSError, ValueError):
        cgroup = _text_of_paths(proc / "self/cgroup")
        for where in mounted(_text_of_paths(proc / "self/mountinfo")):
            for folder in groups_of(cgroup, where):
                yield from _group(Path(folder), where.version)


def _text_of_paths(file: Path) -> str:
    """A file that names paths, whose bytes may be of any encoding: they lead where they led."""
    return file.read_text(encoding="utf-8", errors="surrogateescape")


def _group(folder: Path, version: Literal[1, 2]) -> Iterator[Bound]:
    limits, used, reclaimed = _FILES[version]
    with suppress(OSError, ValueError):
        texts = [(folder / name).read_text() for name in limits if (folder / name).exists()]
        known = [limit for limit in map(limit_of, texts) if limit is not None]
        if known:
            stat = table_of((folder / "memory.stat").read_text())
            kept = sum(stat.get(name, 0) for name in reclaimed)
            # The two files are not of one instant: together they may come to less than nothing.
            yield Bound("group", min(known), max(0, int((folder / used).read_text()) - kept))


def _address_space(proc: Path) -> Iterator[Bound]:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return
    with suppress(OSError, ValueError, IndexError):
        pages = int((proc / "self/statm").read_text().split()[0])
        yield Bound("address_space", limit, pages * os.sysconf("SC_PAGE_SIZE"))


def _machine(proc: Path) -> Iterator[Bound]:
    with suppress(OSError, ValueError, KeyError):
        table = table_of((proc / "meminfo").read_text())
        total, available = 1024 * table["MemTotal"], 1024 * table["MemAvailable"]
        yield Bound("machine", total, total - available)
