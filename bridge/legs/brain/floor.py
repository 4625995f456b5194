"""The floor: who has it, and who waits for it.

One worker takes pieces of work one after the other; the piece under way holds the floor. Stopping it is a call, not
an item in the queue: the floor counts as free at once, and the next piece begins when the stopped one has cleaned up.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

Work = Callable[[], Coroutine[Any, Any, None]]

MAX_QUEUED = 64
"""Pieces of work that may wait for the floor; what a client asks for beyond is refused."""


class Floor:
    """Runs pieces of work, one at a time.

    Args:
        name: for the names of tasks.
        on_free: called when the last piece is over and nothing waits.
    """

    def __init__(self, name: str, on_free: Callable[[], None]) -> None:
        self._name = name
        self._on_free = on_free
        self._queue: deque[Work] = deque()
        self._queued = asyncio.Event()
        self._current: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def taken(self) -> bool:
        """Whether a piece of work is under way."""
        return self._current is not None

    @property
    def free(self) -> bool:
        """Whether nothing is under way and nothing waits."""
        return self._current is None and not self._queue

    @property
    def full(self) -> bool:
        """Whether as much waits as may."""
        return len(self._queue) >= MAX_QUEUED

    def put(self, work: Work, *, first: bool = False) -> None:
        """Put work in the queue, at its end or at its head."""
        (self._queue.appendleft if first else self._queue.append)(work)
        self._queued.set()

    def forget(self) -> None:
        """Drop what waits; what is under way goes on."""
        self._queue.clear()

    def stop(self) -> None:
        """Cancel what is under way; the floor is free from now on."""
        assert self._current is not None
        current, self._current = self._current, None
        current.cancel()

    def close(self) -> None:
        """Begin no more work; what is under way goes on."""
        self._closed = True

    async def run(self) -> None:
        """Work until the floor is closed.

        Raises: whatever a piece of work raises.
        """
        while not self._closed:
            await self._queued.wait()
            if self._queue:
                await self._run(self._queue.popleft())
            if not self._queue:
                self._queued.clear()
                self._on_free()

    async def _run(self, work: Work) -> None:
        task = asyncio.get_running_loop().create_task(work(), name=f"{self._name} work")
        self._current = task
        try:
            await asyncio.wait((task,))
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        if not task.cancelled():
            task.result()
        if self._current is task:
            self._current = None
