"""Bodies of HTTP answers that nobody can read to their end."""

import asyncio
from collections.abc import AsyncIterator

import httpx


class Endless(httpx.AsyncByteStream):
    """Spaces without end, as fast as they are read."""

    def __init__(self) -> None:
        self.read = 0
        """Bytes so far."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            self.read += 65_536
            yield 65_536 * b" "


class Dripping(httpx.AsyncByteStream):
    """A space each second."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(1)
            yield b" "
