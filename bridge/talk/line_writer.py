"""Lines to standard output without ever waiting for who reads them.

A thread of its own writes: a pipe whose reader stands still must not hold a call up. What does not fit into the queue
is left out, the oldest first, and a reader that has gone is reported once.
"""

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

LINES_AHEAD: Final = 10_000
"""Lines that may wait for their reader."""
BYTES_AHEAD: Final = 8 * 1024 * 1024
"""Bytes of them: a far end's message has 64 KiB, and more as JSON in ASCII."""
CLOSE_S: Final = 2.0
"""How long `close` waits for a reader that is slow."""


class LineWriter:
    """Writes to a file descriptor, which stays open.

    Args:
        descriptor: of standard output.
        on_gone: called in the writing thread when nobody reads any more.
        encoding: letters that it does not have become question marks.
    """

    def __init__(
        self, descriptor: int, on_gone: Callable[[], None], *, encoding: str = "utf-8"
    ) -> None:
        self.left_out = 0
        self._descriptor, self._on_gone, self._encoding = descriptor, on_gone, encoding
        self._lines: deque[bytes] = deque()
        self._n_bytes = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="line writer", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Write a line, its end excepted, some time soon."""
        data = f"{line}\n".encode(self._encoding, "replace")
        with self._changed:
            self._lines.append(data)
            self._n_bytes += len(data)
            while len(self._lines) > LINES_AHEAD or self._n_bytes > BYTES_AHEAD:
                self._take()
                self.left_out += 1
            self._changed.notify()

    def close(self) -> None:
        """Write what waits, for two seconds at most."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_S)

    def _take(self) -> bytes:
        data = self._lines.popleft()
        self._n_bytes -= len(data)
        return data

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._closing:
                    self._changed.wait()
                if not self._lines:
                    return
                data = self._take()
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                self._on_gone()
                return
