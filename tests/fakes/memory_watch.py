"""How much memory this process came to hold while something went on."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bridge.gateway.service_metrics import resident_bytes


@dataclass
class MemoryWatch:
    """The most that was held above what was held at the beginning, bytes."""

    grown_bytes: int = 0


@asynccontextmanager
async def memory_watch(every_s: float = 0.01) -> AsyncIterator[MemoryWatch]:
    """Look every so often until the context is left."""
    gc.collect()
    before = resident_bytes() or 0
    watch = MemoryWatch()

    async def look() -> None:
        while True:
            watch.grown_bytes = max(watch.grown_bytes, (resident_bytes() or 0) - before)
            await asyncio.sleep(every_s)

    looking = asyncio.create_task(look(), name="watch the memory")
    try:
        yield watch
    finally:
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
        watch.grown_bytes = max(watch.grown_bytes, (resident_bytes() or 0) - before)
