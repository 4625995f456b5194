"""A program in a terminal of its own: a pty of a given size, what it draws, and how it leaves the terminal behind."""

import asyncio
import fcntl
import os
import pty
import struct
import termios
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

LONGEST_S: Final = 40.0


class Terminal:
    """What a program draws, as bytes, and keys for it."""

    def __init__(self, process: asyncio.subprocess.Process, ours: int) -> None:
        self.process = process
        self.drawn = bytearray()
        self._ours = ours
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._open = True
        self._loop.add_reader(ours, self._read)

    def press(self, keys: str) -> None:
        """Type these."""
        os.write(self._ours, keys.encode())

    async def shows(self, words: str) -> None:
        """Wait until these words were drawn in one piece. Raises: TimeoutError."""
        async with asyncio.timeout(LONGEST_S):
            while words.encode() not in self.drawn:
                self._news.clear()
                await self._news.wait()

    async def ended(self) -> int:
        """Wait for its end; the exit code."""
        code = await asyncio.wait_for(self.process.wait(), LONGEST_S)
        await asyncio.sleep(0.05)  # what it wrote last
        return code

    def settings(self) -> list[Any]:
        """Of the terminal, as a shell finds them."""
        return termios.tcgetattr(self._ours)

    def hang_up(self) -> None:
        """Close the terminal."""
        if self._open:
            self._open = False
            self._loop.remove_reader(self._ours)
            os.close(self._ours)

    def _read(self) -> None:
        data = b""
        with suppress(OSError):  # nobody has it open any more
            data = os.read(self._ours, 65_536)
        if not data:
            self._loop.remove_reader(self._ours)
        self.drawn += data
        self._news.set()


@asynccontextmanager
async def in_terminal(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    width: int = 80,
    height: int = 24,
    stderr: int | None = None,
) -> AsyncIterator[Terminal]:
    """Run it there for the time of the context; killed if it has not ended by then.

    `stderr` is a descriptor in the terminal's place.
    """
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=its,
        stdout=its,
        stderr=its if stderr is None else stderr,
        env={"TERM": "xterm-256color", **environment},
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(its)
    terminal = Terminal(process, ours)
    try:
        yield terminal
    finally:
        terminal.hang_up()
        if process.returncode is None:
            process.kill()
        await process.wait()
