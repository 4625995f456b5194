"""The ways a talk is told to its user: a screen, lines, or JSON.

A front takes the session's events as they come, and has a run of its own: the screen's keys, what is typed in line
mode, the figures that JSON has once a second. The run is cancelled when the call is over and all events are told; one
that ends before leaves the call going on (nobody types any more), or asks for the call to hang up.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from bridge.talk.events import SessionEvent
from bridge.talk.json_events import event_line, figures_line, refused_line
from bridge.talk.lines import Lines
from bridge.talk.screen.needs import Talk
from bridge.talk.steering import Reader, Steering, Typed
from bridge.talk.typed import line_help

FIGURES_EVERY_S: Final = 1.0


class Front(Protocol):
    """How a talk is told."""

    @property
    def linger_s(self) -> float:
        """How long the run may go on when the call is over."""
        ...

    def take(self, event: SessionEvent) -> None:
        """An event of the session."""
        ...

    def refuse(self, sentence: str) -> None:
        """Something that the user asked for cannot be done."""
        ...

    async def run(self, talk: Talk) -> None:
        """Serve the user until the call is over."""
        ...


class LineFront:
    """Lines out, and typed lines in.

    Args:
        write: takes one line of what happens.
        tell: takes one line that answers what was typed.
        typed: gives the typed lines; those of a file wait for the agent to be done with the one before.
        reader: of what is written.
        at_terminal: a person types; else the lines come from a file or a program.
    """

    linger_s = 0.0

    def __init__(
        self,
        write: Callable[[str], None],
        tell: Callable[[str], None],
        typed: Typed,
        reader: Reader,
        *,
        at_terminal: bool,
    ) -> None:
        self._lines = Lines(write, may_answer=at_terminal)
        self._steering = Steering(typed, tell, patient=not at_terminal, at_terminal=at_terminal)
        self._tell, self._reader, self._at_terminal = tell, reader, at_terminal

    def take(self, event: SessionEvent) -> None:
        """Write it, if a line tells of it."""
        self._steering.take(event)
        self._lines.take(event)

    def refuse(self, sentence: str) -> None:
        """Answer whoever typed."""
        self._tell(sentence)

    async def run(self, talk: Talk) -> None:
        """Carry out what is typed, until it is cancelled.

        Raises: BrokenPipeError when nobody reads what is written.
        """
        if self._at_terminal:
            self._tell(line_help(devices=talk.has_devices))
        await self._reader.served(self._steering.run(talk))


class JsonFront:
    """One JSON object a line out; typed lines in, carried out at once.

    Args:
        write: takes one line.
        typed: gives the typed lines.
        reader: of what is written.
    """

    linger_s = 0.0

    def __init__(self, write: Callable[[str], None], typed: Typed, reader: Reader) -> None:
        self._write, self._reader = write, reader
        self._steering = Steering(typed, self.refuse, patient=False, at_terminal=False)

    def take(self, event: SessionEvent) -> None:
        """Write it."""
        self._steering.take(event)
        line = event_line(event)
        if line is not None:
            self._write(line)

    def refuse(self, sentence: str) -> None:
        """Write why not."""
        self._write(refused_line(sentence))

    async def run(self, talk: Talk) -> None:
        """Write figures once a second, and carry out what is typed, until it is cancelled.

        Raises: BrokenPipeError when nobody reads what is written.
        """
        figures = asyncio.create_task(self._figures(talk), name="talk figures")
        try:
            await self._reader.served(self._steering.run(talk))
        finally:
            figures.cancel()
            await asyncio.wait((figures,))

    async def _figures(self, talk: Talk) -> None:
        while True:
            self._write(figures_line(talk.gauges(), talk.elapsed_s))
            await asyncio.sleep(FIGURES_EVERY_S)
