"""The ways a talk is told to its user: a screen, lines, or JSON.

A front takes the session's events as they come, and has a run of its own: the screen's keys, what is typed in line
mode, the figures that JSON has once a second. The run is cancelled when the call is over and all events are told; one
that ends before leaves the call going on (nobody types any more), or asks the conversation to hang up.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

from bridge.talk.conversation import Conversation
from bridge.talk.events import SessionEvent
from bridge.talk.json_events import event_line, figures_line, refused_line
from bridge.talk.lines import Lines
from bridge.talk.screen.board import Board
from bridge.talk.screen.feed import Feed
from bridge.talk.typed import LINE_HELP, carry_out

FIGURES_EVERY_S: Final = 1.0
ANSWER_WITHIN_S: Final = 30.0
"""How long a typed line from a file or a pipe waits for the agent to have answered the one before."""
QUIET_S: Final = 1.0
"""An agent that has listened for so long has answered, and is done."""

Typed = Callable[[], AsyncIterator[str]]


class Front(Protocol):
    """How a talk is told."""

    def take(self, event: SessionEvent) -> None:
        """An event of the session."""
        ...

    def refuse(self, sentence: str) -> None:
        """Something that the user asked for cannot be done."""
        ...

    async def run(self, conversation: Conversation) -> None:
        """Serve the user until the call is over."""
        ...


class LineFront:
    """Lines out, and typed lines in.

    Args:
        write: takes one line of what happens.
        tell: takes one line that answers what was typed.
        typed: gives the typed lines.
        at_terminal: a person types; else the lines come from a file or a program.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        tell: Callable[[str], None],
        typed: Typed,
        *,
        at_terminal: bool,
    ) -> None:
        self._board = Board()
        self._feed = Feed(self._board)
        self._lines = Lines(write, may_answer=at_terminal)
        self._tell, self._typed, self._at_terminal = tell, typed, at_terminal
        self._news = 0

    def take(self, event: SessionEvent) -> None:
        """Write it, if a line tells of it."""
        self._news += 1
        self._feed.take(event)
        self._lines.take(event)

    def refuse(self, sentence: str) -> None:
        """Answer whoever typed."""
        self._tell(sentence)

    async def run(self, conversation: Conversation) -> None:
        """Carry out what is typed.

        Lines of a file wait for the agent to be done with the one before. The end of the input ends a typed
        conversation, and one whose user sits at the terminal; a spoken one goes on without.
        """
        if self._at_terminal:
            self._tell(LINE_HELP)
        patient = not self._at_terminal and not conversation.has_devices
        async for line in self._typed():
            if patient:
                await self._settled()
            if said := carry_out(line, conversation, self._board):
                self._tell(said)
        if patient:
            await self._settled()
        if self._at_terminal or not conversation.has_devices:
            conversation.hang_up()

    async def _settled(self) -> None:
        """Wait until the agent listens and nothing has happened for a moment."""
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                seen = -1
                while seen != self._news or self._board.state != "listening":
                    seen = self._news
                    await asyncio.sleep(QUIET_S)
        except TimeoutError:
            self._tell("the agent was not done after 30 s; going on")


class JsonFront:
    """One JSON object a line out; typed lines in, carried out at once."""

    def __init__(self, write: Callable[[str], None], typed: Typed) -> None:
        self._write, self._typed = write, typed
        self._board = Board()
        self._feed = Feed(self._board)

    def take(self, event: SessionEvent) -> None:
        """Write it."""
        self._feed.take(event)
        line = event_line(event)
        if line is not None:
            self._write(line)

    def refuse(self, sentence: str) -> None:
        """Write why not."""
        self._write(refused_line(sentence))

    async def run(self, conversation: Conversation) -> None:
        """Write figures, and carry out what is typed; the end of the input ends a typed conversation."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._figures(conversation), name="talk figures")
            tasks.create_task(self._commands(conversation), name="talk commands")

    async def _figures(self, conversation: Conversation) -> None:
        while True:
            self._write(figures_line(conversation.gauges(), conversation.elapsed_s))
            await asyncio.sleep(FIGURES_EVERY_S)

    async def _commands(self, conversation: Conversation) -> None:
        async for line in self._typed():
            if said := carry_out(line, conversation, self._board):
                self.refuse(said)
        if not conversation.has_devices:
            conversation.hang_up()
