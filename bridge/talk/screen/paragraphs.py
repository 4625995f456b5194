"""An entry of the board as lines of a given width.

Wide: the speaker stands in a column of its own. Narrow: the speaker's line comes first and the words below it.
Where the terminal cannot strike through, what was not heard stands in brackets that say so.
"""

from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.style import Style
from rich.text import Text

from bridge.talk.endings import clock_words
from bridge.talk.screen.bars import bar, latency_part
from bridge.talk.screen.board import Entry
from bridge.talk.screen.palette import Palette

NARROW: Final = 60
"""Below this many cells the speaker has no column of its own."""
_MARGIN: Final = 14
_BAR_CELLS: Final = 6


@dataclass(frozen=True, slots=True)
class Look:
    """How entries are to be written.

    Attributes:
        plain: letters of ASCII instead of blocks and lines.
        strikes: the terminal can strike through.
    """

    palette: Palette
    plain: bool = False
    strikes: bool = True


def paragraph(entry: Entry, width: int, look: Look, console: Console) -> list[Text]:
    """The entry in lines of at most ``width`` cells, with an empty line behind utterances."""
    width = max(width, 8)
    margin = _MARGIN if width >= NARROW else 2
    head = _head(entry, look)
    lines = _wrap(entry, width - margin, look, console)
    indent = Text(" " * margin)
    if width < NARROW:
        heads = [head] if entry.kind in ("agent", "user") else []
        return heads + [indent + line for line in lines]
    head.pad_right(margin - head.cell_len)
    return [(head if row == 0 else indent) + line for row, line in enumerate(lines)]


def _wrap(entry: Entry, width: int, look: Look, console: Console) -> list[Text]:
    """The words, and behind them how long it took: on a line of its own where the last one has no room for it."""
    words = _body(entry, look)
    lines = list(words.wrap(console, width)) if words else [Text()]
    tail = _tail(entry, look)
    if lines[-1].cell_len + tail.cell_len <= width:
        lines[-1] = lines[-1] + tail
    else:
        lines.append(tail[2:])
    return lines


def _tail(entry: Entry, look: Look) -> Text:
    if entry.latency_ms is not None:
        return Text("  ") + latency(entry.latency_ms, look)
    if entry.took_ms is not None:
        return Text(f"  {entry.took_ms / 1000:.2f} s", look.palette.dim)
    return Text()


def _head(entry: Entry, look: Look) -> Text:
    palette = look.palette
    who = {"agent": "agent", "user": "you", "tool": "tool", "note": "note"}[entry.kind]
    style = {
        "agent": palette.agent,
        "user": palette.user,
        "tool": palette.tool,
        "note": palette.dim,
    }[entry.kind]
    return Text.assemble((f"{clock_words(entry.at_s):>5} ", palette.dim), (who, style))


def _body(entry: Entry, look: Look) -> Text:
    if entry.kind == "tool":
        return _tool(entry, look)
    if entry.kind == "note":
        return Text(entry.text, look.palette.dim)
    words = Text(entry.text, look.palette.text)
    if not entry.final:
        words.append(" ..." if look.plain else " …", look.palette.dim)
    if entry.unheard:
        _append_unheard(words, entry.unheard, look)
    if entry.typed:
        words.append("  (typed)" if entry.kind == "user" else "  (as text)", look.palette.dim)
    return words


def latency(latency_ms: float, look: Look) -> Text:
    """A response's latency: a small bar and the seconds; slow ones in the colour of trouble."""
    slow = latency_part(latency_ms) >= 1
    style: Style = look.palette.bad if slow else look.palette.dim
    part = max(latency_part(latency_ms), 1 / (8 * _BAR_CELLS))
    text = bar(part, _BAR_CELLS, plain=look.plain).rstrip()
    return Text.assemble((text, style), (f" {latency_ms / 1000:.2f} s", style))


def _append_unheard(words: Text, unheard: str, look: Look) -> None:
    if words:
        words.append(" ")
    if look.strikes:
        words.append(unheard, look.palette.unheard)
    else:
        words.append(f"[not heard: {unheard}]", look.palette.dim)


def _tool(entry: Entry, look: Look) -> Text:
    palette = look.palette
    arrow = "->" if look.plain else "→"
    text = Text.assemble((entry.tool, palette.tool), (f"({entry.text})", palette.dim))
    if entry.outcome is not None:
        style = palette.bad if entry.failed else palette.text
        text.append(f" {arrow} ", palette.dim).append(entry.outcome, style)
    elif entry.by_hand:
        text.append(f" {arrow} ", palette.dim).append("press a to answer it", palette.bad)
    else:
        text.append(f" {arrow} …" if not look.plain else f" {arrow} ...", palette.dim)
    return text
