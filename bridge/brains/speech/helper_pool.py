"""Helper processes of one kind, and the threads that wait for them.

A process starts when there is work and no other is idle. One that dies is replaced, and what it was
asked is asked once more.
"""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from bridge.brains.speech.helper import Helper, HelperDied, Reply
from bridge.errors import BrainError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class HelperPool:
    """At most `most` processes; work beyond that waits its turn.

    Args:
        name: what the sentences of errors call the helper.
        command: the program and its arguments.
        deadline_s: the longest that a start or a reply may take, in seconds of the real clock.
        most: processes at once.
    """

    def __init__(
        self, name: str, command: Sequence[str], *, deadline_s: float, most: int = 1
    ) -> None:
        self._name = name
        self._command = command
        self._deadline_s = deadline_s
        self._executor = ThreadPoolExecutor(most, thread_name_prefix=name)
        self._lock = threading.Lock()
        self._idle: list[Helper] = []
        self._busy: set[Helper] = set()
        self._closed = False

    async def run(self, work: Callable[[*Ts], T], *args: *Ts) -> T:
        """Do work that calls `exchange`, off the loop; it goes on to its end though nobody waits any more.

        Raises: BrainError if the pool is closed; whatever the work raises.
        """
        self._require_open()
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *args)

    async def warm(self) -> None:
        """Have a helper ready before there is work for it. Raises: BrainError if it cannot be."""
        await self.run(self._greet)

    def _greet(self) -> None:
        helper = self._take()
        try:
            if not helper.greeted:
                helper.greet()
        finally:
            self._give_back(helper)

    def exchange(self, fields: Mapping[str, object], data: bytes = b"") -> Reply:
        """Ask a helper; for the work that `run` does.

        Raises: BrainError if the helper cannot, died twice in a row, or the pool is closed.
        """
        try:
            return self._ask(fields, data)
        except HelperDied:
            return self._ask(fields, data)  # once more, by a new process

    async def close(self) -> None:
        """End the processes and threads; work that goes on or waits fails. Closing twice is allowed."""
        with self._lock:
            self._closed = True
            for helper in (*self._busy, *self._idle):
                helper.kill()
        # Off the loop: a process takes a moment to go. Nothing is cancelled: who waits is told why.
        await asyncio.get_running_loop().run_in_executor(None, self._end)

    def _end(self) -> None:
        self._executor.shutdown(wait=True)
        while self._idle:
            self._idle.pop().stop()

    def _ask(self, fields: Mapping[str, object], data: bytes) -> Reply:
        helper = self._take()
        try:
            if not helper.greeted:
                helper.greet()
            return helper.request(fields, data)
        finally:
            self._give_back(helper)

    def _take(self) -> Helper:
        """An idle helper or a new one, among the busy ones before it is waited for, so that `close` finds it."""
        with self._lock:
            self._require_open()
            helper = self._idle.pop() if self._idle else self._new()
            self._busy.add(helper)
            return helper

    def _new(self) -> Helper:
        return Helper(self._name, self._command, self._deadline_s)

    def _give_back(self, helper: Helper) -> None:
        with self._lock:
            self._busy.discard(helper)
            if helper.reusable:
                self._idle.append(helper)
                return
        helper.stop()

    def _require_open(self) -> None:
        if self._closed:
            raise BrainError(f"{self._name} is closed")
