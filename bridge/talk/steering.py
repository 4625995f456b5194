"""A talk steered by lines: who types them, and whether anybody reads the answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Final

from bridge.talk.events import SessionEvent
from bridge.talk.screen.board import Board
from bridge.talk.screen.feed import Feed
from bridge.talk.screen.needs import Talk
from bridge.talk.typed import carry_out

ANSWER_WITHIN_S: Final = 30.0
"""How long a line waits for the agent to be done with the one before."""
QUIET_S: Final = 1.0
"""An agent that has listened for so long has answered, and is done."""

Typed = Callable[[], AsyncIterator[str]]


class Reader:
    """Whoever reads what a front writes: there, or gone."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._gone = asyncio.Event()

    def gone(self) -> None:
        """Nobody reads any more. May be called in any thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody writes any more
            self._loop.call_soon_threadsafe(self._gone.set)

    async def served(self, service: Coroutine[None, None, None]) -> None:
        """Run a service until it fails or nobody reads; one that ends leaves the reader waiting.

        Raises: BrokenPipeError when nobody reads.
        """
        tasks = {
            asyncio.create_task(service, name="talk typed"),
            asyncio.create_task(self._leave(), name="talk reader"),
        }
        try:
            waiting = tasks
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def _leave(self) -> None:
        await self._gone.wait()
        raise BrokenPipeError


class Steering:
    """Carries out typed lines.

    Args:
        typed: gives the lines.
        tell: takes a sentence for whoever typed.
        patient: a line waits until the agent is done with the one before, as lines from a file should.
        at_terminal: a person types; the end of their input is the end of the talk.
    """

    def __init__(
        self, typed: Typed, tell: Callable[[str], None], *, patient: bool, at_terminal: bool
    ) -> None:
        self._typed, self._tell = typed, tell
        self._patient, self._at_terminal = patient, at_terminal
        self._board = Board()
        self._feed = Feed(self._board)
        self._news = 0
        self._said_at = -1
        """How much news there was when the last words were sent."""

    def take(self, event: SessionEvent) -> None:
        """An event of the session: what waits for an answer is known by it."""
        self._news += 1
        self._feed.take(event)

    async def run(self, talk: Talk) -> None:
        """Carry out the lines as they come, once the agent is there.

        The end of the input ends a typed talk, and one whose user sits at the terminal; a spoken one goes on
        without.
        """
        await talk.ready()
        patient = self._patient and not talk.has_devices
        async for line in self._typed():
            if patient:
                await self._settled()
            if line.strip() and not line.startswith("/"):  # nobody answers a blank line
                self._said_at = self._news
            if said := carry_out(line, talk, self._board):
                self._tell(said)
        if not (self._at_terminal or talk.has_devices):
            await self._settled()
        if self._at_terminal or not talk.has_devices:
            talk.hang_up()

    async def _settled(self) -> None:
        """Wait until something came back, the agent listens, and nothing has happened for a moment."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                seen = -1
                while not (seen == self._news > self._said_at and self._board.state == "listening"):
                    seen = self._news
                    await asyncio.sleep(QUIET_S)
        except TimeoutError:
            self._tell(f"the agent was not done after {ANSWER_WITHIN_S:g} s; going on")
