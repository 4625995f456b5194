"""How long an agent's side may take to say anything at all, from when the call is joined.

A server begins with ``call_started`` (reference ultravox 2.2), but a call may have that switched off, and its agent may
wait for the caller. So a server that says nothing is asked with a ping, which it answers; one that does not answer
either has no agent for us, and a call with nobody in it ends in one sentence instead of waiting for ever.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from bridge.legs.base import Ended
from bridge.wire.messages import Ping

ASK_S: Final = 5.0
"""A server that has said nothing for so long is asked."""
ANSWER_S: Final = 5.0
"""One that says nothing for so long after that is given up."""


class FirstWord:
    """Waits for the first word.

    Args:
        came: whether anything was said yet.
        ask: sends the ping.
        end: called with the end of the call.
    """

    def __init__(
        self,
        came: Callable[[], bool],
        ask: Callable[[Ping], None],
        end: Callable[[Ended], None],
    ) -> None:
        self._came = came
        self._ask = ask
        self._end = end
        self._loop = asyncio.get_running_loop()
        self._began_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, silent_s: float = 0.0) -> None:
        """The agent's side is to say something; it has said nothing for so long already. May be called again."""
        self.stop()
        self._began_s = self._loop.time() - silent_s
        self._timer = self._loop.call_at(self._began_s + ASK_S, self._ask_for_it)

    def stop(self) -> None:
        """Wait no more; may be called again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _ask_for_it(self) -> None:
        if not self._came():
            self._timer = self._loop.call_later(ANSWER_S, self._give_up)
            self._ask(Ping(timestamp=self._loop.time()))

    def _give_up(self) -> None:
        if not self._came():
            silent_s = self._loop.time() - self._began_s
            self._end(Ended("connection_error", _SILENT.format(silent_s)))


_SILENT: Final = (
    "the agent's side said nothing for {:.0f} s and answered no ping: "
    "nobody is there, so make the call anew"
)
