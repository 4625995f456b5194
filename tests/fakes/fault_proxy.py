"""A TCP proxy that can freeze: it reads and writes nothing then, so that the kernels on both sides fill up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.fakes.freeze import BOTH, Way

CHUNK_BYTES = 4_096


class FaultProxy:
    """Passes connections on to a port of this machine."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self._target_port = target_port
        self._flows = {way: asyncio.Event() for way in BOTH}
        for flows in self._flows.values():
            flows.set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def freeze(self, seconds: float, ways: Sequence[Way] = BOTH) -> None:
        """Nothing goes through for so long, to the port (``out``) or from it (``back``)."""
        for way in ways:
            self._flows[way].clear()
        await asyncio.sleep(seconds)
        for way in ways:
            self._flows[way].set()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["FaultProxy"]:
        """Listen for the time of the context."""
        async with await asyncio.start_server(self._take, "127.0.0.1", 0) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield self
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        pairs = ((reader, far_writer), (far_reader, writer))
        for way, (one, other) in zip(BOTH, pairs, strict=True):
            pumping = self._pump(one, other, self._flows[way])
            task = asyncio.create_task(pumping, name="fault proxy")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, flows: asyncio.Event
    ) -> None:
        try:
            with contextlib.suppress(ConnectionError):
                while data := await reader.read(CHUNK_BYTES):
                    await flows.wait()
                    writer.write(data)
                    await writer.drain()
        finally:
            writer.close()
