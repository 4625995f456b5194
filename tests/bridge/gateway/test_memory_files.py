"""The files that limit memory, in a folder that looks like the system's."""

import asyncio
from pathlib import Path

import pytest

from bridge.gateway import memory_files
from bridge.gateway.memory import Bound, MemoryRoom
from bridge.gateway.memory_files import memory_bounds, sampled
from bridge.virtual import run_virtual

MEMINFO = "MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: 400 kB\n"


def system(folder: Path, mount: str, cgroup: str, files: dict[str, str]) -> Path:
    """A /proc whose groups stand in a folder beside it."""
    proc, groups = folder / "proc", folder / "groups"
    (proc / "self").mkdir(parents=True)
    (proc / "self/mountinfo").write_text(f"35 31 0:32 / {groups} rw,relatime - {mount}\n")
    (proc / "self/cgroup").write_text(cgroup)
    (proc / "meminfo").write_text(MEMINFO)
    for name, text in files.items():
        (groups / name).parent.mkdir(parents=True, exist_ok=True)
        (groups / name).write_text(text)
    return proc


def test_groups_of_version_1_count_without_the_files_that_the_kernel_can_forget(
    tmp_path: Path,
) -> None:
    files = {
        "a/b/memory.limit_in_bytes": "9223372036854771712\n",
        "a/memory.limit_in_bytes": "5000\n",
        "a/memory.usage_in_bytes": "3000\n",
        "a/memory.stat": "inactive_file 1\ntotal_inactive_file 500\n",
    }
    proc = system(tmp_path, "cgroup cgroup rw,memory", "4:memory:/a/b\n", files)

    assert memory_bounds(proc) == [
        Bound("group", 5_000, 2_500),
        Bound("machine", 1_024_000, 600 * 1024),
    ]


@pytest.mark.parametrize(("high", "limit"), [("max", 5_000), ("4000", 4_000), ("6000", 5_000)])
def test_in_version_2_a_group_is_held_back_before_it_is_killed(
    tmp_path: Path, high: str, limit: int
) -> None:
    files = {
        "a/memory.max": "5000\n",
        "a/memory.high": f"{high}\n",
        "a/memory.current": "3000\n",
        "a/memory.stat": "inactive_file 500\n",
    }
    proc = system(tmp_path, "cgroup2 cgroup2 rw", "0::/a\n", files)

    assert memory_bounds(proc)[0] == Bound("group", limit, 2_500)


def test_what_cannot_be_read_limits_nothing(tmp_path: Path) -> None:
    assert memory_bounds(tmp_path) == []
    broken = {"a/memory.max": "lots\n", "memory.max": "77\n"}
    proc = system(tmp_path, "cgroup2 cgroup2 rw", "0::/a\n", broken)
    (proc / "meminfo").write_text("MemTotal: 1 kB\n")
    assert memory_bounds(proc) == []


def test_the_address_space_is_a_limit_where_it_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = pytest.importorskip("resource")
    (tmp_path / "self").mkdir()
    (tmp_path / "self/statm").write_text("1000 500 1 1 0 1 0\n")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10**9, resource.RLIM_INFINITY))
    [bound] = memory_bounds(tmp_path)
    assert (bound.of, bound.limit_bytes, bound.used_bytes % 1000) == ("address_space", 10**9, 0)

    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert memory_bounds(tmp_path) == []


def test_it_is_looked_at_before_the_first_call_and_then_once_a_second() -> None:
    reads = 0

    def read() -> list[Bound]:
        nonlocal reads
        reads += 1
        return [Bound("group", 1_000, reads)]

    async def main() -> None:
        room = MemoryRoom(1.0)
        async with sampled(room, read):
            assert room.bounds == (Bound("group", 1_000, 1),)
            await asyncio.sleep(10.5 * memory_files.SAMPLE_S)
        assert room.bounds == (Bound("group", 1_000, 11),)

    run_virtual(main())
    assert reads == 11
