"""Where a memory group is made, in folders that look like the system's."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.memory_group import MemoryGroup, memory_group

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="no shell to run a command in")


def system(folder: Path, mount: str, cgroup: str) -> Path:
    """A /proc whose groups stand in a folder beside it."""
    proc, groups = folder / "proc", folder / "groups"
    (groups / "a/b").mkdir(parents=True)
    (proc / "self").mkdir(parents=True)
    (proc / "self/mountinfo").write_text(f"35 31 0:32 / {groups} rw - {mount}\n")
    (proc / "self/cgroup").write_text(cgroup)
    return proc


@contextmanager
def made(proc: Path, files: dict[str, str]) -> Iterator[MemoryGroup]:
    """A group in which the kernel would say this."""
    with memory_group(5_000, proc) as group:
        for name, text in files.items():
            (group.folder / name).write_text(text)
        try:
            yield group
        finally:
            for file in group.folder.iterdir():  # those of the kernel are in nobody's way
                file.unlink()


def test_a_group_of_version_2_is_made_in_the_outermost_that_hands_memory_on(tmp_path: Path) -> None:
    proc = system(tmp_path, "cgroup2 cgroup2 rw", "0::/a/b\n")
    (tmp_path / "groups/cgroup.subtree_control").write_text("cpu pids\n")
    for name in ("a", "a/b"):
        (tmp_path / "groups" / name / "cgroup.subtree_control").write_text("cpu memory\n")
    stat = "anon 2000\ninactive_file 500\nactive_file 300\nslab_reclaimable 30\n"
    events = "low 0\noom 2\noom_kill 1\n"
    files = {"memory.current": "3000\n", "memory.stat": stat, "memory.events": events}

    with made(proc, files) as group:
        assert group.folder.parent == tmp_path / "groups/a"
        assert (group.folder / "memory.max").read_text() == "5000"
        assert (group.used_bytes, group.n_killed) == (2_170, 1)
    assert not group.folder.exists()


def test_a_group_of_version_1_is_made_where_memory_is_mounted(tmp_path: Path) -> None:
    proc = system(tmp_path, "cgroup cgroup rw,memory", "4:memory:/a/b\n")
    stat = "inactive_file 1\ntotal_inactive_file 500\ntotal_active_file 300\n"
    control = "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"
    files = {"memory.usage_in_bytes": "3000", "memory.stat": stat, "memory.oom_control": control}

    with made(proc, files) as group:
        assert group.folder.parent == tmp_path / "groups"
        assert (group.folder / "memory.limit_in_bytes").read_text() == "5000"
        assert (group.used_bytes, group.n_killed) == (2_200, 3)


@pytest.mark.parametrize(
    ("mount", "cgroup", "where_gone", "why"),
    [
        ("cgroup2 cgroup2 rw", "0::/\n", False, "^no memory group can be made here$"),
        (
            "cgroup cgroup rw,memory",
            "4:memory:/gone\n",
            True,
            "; in .*/gone: No such file or directory",
        ),
    ],
)
def test_where_none_can_be_made_the_test_is_skipped_with_the_reason(
    tmp_path: Path, mount: str, cgroup: str, where_gone: bool, why: str
) -> None:
    proc = system(tmp_path, mount, cgroup)
    (tmp_path / "groups/cgroup.subtree_control").write_text("cpu\n")
    if where_gone:
        shutil.rmtree(tmp_path / "groups")

    with pytest.raises(pytest.skip.Exception, match=why), memory_group(5_000, proc):
        pass
