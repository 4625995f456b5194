"""A client program in another process: one JSON object per line tells it what to do and says what happens."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

Event = dict[str, Any]
WAIT_S: Final = 20.0


class SdkProgram:
    """A running client.

    Attributes:
        events: what it has said so far.
    """

    def __init__(self, process: Process, stderr: Path) -> None:
        self.events: list[Event] = []
        self._process = process
        self._stderr = stderr
        self._more = asyncio.Event()

    async def read(self) -> None:
        """Take what it says until it ends."""
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            with suppress(ValueError):  # a library's own words
                self.events.append(json.loads(line))
                self._more.set()

    def do(self, what: str, **more: object) -> None:
        """Tell it what to do."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": what, **more}).encode() + b"\n")

    async def until(
        self, event: str, fits: Callable[[Event], bool] = bool, *, after: int = 0
    ) -> Event:
        """Wait for an event, not before number `after`."""
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + WAIT_S
        while True:
            self._more.clear()
            for each in self.events[after:]:
                if each["event"] == event and fits(each):
                    return each
            try:
                async with asyncio.timeout_at(deadline_s):
                    await self._more.wait()
            except TimeoutError:
                told = [{**each, "at": 0} for each in self.events[-30:] if each["event"] != "level"]
                log = await asyncio.to_thread(self._stderr.read_text, errors="replace")
                raise AssertionError(f"no {event}; it said {told}; {log[-3000:]}") from None

    async def message(self, type_: str, **fields: object) -> Event:
        """Wait for a data message of a type with these fields."""

        def fits(event: Event) -> bool:
            message = event["message"]
            return bool(message["type"] == type_ and fields.items() <= message.items())

        return dict((await self.until("message", fits))["message"])

    def levels(self, after: int = 0) -> list[float]:
        """How loud it was, RMS of each tenth of a second."""
        return [each["rms"] for each in self.events[after:] if each["event"] == "level"]


@asynccontextmanager
async def sdk_program(folder: Path, *command: str) -> AsyncIterator[SdkProgram]:
    """Run it for the time of the context; what it writes on standard error is kept in `folder`."""
    stderr = folder / "client.txt"
    with stderr.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=log, limit=2**20
        )
    program = SdkProgram(process, stderr)
    reading = asyncio.create_task(program.read(), name="read a client")
    try:
        yield program
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading
        if process.stdin is not None:
            process.stdin.close()
