"""A widget of ready-made lines that redraws only those that changed: what ten redraws a second cost least with.

Textual draws every widget in sight at each redraw, whatever has changed, each line by way of its cache of styles. So
the widgets here keep their lines as cells that are ready for the terminal, and what they stand in is blank.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

LINES_KEPT: Final = 256
"""Lines of one widget that are kept as cells."""


class Rows(Widget):
    """Lines of text at the top of its region; what is below them is empty.

    Args:
        id: its name.
        indent: cells at the left that stay empty.
    """

    DEFAULT_CSS = "Rows { height: auto; width: 1fr; }"

    def __init__(self, *, id: str, indent: int = 0) -> None:  # noqa: A002 - textual's name for it
        super().__init__(id=id)
        self._indent = indent
        self._lines: list[Text] = []
        self._made_of: object = None
        self._ground: Ground | None = None
        self._strips: dict[int, Strip] = {}
        """Rows that are drawn already."""

    def show(self, lines: Sequence[Text]) -> None:
        """Show these; a changed number of them changes the widget's height, where that is automatic."""
        before, self._lines = self._lines, list(lines)
        if len(before) != len(self._lines):
            self._strips.clear()
            self.refresh(layout=True)
            return
        changed = [
            row
            for row, (old, new) in enumerate(zip(before, self._lines, strict=True))
            if old is not new and (old.plain != new.plain or old.spans != new.spans)
        ]
        for row in changed:
            self._strips.pop(row, None)
        if changed:
            self.refresh(*(Region(0, row, self.size.width, 1) for row in changed))

    def show_new(self, made_of: object, make: Callable[[], Sequence[Text]]) -> None:
        """Show what ``make`` gives, which is asked only if what it is made of has changed."""
        if made_of != self._made_of:
            self._made_of = made_of
            self.show(make())

    @property
    def lines(self) -> list[str]:
        """What is shown, for whoever reads it to somebody."""
        return [line.plain for line in self._lines]

    def notify_style_update(self) -> None:
        """Textual's: the theme or a rule of style has changed."""
        super().notify_style_update()
        self._ground = None

    def get_content_height(self, container: object, viewport: object, width: int) -> int:  # noqa: ARG002 - textual's
        """As many cells as there are lines."""
        return len(self._lines)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Textual's: what is to be seen of the widget."""
        ground, width = self._ground, self.size.width
        if ground is None or ground.width != width:
            ground = self._ground = Ground(self, width)
            self._strips.clear()
        strips = [self._strip(row, ground) for row in crop.line_range]
        return cropped(strips, crop, width)

    def _strip(self, row: int, ground: "Ground") -> Strip:
        strip = self._strips.get(row)
        if strip is None:
            line = self._lines[row] if row < len(self._lines) else None
            strip = ground.blank if line is None else ground.kept(line, self._indent)
            self._strips[row] = strip
        return strip


class Ground:
    """What a widget's lines are drawn on.

    Args:
        widget: whose style it is; textual asks all of its ancestors for that, and so do we, once.
        width: of the widget, cells.
    """

    def __init__(self, widget: Widget, width: int) -> None:
        self.width = width
        self._style = widget.rich_style
        self._console: Console = widget.app.console
        self._filters = widget.get_line_filters()
        self._colour = widget.background_colors[1]
        self.blank = self._filtered(Strip.blank(width, self._style))
        self._kept: dict[int, tuple[Text, Strip]] = {}

    def kept(self, line: Text, indent: int = 0) -> Strip:
        """The cells of a line that may well come again; nobody changes it any more."""
        _, strip = self._kept.get(id(line), (None, None))
        if strip is None:
            if len(self._kept) >= LINES_KEPT:
                self._kept.clear()
            strip = self.strip(line, indent)
            self._kept[id(line)] = (line, strip)  # with the line, so that no other has its id
        return strip

    def strip(self, line: Text, indent: int = 0) -> Strip:
        """A line as cells, as wide as the widget."""
        segments = list(_segments(line, self._style, self._console))
        if indent:
            segments.insert(0, Segment(" " * indent, self._style))
        return self._filtered(Strip(segments).adjust_cell_length(self.width, self._style))

    def _filtered(self, strip: Strip) -> Strip:
        for each in self._filters:
            strip = strip.apply_filter(each, self._colour)
        return strip


def cropped(strips: list[Strip], crop: Region, width: int) -> list[Strip]:
    """The columns of ``crop``."""
    if crop.column_span == (0, width):
        return strips
    return [strip.crop(*crop.column_span) for strip in strips]


def _segments(line: Text, ground: Style, console: Console) -> Iterable[Segment]:
    """The pieces of a line, each with its style; one style follows the other in nearly all of ours."""
    if isinstance(line.style, str) and line.style:
        return Segment.apply_style(line.render(console), ground)
    base = ground + line.style if isinstance(line.style, Style) else ground
    segments, at, plain = [], 0, line.plain
    for start, end, style in line.spans:
        if start < at or isinstance(style, str):
            return Segment.apply_style(line.render(console), ground)
        if start > at:
            segments.append(Segment(plain[at:start], base))
        segments.append(Segment(plain[start:end], base + style))
        at = end
    if at < len(plain):
        segments.append(Segment(plain[at:], base))
    return segments
