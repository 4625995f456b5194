"""Notices a peer that takes too little of what is written to it.

A transport tells its protocol when its buffer passes a mark (`pause_writing`) and when it has drained. In
between, this watches: more than the bound in the buffer, or nothing taken at all for the deadline, and the
peer is given up. A healthy connection never comes here, so it pays nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Final

HIGH_WATER_BYTES: Final = 16 * 1024
_LOOKS: Final = 20  # how often within the deadline we look


class WriteWatch:
    """Watches the writing side of one transport; `give_up(sentence)` is called at most once."""

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        *,
        max_buffered_bytes: int,
        stall_s: float,
        give_up: Callable[[str], None],
    ) -> None:
        self.paused = False
        self._transport = transport
        self._max_buffered_bytes = max_buffered_bytes
        self._stall_s = stall_s
        self._give_up = give_up
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._written = 0
        self._taken = 0
        self._taken_at_s = 0.0
        transport.set_write_buffer_limits(high=min(HIGH_WATER_BYTES, max_buffered_bytes))

    def pause(self) -> None:
        """The transport's buffer has passed its mark."""
        self.paused = True
        self._written = self._transport.get_write_buffer_size()
        self._taken = 0
        self._taken_at_s = self._loop.time()
        self._later()

    def resume(self) -> None:
        """The buffer has drained."""
        self.paused = False
        self._cancel()

    def wrote(self, n_bytes: int) -> None:
        """So many bytes were written just now; call it while `paused`."""
        self._written += n_bytes
        buffered = self._transport.get_write_buffer_size()
        if buffered > self._max_buffered_bytes:
            self._end(f"{buffered} bytes wait for the peer, more than {self._max_buffered_bytes}")

    def stop(self) -> None:
        """Watch no more."""
        self.paused = False
        self._cancel()
        self._give_up = _nothing

    def _look(self) -> None:
        taken = self._written - self._transport.get_write_buffer_size()
        now_s = self._loop.time()
        if taken > self._taken:
            self._taken, self._taken_at_s = taken, now_s
        if now_s - self._taken_at_s >= self._stall_s:
            self._end(f"the peer took nothing for {self._stall_s:g} s")
        else:
            self._later()

    def _later(self) -> None:
        self._cancel()
        self._timer = self._loop.call_later(self._stall_s / _LOOKS, self._look)

    def _end(self, sentence: str) -> None:
        give_up = self._give_up
        self.stop()
        give_up(sentence)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _nothing(_sentence: str) -> None:
    pass
