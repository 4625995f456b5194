"""How much memory there is, from the words of the system's files."""

from pathlib import PurePosixPath as Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.gateway.memory import (
    CALL_BYTES,
    SPARE_BYTES,
    Bound,
    MemoryRoom,
    Mounted,
    Of,
    groups_of,
    limit_of,
    mounted,
    table_of,
)

MIB = 1024 * 1024
V1, V2 = (
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate",
)
HYBRID = """\
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
35 31 0:32 /docker/ab /sys/fs/cgroup/memory rw,relatime master:9 - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/un\\040ified rw,relatime - cgroup2 cgroup2 rw
"""


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("268435456\n", 268_435_456),
        ("max\n", None),
        ("9223372036854771712\n", None),  # none, in version 1
        ("0\n", None),
    ],
)
def test_a_limit_is_a_number_that_some_machine_could_have(text: str, limit: int | None) -> None:
    assert limit_of(text) == limit


def test_tables_are_read_in_both_their_forms() -> None:
    assert table_of("cache 4096\ntotal_inactive_file 8192\n") == {
        "cache": 4096,
        "total_inactive_file": 8192,
    }
    text = "MemTotal:       24684148 kB\nMemAvailable:   23087520 kB\nHugepagesize: ?\n\n"
    assert table_of(text) == {"MemTotal": 24_684_148, "MemAvailable": 23_087_520}


def test_groups_are_found_where_they_are_mounted() -> None:
    assert mounted(HYBRID) == [
        Mounted(1, Path("/docker/ab"), Path("/sys/fs/cgroup/memory")),
        Mounted(2, Path("/"), Path("/sys/fs/cgroup/un ified")),
    ]


@pytest.mark.parametrize(
    ("mountinfo", "cgroup", "folders"),
    [
        (
            V1,
            "9:name=systemd:/\n4:memory:/api/a4\n1:cpu:/other\n0::/no",
            ["/sys/fs/cgroup/memory/api/a4", "/sys/fs/cgroup/memory/api", "/sys/fs/cgroup/memory"],
        ),
        (V1, "4:cpu,memory:/a:b", ["/sys/fs/cgroup/memory/a:b", "/sys/fs/cgroup/memory"]),
        (
            V2,
            "0::/system.slice/tipring.service",
            [
                "/sys/fs/cgroup/system.slice/tipring.service",
                "/sys/fs/cgroup/system.slice",
                "/sys/fs/cgroup",
            ],
        ),
        (V2, "0::/", ["/sys/fs/cgroup"]),  # in a container
        (V2, "0::/../../elsewhere", ["/sys/fs/cgroup"]),
        (V2, "4:memory:/a", []),
        (V1, "0::/a", []),
        (V1.replace(" / ", " /docker/ab "), "4:memory:/docker/ab", ["/sys/fs/cgroup/memory"]),
        (
            V1.replace(" / ", " /docker/ab "),
            "4:memory:/docker/ab/x",
            ["/sys/fs/cgroup/memory/x", "/sys/fs/cgroup/memory"],
        ),
        (V1.replace(" / ", " /docker/ab "), "4:memory:/docker/abc", ["/sys/fs/cgroup/memory"]),
    ],
)
def test_the_groups_around_the_process_s_own_limit_it_too(
    mountinfo: str, cgroup: str, folders: list[str]
) -> None:
    [where] = mounted(mountinfo)

    assert [str(folder) for folder in groups_of(cgroup, where)] == folders


@given(st.text())
def test_no_text_of_a_system_file_does_harm(text: str) -> None:
    table_of(text)
    for where in mounted(text) + mounted(V1) + mounted(V2):
        groups_of(text, where)


def test_the_limit_with_the_least_room_counts() -> None:
    room = MemoryRoom(0.5)
    near = Bound("group", 100 * MIB, 49 * MIB)
    room.sampled([Bound("group", 1_000 * MIB, 60 * MIB), near, Bound("machine", 10**12, 10**9)])

    assert room.short() is None
    assert room.short(n_calls=2) is near
    assert room.tightest() == {"group": near, "machine": Bound("machine", 10**12, 10**9)}


@pytest.mark.parametrize("of", ["machine", "group"])
def test_the_limit_with_the_least_room_by_the_share_that_counts_is_the_one_that_is_judged(
    of: Of,
) -> None:
    n_live = 100
    room = MemoryRoom(0.85, lambda: n_live)
    room.sampled([Bound("group", 1_000 * MIB, 100 * MIB)])
    n_live = 10  # what 100 had room for is taken again, up to 92.5 %
    over_the_share = Bound("group", 1_000 * MIB, 852 * MIB)
    over_both = {
        "machine": Bound("machine", 8_000 * MIB, 8_000 * MIB - SPARE_BYTES + MIB),
        "group": Bound("group", 20 * MIB, 19 * MIB),
    }[of]
    room.sampled([over_the_share])
    assert room.short() is None

    room.sampled([over_the_share, over_both])
    assert room.short() is over_both


def test_calls_that_came_since_the_last_sample_count_until_the_next_one_shows_them() -> None:
    n_live = 7
    room = MemoryRoom(1.0, lambda: n_live)
    bound = Bound("group", 3 * CALL_BYTES, CALL_BYTES)
    room.sampled([bound])
    n_live = 8
    assert room.short() is None
    n_live = 9
    assert room.short() is bound
    n_live = 5
    assert room.short(n_calls=3) is bound  # what ended has given nothing back yet

    n_live = 9
    room.sampled([bound])
    assert room.short() is None


def test_what_ended_calls_have_had_is_there_for_as_many_again() -> None:
    n_live = 0
    room = MemoryRoom(0.8, lambda: n_live)

    def sample(live: int, used: float) -> bool:
        nonlocal n_live
        n_live = live
        room.sampled([Bound("group", 100 * CALL_BYTES, int(used * CALL_BYTES))])
        return room.short() is None

    assert sample(0, 20)
    assert sample(50, 79)
    assert not sample(51, 80)
    assert not sample(50, 80)
    assert sample(49, 80)  # what 50 calls have had does not go back
    assert room.short(n_calls=2) is not None
    assert sample(0, 89)
    assert not sample(0, 89.5)  # it was not theirs alone


@pytest.mark.parametrize(
    ("left", "short"), [(SPARE_BYTES + CALL_BYTES, False), (SPARE_BYTES, True)]
)
def test_a_large_machine_is_not_short_while_half_a_gigabyte_is_left(left: int, short: bool) -> None:
    room = MemoryRoom(0.85)
    total = 64 * 1024 * MIB
    room.sampled([Bound("machine", total, total - left)])

    assert (room.short() is not None) is short


def test_where_nothing_is_known_nobody_is_refused() -> None:
    assert MemoryRoom(0.85).short(n_calls=1_000_000) is None


@pytest.mark.parametrize(("limit_mib", "kept"), [(256, 819), (3_000, 9_600), (64_000, 10_000)])
def test_a_small_service_remembers_fewer_ended_calls(limit_mib: int, kept: int) -> None:
    room = MemoryRoom(0.85)
    assert room.max_ended(10_000) == 10_000
    room.sampled([Bound("group", limit_mib * MIB, 0), Bound("machine", 64_000 * MIB, 0)])

    assert room.max_ended(10_000) == kept
