"""`tipring talk` as a process with pipes: what it prints as it comes, lines that are typed, and how it ends."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

LONGEST_S: Final = 40.0
"""Until something that is waited for has come, on a machine that does much else."""
LONGEST_LINE: Final = 256 * 1024
"""Bytes; twice as many are read ahead."""
_NOT_PASSED: Final = ("NO_COLOR", "ULTRAVOX_API_KEY", "TERM", "COLORTERM")
ENVIRONMENT: Final = {name: value for name, value in os.environ.items() if name not in _NOT_PASSED}


class TalkProcess:
    """A running talk.

    Attributes:
        lines: what it has printed.
        errors: what it has said on standard error, when it has ended.
    """

    def __init__(self, process: Process) -> None:
        self.process = process
        self.lines: list[str] = []
        self.errors = ""

    @property
    def events(self) -> list[dict[str, Any]]:
        """The lines of one that prints JSON."""
        return [json.loads(line) for line in self.lines]

    async def prints(self, fits: Callable[[str], bool]) -> str:
        """Read on until a line fits, and give it; what was read before has its turn no more."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LONGEST_S):
            while line := await self.process.stdout.readline():
                self.lines.append(line.decode().rstrip("\r\n"))
                if fits(self.lines[-1]):
                    return self.lines[-1]
        raise AssertionError(f"it ended: {self.lines} {(await self._errors())}")

    async def tells(self, fits: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """The same for one that prints JSON."""
        found: dict[str, Any] = json.loads(
            await self.prints(lambda line: bool(fits(json.loads(line))))
        )
        return found

    def types(self, line: str) -> None:
        """Type a line."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n".encode())

    def types_no_more(self) -> None:
        """Close its input."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def read_no_more(self) -> None:
        """Close our end of its output."""
        assert self.process.stdout is not None
        self.process.stdout._transport.close()  # type: ignore[attr-defined]  # nothing public does it

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    async def ended(self) -> int:
        """Read what is left and wait for its end; the exit code."""
        assert self.process.stdout is not None
        async with asyncio.timeout(LONGEST_S):
            left = (await self.process.stdout.read()).decode()
            self.lines += left.splitlines()
            self.errors = await self._errors()
            return await self.process.wait()

    async def _errors(self) -> str:
        assert self.process.stderr is not None
        return (await self.process.stderr.read()).decode()


@asynccontextmanager
async def talk_process(
    *arguments: str, environment: Mapping[str, str] | None = None, before: str = ""
) -> AsyncIterator[TalkProcess]:
    """Run it, typed, for the time of the context; killed if it has not ended by then.

    `before` is a line of Python that the process carries out first; it has `os`.
    """
    first = (sys.executable, "-c", f"import os, sys; {before}; os.execv(sys.argv[1], sys.argv[1:])")
    process = await asyncio.create_subprocess_exec(
        *(first if before else ()),
        *(sys.executable, "-m", "bridge", "talk", "--text", *arguments),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        limit=LONGEST_LINE,
        env={**ENVIRONMENT, **(environment or {})},
    )
    try:
        yield TalkProcess(process)
    finally:
        if process.returncode is None:
            process.kill()
        assert process.stdin is not None
        process.stdin.close()
        with suppress(ConnectionError):
            await process.stdin.wait_closed()
        await process.wait()
