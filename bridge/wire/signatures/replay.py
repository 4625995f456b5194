"""Remembers what may come once only: tokens, nonces, ids of webhooks (reliability reference T2).

Pure: the time is an argument, in seconds of any clock that does not jump back.
"""

from typing import Final

MAX_KEPT: Final = 100_000


class OnceOnly:
    """Tells the first coming of a key from all later ones.

    Args:
        keep_s: for how long a key is remembered: at least as long as it would be good.
        most: how many keys are remembered; past that the oldest are forgotten first.
    """

    def __init__(self, keep_s: float, most: int = MAX_KEPT) -> None:
        self._keep_s = keep_s
        self._most = most
        self._seen: dict[str, float] = {}

    def first(self, key: str, now_s: float) -> bool:
        """Whether the key comes for the first time; from now on it has come."""
        self._forget(now_s)
        if key in self._seen:
            return False
        self._seen[key] = now_s
        return True

    def has(self, key: str, now_s: float) -> bool:
        """Whether the key has come, and is remembered."""
        came_s = self._seen.get(key)
        return came_s is not None and now_s - came_s <= self._keep_s

    def _forget(self, now_s: float) -> None:
        """Drop what is too old, or too much: at most what has come since the last time."""
        while self._seen:
            oldest = next(iter(self._seen))
            if len(self._seen) < self._most and now_s - self._seen[oldest] <= self._keep_s:
                break
            del self._seen[oldest]
