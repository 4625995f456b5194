"""A widget of ready-made lines that redraws only those that changed: what ten redraws a second cost least with."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Rows(Widget):
    """Lines of text at the top of its region; what is below them is empty."""

    DEFAULT_CSS = "Rows { height: auto; width: 1fr; }"

    def __init__(self, *, id: str) -> None:  # noqa: A002 - textual's name for it
        super().__init__(id=id)
        self._lines: list[Text] = []
        self._made_of: object = None
        self._ground: Style | None = None

    def show(self, lines: Sequence[Text]) -> None:
        """Show these; a changed number of them changes the widget's height, where that is automatic."""
        before, self._lines = self._lines, list(lines)
        if len(before) != len(self._lines):
            self.refresh(layout=True)
            return
        changed = [
            Region(0, row, self.size.width, 1)
            for row, (old, new) in enumerate(zip(before, self._lines, strict=True))
            if old.plain != new.plain or old.spans != new.spans
        ]
        if changed:
            self.refresh(*changed)

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

    def render_line(self, y: int) -> Strip:
        """One line of the widget, padded to its width."""
        width = self.size.width
        if self._ground is None:  # textual asks all ancestors for it
            self._ground = self.rich_style
        if y >= len(self._lines):
            return Strip.blank(width, self._ground)
        return strip_of(self._lines[y], self._ground, self.app.console, width)


def strip_of(line: Text, ground: Style, console: Console, width: int) -> Strip:
    """A line as the cells of a widget whose own style is ``ground``."""
    # Rich leaves the style of a text without spans to whoever prints it.
    segments = line.render(console) if line.spans else (_plain(line),)
    return Strip(Segment.apply_style(segments, ground)).adjust_cell_length(width, ground)


def _plain(line: Text) -> Segment:
    style = line.style if isinstance(line.style, Style) else Style.parse(line.style)
    return Segment(line.plain, style)
