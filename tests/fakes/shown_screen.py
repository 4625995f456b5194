"""The screen of a talk under textual's pilot, with a clock that stands still until it is moved."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from bridge.talk.screen.app import TalkApp
from bridge.talk.screen.board import Board
from bridge.talk.screen.rows import Rows
from bridge.talk.screen.transcript import Transcript
from tests.fakes.screen_talk import FakeTalk


class Screen:
    """One screen under test, with a clock that stands still until it is moved."""

    def __init__(
        self, talk: FakeTalk | None = None, *, push_to_talk: bool = False, colours: bool = True
    ) -> None:
        self.talk = talk or FakeTalk()
        self.board = Board("receptionist")
        self.now_s = 100.0
        self.app = TalkApp(
            self.talk,
            self.board,
            push_to_talk=push_to_talk,
            colours=colours,
            clock=lambda: self.now_s,
        )

    @asynccontextmanager
    async def shown(self, width: int = 80, height: int = 24) -> AsyncIterator[Pilot[None]]:
        async with self.app.run_test(size=(width, height)) as pilot:
            await pilot.pause()
            yield pilot

    async def redrawn(self, pilot: Pilot[None], *, after_s: float = 0.0) -> None:
        self.now_s += after_s
        self.app.redraw()
        await pilot.pause()

    def rows(self, name: str) -> list[str]:
        return self.app.query_one(f"#{name}", Rows).lines

    @property
    def transcript(self) -> str:
        return self.app.query_one("#transcript", Transcript).text

    def visible(self) -> str:
        """What stands in the cells of the terminal."""
        size = self.app.size
        lines = self.app.screen._compositor.render_strips(size)
        return "\n".join(strip.text for strip in lines)
