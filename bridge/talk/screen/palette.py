"""The screen's colours: few, each with one meaning, and never the only sign of anything."""

from dataclasses import dataclass
from typing import Final

from rich.style import Style
from textual.theme import Theme

AGENT: Final = "#7aa2f7"
USER: Final = "#9ece6a"
TOOL: Final = "#e0af68"
BAD: Final = "#f7768e"
DIM: Final = "#7f88ad"
TEXT: Final = "#d5d9e8"
GROUND: Final = "#16161e"
RAISED: Final = "#1f2030"

THEME: Final = Theme(
    name="tipring",
    primary=AGENT,
    secondary=USER,
    warning=TOOL,
    error=BAD,
    foreground=TEXT,
    background=GROUND,
    surface=GROUND,
    panel=RAISED,
    dark=True,
)


@dataclass(frozen=True, slots=True)
class Palette:
    """The styles of the screen's words; without colours only bold, dim and struck through remain."""

    agent: Style
    user: Style
    tool: Style
    bad: Style
    dim: Style
    text: Style
    unheard: Style
    key: Style
    hot: Style
    """The part of a meter that is about to clip."""


COLOURED: Final = Palette(
    agent=Style(color=AGENT, bold=True),
    user=Style(color=USER, bold=True),
    tool=Style(color=TOOL),
    bad=Style(color=BAD),
    dim=Style(color=DIM),
    text=Style(color=TEXT),
    unheard=Style(color=DIM, strike=True),
    key=Style(color=TEXT, bold=True),
    hot=Style(color=BAD, bold=True),
)
PLAIN: Final = Palette(
    agent=Style(bold=True),
    user=Style(bold=True),
    tool=Style(),
    bad=Style(bold=True),
    dim=Style(dim=True),
    text=Style(),
    unheard=Style(dim=True, strike=True),
    key=Style(bold=True),
    hot=Style(bold=True),
)
