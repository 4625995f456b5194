"""What joining a room waits for: events of its signalling, each expected before it can come, until something breaks."""

import asyncio
from typing import Any, TypeVar

from bridge.errors import JoinRefused

E = TypeVar("E")


class Milestones:
    """Futures by the kind of event; only the first event of a kind that is expected counts."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._broken: asyncio.Future[str] = self._loop.create_future()
        self._expected: dict[type[Any], asyncio.Future[Any]] = {}

    def expect(self, kind: type[E]) -> "asyncio.Future[E]":
        """From now on the next event of this kind is the one."""
        future: asyncio.Future[E] = self._loop.create_future()
        self._expected[kind] = future
        return future

    def reach(self, event: object) -> None:
        """An event came."""
        future = self._expected.pop(type(event), None)
        if future is not None and not future.done():
            future.set_result(event)

    def break_off(self, why: str) -> None:
        """Nothing more will come."""
        if not self._broken.done():
            self._broken.set_result(why)

    async def wait(self, future: "asyncio.Future[E]", what: str, within_s: float) -> E:
        """The event. Raises: JoinRefused if it did not come within the time, or something broke before it."""
        await asyncio.wait(
            (future, self._broken), timeout=within_s, return_when=asyncio.FIRST_COMPLETED
        )
        if future.done():
            return future.result()
        if self._broken.done():
            raise JoinRefused(self._broken.result())
        raise JoinRefused(f"the agent's room sent no {what} within {within_s:g} s")
