"""Windows onto long lists: which items, and where the neighbouring windows start.

A window is anchored at an item's key, not at a count from the start, so that items which come or go
while somebody pages neither repeat nor skip the others. Keys sort in the order of the list.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

T = TypeVar("T")
Key: TypeAlias = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Window:
    """At most `size` items: those next after a key, or next before one, or the first."""

    size: int = 10
    after: Key | None = None
    before: Key | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The items of one window, how many there are in all, and the windows beside it."""

    items: tuple[T, ...]
    total: int
    next: Window | None = None
    previous: Window | None = None


def cut(items: Sequence[T], keys: Sequence[Key], window: Window) -> Page[T]:
    """The window's items out of all; `keys[i]` belongs to `items[i]`, and keys ascend."""
    if window.before is not None:
        end = bisect_left(keys, window.before)
        start = max(0, end - window.size)
    else:
        start = 0 if window.after is None else bisect_right(keys, window.after)
        end = min(len(items), start + window.size)
    inside = items[start:end]
    has_next, has_previous = bool(inside) and end < len(items), bool(inside) and start > 0
    return Page(
        tuple(inside),
        len(items),
        next=Window(window.size, after=keys[end - 1]) if has_next else None,
        previous=Window(window.size, before=keys[start]) if has_previous else None,
    )
