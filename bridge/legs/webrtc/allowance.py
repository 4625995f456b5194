"""How much sound of a peer is taken: what more it sends is dropped when it is known to be its own, and before it costs.

A stranger who writes the peer's address onto its packets cannot use it up, because only what was decrypted counts.
"""

import asyncio
from typing import Final

PACKETS_PER_S: Final = 500
"""In the long run: sound in frames of 2.5 ms, and a quarter more."""
PACKETS_AT_ONCE: Final = 1_000
"""What a network has held up for a while may come at once."""


class Allowance:
    """Of one connection."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._left = float(PACKETS_AT_ONCE)
        self._seen_s = self._loop.time()

    def takes(self) -> bool:
        """Whether one packet more is taken."""
        now_s = self._loop.time()
        grown = self._left + PACKETS_PER_S * (now_s - self._seen_s)
        self._left, self._seen_s = min(grown, PACKETS_AT_ONCE), now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True
