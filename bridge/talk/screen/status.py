"""The lines above the transcript and the key help below it, for any width."""

from collections.abc import Sequence
from typing import Final

from rich.text import Text

from bridge.talk.endings import clock_words
from bridge.talk.screen.bars import FLOOR_DBFS, bar, columns, level_part
from bridge.talk.screen.board import Board
from bridge.talk.screen.needs import Gauges
from bridge.talk.screen.paragraphs import Look

Key = tuple[str, str]
"""A key and what it does now."""
SPEAKING_DBFS: Final = -45.0
"""Above this a microphone is taken for somebody who speaks, on the screen only."""
_HOT_PART: Final = 0.95
_WIDEST_METER: Final = 60
_MARGINS: Final = 29
"""Cells of a meter's line that are no meter: who it is, its edges, and the longest remark."""


def title_line(board: Board, elapsed_s: float, width: int, look: Look) -> Text:
    """Whom one talks to at the left, the agent's state and the time at the right."""
    palette = look.palette
    dot = "*" if look.plain else "●"
    style = {
        "speaking": palette.agent,
        "listening": palette.user,
        "thinking": palette.tool,
    }.get(board.state, palette.dim)
    state = "ended" if board.ended is not None else board.state
    right = Text.assemble(
        (f"{dot} {state}", palette.bad if board.ended is not None else style),
        ("  " + clock_words(elapsed_s), palette.dim),
    )
    left = Text.assemble(("tipring talk", palette.key), ("  " + board.title, palette.dim))
    left.truncate(max(1, width - right.cell_len - 2), overflow="ellipsis")
    left.pad_right(max(1, width - left.cell_len - right.cell_len))
    line = left + right
    line.truncate(width)
    return line


def meter_line(
    name: str, dbfs: float, width: int, look: Look, *, remark: str = "", active: bool = False
) -> Text:
    """A level meter: who, the bar, the level or what keeps it silent."""
    palette = look.palette
    style = {"you": palette.user, "agent": palette.agent}[name]
    mark = (">" if look.plain else "▶") if active else " "
    tail = remark or (f"{dbfs:.0f} dB" if dbfs > FLOOR_DBFS else "silent")
    room = max(4, min(width - _MARGINS, _WIDEST_METER))
    filled = bar(level_part(dbfs), room, plain=look.plain)
    left, right = ("[", "]") if look.plain else ("▕", "▏")
    line = Text.assemble(
        (mark, style),
        (f"{name:<6}", style if active else palette.dim),
        (left, palette.dim),
        (filled, palette.hot if level_part(dbfs) >= _HOT_PART else style),
        (right, palette.dim),
        (" " + tail, palette.bad if remark else palette.dim),
    )
    line.truncate(width)
    return line


def figures_line(gauges: Gauges, board: Board, width: int, look: Look, *, devices: bool) -> Text:
    """Buffer, drops, drift, delay of the devices and the last response, as many as there is room for."""
    palette = look.palette
    parts: list[tuple[str, str, bool]] = []
    if board.latencies_ms:
        recent = columns(board.latencies_ms, 8, plain=look.plain)
        parts.append(("answer", f"{board.latencies_ms[-1] / 1000:.2f} s {recent}", False))
    if devices:
        parts.append(("buffer", f"{gauges.buffer_ms:.0f} ms", False))
        parts.append(("drops", str(gauges.drops), gauges.drops > 0))
        if gauges.latency_ms is not None:
            parts.append(("device", f"{gauges.latency_ms:.0f} ms", False))
        if gauges.drift_ppm is not None:
            parts.append(("drift", f"{gauges.drift_ppm:+z.0f} ppm", False))
    parts.append(("answers by", board.medium, False))
    line = Text(" ")
    for name, value, bad in parts:
        piece = Text.assemble(
            (name + " ", palette.dim), (value, palette.bad if bad else palette.text)
        )
        if line.cell_len + piece.cell_len + 3 > width and line.cell_len > 1:
            break
        line = line + (Text("   ") if line.cell_len > 1 else Text()) + piece
    line.truncate(width)
    return line


def key_lines(keys: Sequence[Key], width: int, look: Look, *, rows: int) -> list[Text]:
    """The key help: in at most ``rows`` lines the keys that have room, the most important first."""
    lines = [Text(" ")]
    for key, does in keys:
        piece = Text.assemble((key, look.palette.key), (" " + does, look.palette.dim))
        gap = 2 if lines[-1].cell_len > 1 else 0
        if lines[-1].cell_len + gap + piece.cell_len > width:
            if len(lines) == rows:
                break
            lines.append(Text(" "))
            gap = 0
        lines[-1] = lines[-1] + Text(" " * gap) + piece
    return lines


def rule(width: int, look: Look, words: str = "") -> Text:
    """A line across, with words in it."""
    line = "-" if look.plain else "─"
    start = f"{line * 2} {words} " if words else ""
    text = start + line * max(0, width - len(start))
    return Text(text[:width], look.palette.dim)
