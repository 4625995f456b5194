"""Lines to standard output without ever waiting for who reads them.

A thread of its own writes: a pipe whose reader stands still must not hold a call up. What does not fit into the queue
is left out, the oldest first, and where it would have stood a line says how much; a reader that has gone is reported
once.
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
        say_left_out: makes the line that stands for so many that are left out.
        encoding: letters that it does not have become question marks.
    """

    def __init__(
        self,
        descriptor: int,
        on_gone: Callable[[], None],
        say_left_out: Callable[[int], str],
        *,
        encoding: str = "utf-8",
    ) -> None:
        self._descriptor, self._on_gone, self._encoding = descriptor, on_gone, encoding
        self._say_left_out = say_left_out
        self._lines: deque[bytes] = deque()
        self._n_bytes = self._n_left_out = self._n_writing = 0
        self._changed = threading.Condition()
        self._closing = self._gone = False
        self._thread = threading.Thread(target=self._work, name="line writer", daemon=True)
        self._thread.start()

    def write(self, line: str) -> None:
        """Write a line, its end excepted, some time soon; nothing where nobody reads any more."""
        data = self._encoded(line)
        with self._changed:
            if self._gone:
                return
            self._lines.append(data)
            self._n_bytes += len(data)
            while len(self._lines) > LINES_AHEAD or self._n_bytes > BYTES_AHEAD:
                self._take()
                self._n_left_out += 1
            self._changed.notify()

    def close(self) -> int:
        """Write what waits, for two seconds at most; how many lines a reader that is there has not taken then."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_S)
        with self._changed:
            return len(self._lines) + self._n_left_out + self._n_writing

    def _encoded(self, line: str) -> bytes:
        return f"{line}\n".encode(self._encoding, "replace")

    def _take(self) -> bytes:
        data = self._lines.popleft()
        self._n_bytes -= len(data)
        return data

    def _next(self) -> bytes | None:
        """What is to be written now; waits for it. None: nothing will come any more."""
        with self._changed:
            self._n_writing = 0
            while not self._lines and not self._closing:
                self._changed.wait()
            if not self._lines:
                return None
            if self._n_left_out:  # they were older than what waits
                left_out, self._n_left_out = self._n_left_out, 0
                return self._encoded(self._say_left_out(left_out))
            self._n_writing = 1
            return self._take()

    def _forget(self) -> None:
        """Nobody reads any more: nothing is lost on anybody."""
        with self._changed:
            self._gone = True
            self._lines.clear()
            self._n_bytes = self._n_left_out = self._n_writing = 0

    def _work(self) -> None:
        while (data := self._next()) is not None:
            try:
                while data:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                self._forget()
                self._on_gone()
                return
