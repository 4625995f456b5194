"""The transcript: entries wrapped to the width, scrolled by hand or following the last one.

Most changes are a word more in the last entry. So an entry is wrapped and turned into cells anew only when it or the
width has changed, and only the rows from the first changed entry on are drawn again, unless the text has scrolled.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from bridge.talk.screen.board import Entry
from bridge.talk.screen.paragraphs import Look, paragraph
from bridge.talk.screen.rows import Ground, cropped


@dataclass(slots=True)
class _Block:
    """An entry as it was wrapped: at which revision and on which ground, its rows, and where they begin."""

    entry: Entry
    made_of: tuple[int, Ground]
    rows: list[Strip]
    top: int = 0


class Transcript(ScrollView, can_focus=False):
    """Shows entries."""

    DEFAULT_CSS = """
    Transcript {
        height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto;
        scrollbar-size-vertical: 1; scrollbar-gutter: stable;
    }
    """

    def __init__(self, look: Look, *, id: str) -> None:  # noqa: A002 - textual's name for it
        super().__init__(id=id)
        self._look = look
        self._ground: Ground | None = None
        self._entries: Sequence[Entry] = ()
        self._blocks: list[_Block] = []
        self._tops: list[int] = []
        self._end = 0
        """The row that was at the top when the last one was in sight."""

    def show(self, entries: Sequence[Entry]) -> None:
        """Show these; follows the last one, unless the user has scrolled up."""
        top = self.scroll_offset.y
        follows = top >= self._end
        self._entries = entries
        n_before = self.virtual_size.height
        changed_from = self._wrap()
        if follows:
            self.scroll_end(animate=False, immediate=True, force=True)
        self._end = self.max_scroll_y
        if self.scroll_offset.y != top:
            self.refresh()
        else:
            rows = range(changed_from - top, max(n_before, self.virtual_size.height) - top)
            in_sight = range(max(0, rows.start), min(self.size.height, rows.stop))
            if in_sight:
                self.refresh(Region(0, in_sight.start, self.size.width, len(in_sight)))

    @property
    def text(self) -> str:
        """All of it as text."""
        return "\n".join(row.text.rstrip() for block in self._blocks for row in block.rows)

    def notify_style_update(self) -> None:
        """Textual's: the theme or a rule of style has changed."""
        super().notify_style_update()
        self._ground = None
        self.call_after_refresh(lambda: self.show(self._entries))

    def on_resize(self) -> None:
        """Wrap to the new width."""
        self.show(self._entries)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Textual's: what is to be seen of the widget."""
        ground = self._ground_now()
        top = self.scroll_offset.y
        return cropped([self._line(top + y, ground) for y in crop.line_range], crop, ground.width)

    def _line(self, row: int, ground: Ground) -> Strip:
        index = bisect_right(self._tops, row) - 1
        if index >= 0:
            block = self._blocks[index]
            if row - block.top < len(block.rows):
                return block.rows[row - block.top]
        return ground.blank

    def _ground_now(self) -> Ground:
        """Of the whole widget, with the column for the scroll bar."""
        width = self.outer_size.width
        if self._ground is None or self._ground.width != width:
            self._ground = Ground(self, width)
        return self._ground

    def _wrap(self) -> int:
        """Wrap what changed; the first row that is not as it was."""
        width = self.scrollable_content_region.width
        ground = self._ground_now()
        known = {id(block.entry): block for block in self._blocks}
        before, self._blocks = self._blocks, []
        top, changed_from = 0, None
        for index, entry in enumerate(self._entries):
            block = known.get(id(entry))
            if block is None or block.made_of != (entry.revision, ground):
                rows = self._rows(entry, width, ground)
                block = _Block(entry, (entry.revision, ground), rows)
            if changed_from is None and (index >= len(before) or before[index] is not block):
                changed_from = top
            block.top = top
            top += len(block.rows)
            self._blocks.append(block)
        self._tops = [block.top for block in self._blocks]
        self.virtual_size = Size(width, top)
        return top if changed_from is None else changed_from

    def _rows(self, entry: Entry, width: int, ground: Ground) -> list[Strip]:
        return [
            ground.strip(line) for line in paragraph(entry, width, self._look, self.app.console)
        ]
