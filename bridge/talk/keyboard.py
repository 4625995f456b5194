"""Lines from standard input while a call goes on, whatever standard input is: a terminal, a pipe, a file.

A thread of its own reads, because a file cannot be waited for and Windows has no way to wait for a console. It reads
the descriptor itself: a thread that hangs inside Python's own reader would make the interpreter die at its end.
"""

import asyncio
import codecs
import contextlib
import os
import threading
from collections.abc import AsyncGenerator, Callable
from typing import Final

LINES_AHEAD: Final = 100
"""Lines that may wait to be sent; who writes faster is held up."""
LONGEST_LINE: Final = 8_192
"""Characters of one line; a longer one comes in pieces."""
_PIECE: Final = 4_096


async def typed_lines(descriptor: int) -> AsyncGenerator[str, None]:
    """The lines of a file descriptor, decoded as UTF-8, without their ends; it is over at the end of the file."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    room = threading.Semaphore(LINES_AHEAD)
    over = threading.Event()

    def put(line: str | None) -> None:
        if not over.is_set():
            room.acquire()
        if not over.is_set():
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody reads any more
                loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(
        target=_read, args=(descriptor, put, over), name="typed lines", daemon=True
    ).start()
    try:
        while (line := await lines.get()) is not None:
            room.release()
            yield line
    finally:
        over.set()
        room.release()


def _read(descriptor: int, put: Callable[[str | None], None], over: threading.Event) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    rest = ""
    while not over.is_set():
        try:
            data = os.read(descriptor, _PIECE)
        except OSError:  # a terminal that has gone
            data = b""
        rest += decoder.decode(data, final=not data)
        *whole, rest = rest.split("\n")
        for line in whole:
            put(line.rstrip("\r"))
        if len(rest) > LONGEST_LINE or (rest and not data):
            put(rest)
            rest = ""
        if not data:
            put(None)
            return
