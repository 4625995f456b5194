"""What signals do to the service.

SIGTERM drains it: no new calls, the others end by themselves or at a deadline. SIGINT (Ctrl-C) ends it at once and in
order. Another of them, after the first, ends at once what was left time, and leaves that a moment and no longer.
SIGHUP reads again what can be read again, and the service goes on.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from bridge.gateway.drain import Drain, Draining

log = logging.getLogger(__name__)

HURRY_S: Final = 1.5
"""How long the finishing of calls may still take after a second signal."""


class Signals:
    """The signals that have come, as long as `signals` watches."""

    def __init__(self, drain: Drain) -> None:
        self._drain = drain
        self._loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._told = asyncio.Event()
        self._now = asyncio.Event()
        self._hurry: asyncio.TimerHandle | None = None

    async def stop(self, parts: Sequence[Draining], limit_s: float) -> None:
        """Wait until the service is to end: told so, or drained, or at the deadline of its draining."""
        await self._told.wait()
        if self._now.is_set():
            return
        n_left = sum(part.n_live for part in parts)
        if n_left == 0:
            log.info("= stopping: no calls are up")
            return
        calls = "1 call goes on" if n_left == 1 else f"{n_left} calls go on"
        log.info("= draining: %s to the end, at most %g s", calls, limit_s)
        empty = self._loop.create_task(
            self._drain.empty(parts, limit_s), name="wait for the last call"
        )
        now = self._loop.create_task(self._now.wait(), name="wait for another signal")
        try:
            await asyncio.wait((empty, now), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (empty, now):
                task.cancel()
            await asyncio.gather(empty, now, return_exceptions=True)

    def terminate(self) -> None:
        """SIGTERM."""
        if self._told.is_set():
            self._again()
        else:
            self._drain.begin()
            self._told.set()

    def interrupt(self) -> None:
        """SIGINT."""
        if self._told.is_set():
            self._again()
        else:
            self._drain.begin()
            self._told.set()
            self._now.set()

    def forget(self) -> None:
        """The service has come to its end: nobody needs to be hurried any more."""
        if self._hurry is not None:
            self._hurry.cancel()

    def _again(self) -> None:
        self._now.set()
        if self._hurry is None:
            self._hurry = self._loop.call_later(HURRY_S, self._task.cancel)


@contextmanager
def signals(drain: Drain, reload: Callable[[], None]) -> Iterator[Signals]:
    """Watch for signals for the time of the context, in the task that serves.

    Args:
        drain: begins with the first signal to stop.
        reload: called at each SIGHUP.
    """
    loop = asyncio.get_running_loop()
    watched = Signals(drain)
    handlers = {signal.SIGTERM: watched.terminate, signal.SIGINT: watched.interrupt}
    if hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = reload
    for number, handler in handlers.items():
        loop.add_signal_handler(number, handler)
    try:
        yield watched
    finally:
        for number in handlers:
            loop.remove_signal_handler(number)
        watched.forget()
