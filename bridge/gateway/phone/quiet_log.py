"""Log lines that anybody outside can cause: at most ten a second, and how many were left out (reliability 5)."""

import asyncio
import logging
from typing import Final

from bridge.wire.limits import TokenBucket

LINES_PER_S: Final = 10


class QuietLog:
    """Passes warnings on as long as they are few."""

    def __init__(self, log: logging.Logger, per_s: float = LINES_PER_S) -> None:
        self._log = log
        self._bucket = TokenBucket(per_s, per_s)
        self._left_out = 0

    def warning(self, text: str, *args: object) -> None:
        """Log this, or count it."""
        if not self._bucket.take(1, asyncio.get_running_loop().time()):
            self._left_out += 1
            return
        if self._left_out:
            self._log.warning("! %d more such lines were left out", self._left_out)
            self._left_out = 0
        self._log.warning(text, *args)
