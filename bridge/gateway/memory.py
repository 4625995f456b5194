"""How much memory the process may have, and how much of it is gone: what its admission goes by. No file is read here.

There is a limit of its group and of each group around that one (containers, systemd), one of its address space
(``ulimit -v``) and the machine itself. The killer comes at the first of them, so the one with the least room counts.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal, TypeAlias

CALL_BYTES: Final = 1024 * 1024
"""What one call is reckoned at (reliability 5); measured it is far less."""
AGAIN_CALLS: Final = 4
"""For so many there must be room before calls are taken again that were refused."""
ENDED_BYTES: Final = 16 * 1024
"""What one ended call is reckoned at that is remembered; measured it is 4 to 14 KB."""
ENDED_SHARE: Final = 0.05
"""Of what there may be, for calls that have ended."""
SPARE_BYTES: Final = 512 * 1024 * 1024
"""A machine with so much left is not short of memory, however large it is."""
_NO_LIMIT: Final = 1 << 60
_OCTAL: Final = re.compile(r"\\([0-7]{3})")

Of: TypeAlias = Literal["group", "address_space", "machine"]
_NAMES: Final[dict[Of, str]] = {
    "group": "its memory group",
    "address_space": "its address space",
    "machine": "the machine",
}


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit of memory, and what counts against it."""

    of: Of
    limit_bytes: int
    used_bytes: int
    """Without what the kernel takes back by itself before it kills."""

    def room_bytes(self, share: float) -> int:
        """How much more may be used until this share of the limit is; below 0 if too much is already."""
        most = int(share * self.limit_bytes)
        if self.of == "machine":
            most = max(most, self.limit_bytes - SPARE_BYTES)
        return most - self.used_bytes

    def __str__(self) -> str:
        used, limit = self.used_bytes / 1e6, self.limit_bytes / 1e6
        part = 100 * self.used_bytes / self.limit_bytes
        return f"{used:.0f} of the {limit:.0f} MB of {_NAMES[self.of]} are used ({part:.0f} %)"


class MemoryRoom:
    """Whether there is memory for one more call, by the last sample and the calls that have come since.

    A call that was let in a moment ago shows in no sample yet; hundreds may come in one second. And what calls have
    had, the process keeps for the next ones when they end: as many as there was room for once are taken again, until
    half of what `share` leaves is gone too.

    Args:
        share: of a limit, up to which calls are taken.
        n_live: how many calls there are now.
    """

    def __init__(self, share: float, n_live: Callable[[], int] = lambda: 0) -> None:
        self.share = share
        self.bounds: tuple[Bound, ...] = ()
        """The last sample; empty where nothing can be read."""
        self._n_live = n_live
        self._n_sampled = 0
        self._n_held = 0

    def sampled(self, bounds: Iterable[Bound]) -> None:
        """What was just read."""
        self.bounds = tuple(bounds)
        self._n_sampled = self._n_live()
        if self.short() is None:
            self._n_held = max(self._n_held, self._n_sampled)

    def short(self, *, n_calls: int = 1) -> Bound | None:
        """The limit that leaves no room for so many more calls; None if there is room."""
        n_live = self._n_live()
        known = n_live + n_calls <= self._n_held
        share = (1 + self.share) / 2 if known else self.share
        needed = (max(0, n_live - self._n_sampled) + n_calls) * CALL_BYTES
        tightest = min(self.bounds, key=lambda bound: bound.room_bytes(share), default=None)
        if tightest is None or tightest.room_bytes(share) >= needed:
            return None
        return tightest

    def tightest(self) -> dict[Of, Bound]:
        """Of each kind the limit that leaves the least room below `share`."""
        loosest_first = sorted(self.bounds, key=lambda bound: -bound.room_bytes(self.share))
        return {bound.of: bound for bound in loosest_first}

    def max_ended(self, most: int) -> int:
        """How many ended calls may be remembered, where otherwise so many would be."""
        limit_bytes = min((bound.limit_bytes for bound in self.bounds), default=None)
        if limit_bytes is None:
            return most
        return min(most, int(ENDED_SHARE * limit_bytes / ENDED_BYTES))


# What the system's files say


def limit_of(text: str) -> int | None:
    """The limit that a file of a group holds, bytes; None if it is none. Raises: ValueError."""
    word = text.strip()
    limit = _NO_LIMIT if word == "max" else int(word)
    return limit if 0 < limit < _NO_LIMIT else None


def table_of(text: str) -> dict[str, int]:
    """``memory.stat``, bytes, or ``/proc/meminfo``, kB, by name; lines of another form are left out."""
    rows = (line.replace(":", " ").split() for line in text.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdecimal()}


@dataclass(frozen=True, slots=True)
class Mounted:
    """Where the groups that can limit memory are mounted: ``memory`` of version 1, or version 2."""

    version: Literal[1, 2]
    root: PurePosixPath
    """Which group stands at the mount point."""
    point: PurePosixPath


def mounted(mountinfo: str) -> list[Mounted]:
    """From ``/proc/self/mountinfo``."""
    found = []
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(" "), after.split(" ")
        if len(fields) < 6 or len(kind) < 3:
            continue
        root, point = (PurePosixPath(_OCTAL.sub(_char, text)) for text in fields[3:5])
        if kind[0] == "cgroup2":
            found.append(Mounted(2, root, point))
        elif kind[0] == "cgroup" and "memory" in kind[2].split(","):
            found.append(Mounted(1, root, point))
    return found


def groups_of(cgroup: str, where: Mounted) -> Sequence[PurePosixPath]:
    """The folders of this process's group and of all around it, from ``/proc/self/cgroup``; empty if it has none.

    Inside a container the group is often named as the host sees it, and stands at the mount point.
    """
    for line in cgroup.splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        ours = number == "0" if where.version == 2 else "memory" in controllers.split(",")
        if not ours:
            continue
        own = PurePosixPath(path)
        known = own.is_relative_to(where.root) and ".." not in own.parts
        folder = where.point / (own.relative_to(where.root) if known else "")
        return [folder, *(each for each in folder.parents if each.is_relative_to(where.point))]
    return []


def _char(match: re.Match[str]) -> str:
    return chr(int(match[1], 8))
