"""The files that limit memory, in a folder that looks like the system's."""

import asyncio
import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateway import memory_files
from bridge.gateway.memory import Bound, MemoryRoom
from bridge.gateway.memory_files import memory_bounds, sampled
from bridge.virtual import run_virtual

MEMINFO = "MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable: 400 kB\n"


def system(folder: Path, mount: str, cgroup: str, files: dict[str, str]) -> Path:
    """A /proc whose groups stand in a folder beside it."""
    proc, groups = folder / "proc", folder / "groups"
    (proc / "self").mkdir(parents=True)
    line = f"35 31 0:32 / {groups} rw,relatime - {mount}\n"
    (proc / "self/mountinfo").write_bytes(os.fsencode(line))
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
        "a/memory.stat": (
            "inactive_file 1\nactive_file 1\ntotal_inactive_file 500\ntotal_active_file 300\n"
        ),
    }
    proc = system(tmp_path, "cgroup cgroup rw,memory", "4:memory:/a/b\n", files)

    assert memory_bounds(proc) == [
        Bound("group", 5_000, 2_200),
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
        "a/memory.stat": "inactive_file 500\nactive_file 300\nslab_reclaimable 30\nshmem 7\n",
    }
    proc = system(tmp_path, "cgroup2 cgroup2 rw", "0::/a\n", files)

    assert memory_bounds(proc)[0] == Bound("group", limit, 2_170)


def test_files_that_were_counted_later_than_what_is_used_leave_no_less_than_nothing(
    tmp_path: Path,
) -> None:
    files = {
        "a/memory.max": "5000\n",
        "a/memory.current": "700\n",
        "a/memory.stat": "inactive_file 500\nactive_file 300\n",
    }
    proc = system(tmp_path, "cgroup2 cgroup2 rw", "0::/a\n", files)

    assert memory_bounds(proc)[0] == Bound("group", 5_000, 0)


def test_what_cannot_be_read_limits_nothing(tmp_path: Path) -> None:
    assert memory_bounds(tmp_path) == []
    broken = {"a/memory.max": "lots\n", "memory.max": "77\n"}
    proc = system(tmp_path, "cgroup2 cgroup2 rw", "0::/a\n", broken)
    (proc / "meminfo").write_text("MemTotal: 1 kB\n")
    assert memory_bounds(proc) == []


def test_paths_that_are_no_utf_8_lead_to_their_groups(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    try:
        folder.mkdir()
    except OSError:
        pytest.skip("this file system has no names that are no UTF-8")
    group = {"memory.max": "5000\n", "memory.current": "3000\n", "memory.stat": "\n"}
    proc = system(folder, "cgroup2 cgroup2 rw", "0::/\n", {})
    group_folder = folder / "groups" / os.fsdecode(b"\xff")
    group_folder.mkdir(parents=True)
    for name, text in group.items():
        (group_folder / name).write_text(text)
    (proc / "self/cgroup").write_bytes(b"0::/\xff\n")

    assert memory_bounds(proc)[0] == Bound("group", 5_000, 3_000)


@pytest.mark.parametrize("name", ["self/cgroup", "self/mountinfo", "self/statm", "meminfo"])
@given(garbage=st.binary())
def test_no_bytes_in_a_system_file_do_harm(name: str, garbage: bytes) -> None:
    with TemporaryDirectory() as folder:
        proc = system(Path(folder), "cgroup2 cgroup2 rw", "0::/a\n", {"a/memory.max": "5\n"})
        (proc / name).write_bytes(garbage)

        memory_bounds(proc)


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


@pytest.mark.parametrize("bad", [{1}, {3, 4}, {1, 2, 3, 4}])
def test_a_round_that_fails_is_told_once_and_the_next_one_counts(
    bad: set[int], caplog: pytest.LogCaptureFixture
) -> None:
    reads = 0

    def read() -> list[Bound]:
        nonlocal reads
        reads += 1
        if reads in bad:
            raise RuntimeError("what was read")
        return [Bound("group", 1_000, reads)]

    async def main() -> None:
        room = MemoryRoom(1.0)
        async with sampled(room, read):
            await asyncio.sleep(4.5 * memory_files.SAMPLE_S)
        assert room.bounds == (Bound("group", 1_000, 5),)

    run_virtual(main())
    [told] = caplog.messages
    assert told.startswith("! how much memory is left cannot be read: RuntimeError < ")
    assert "what was read" not in told
