"""What the screen leaves behind when it goes: the transcript, on the terminal that one can scroll back."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from bridge.talk.screen.board import Board
from bridge.talk.screen.paragraphs import Look, paragraph

LINES_LEFT = 200
"""The last ones; the files of --record have all."""


def closing_lines(board: Board, look: Look, console: Console) -> Sequence[Text]:
    """The last lines of the transcript at the terminal's width."""
    lines = [
        line for entry in board.entries for line in paragraph(entry, console.width, look, console)
    ]
    return lines[-LINES_LEFT:]
