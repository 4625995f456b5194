"""The transcript: entries wrapped to the width, scrolled by hand or following the last one."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from rich.text import Text
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bridge.talk.screen.board import Entry
from bridge.talk.screen.paragraphs import Look, paragraph
from bridge.talk.screen.rows import strip_of


class Transcript(ScrollView, can_focus=False):
    """Draws the lines that are in sight; wraps an entry anew only when it or the width changed."""

    DEFAULT_CSS = """
    Transcript { height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    def __init__(self, look: Look, *, id: str) -> None:  # noqa: A002 - textual's name for it
        super().__init__(id=id)
        self._look = look
        self._entries: Sequence[Entry] = ()
        self._wrapped: dict[int, tuple[int, int, list[Text]]] = {}
        """By identity of the entry: its revision, the width, its lines."""
        self._ends: list[int] = []
        self._blocks: list[list[Text]] = []
        self._end = 0
        """The row that was at the top when the last one was in sight."""

    def show(self, entries: Sequence[Entry]) -> None:
        """Show these; follows the last one, unless the user has scrolled up."""
        follows = self.scroll_offset.y >= self._end
        self._entries = entries
        self._wrap()
        self.refresh()
        if follows:
            self.scroll_end(animate=False, immediate=True, force=True)
        self._end = self.max_scroll_y

    @property
    def text(self) -> str:
        """All of it as text."""
        return "\n".join(line.plain.rstrip() for block in self._blocks for line in block)

    def on_resize(self) -> None:
        """Wrap to the new width."""
        self.show(self._entries)

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        width = self.scrollable_content_region.width
        row = y + self.scroll_offset.y
        index = bisect_right(self._ends, row)
        if index >= len(self._blocks):
            return Strip.blank(width, self.rich_style)
        block = self._blocks[index]
        return strip_of(block[row - (self._ends[index] - len(block))], self, width)

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width
        before, self._wrapped = self._wrapped, {}
        self._blocks = []
        for entry in self._entries:
            known = before.get(id(entry))
            if known is None or known[:2] != (entry.revision, width):
                lines = paragraph(entry, width, self._look, self.app.console)
                known = (entry.revision, width, lines)
            self._wrapped[id(entry)] = known
            self._blocks.append(known[2])
        self._ends = list(accumulate(len(block) for block in self._blocks))
        self.virtual_size = Size(width, self._ends[-1] if self._ends else 0)
