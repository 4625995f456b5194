"""Which key does what, in the words of the moment."""

from typing import Final

from rich.text import Text

from bridge.talk.screen.board import Board
from bridge.talk.screen.needs import Talk
from bridge.talk.screen.paragraphs import Look
from bridge.talk.screen.status import Key

# What matters stands in the first thirty letters: a terminal of 40 columns shows no more.
_ALL: Final[tuple[Key, ...]] = (
    ("m", "microphone off and on"),
    ("s", "loudspeaker off and on; the agent goes on talking"),
    ("space", "push to talk: hold it and let go, or tap it to begin and again to end"),
    ("p", "push-to-talk off and on"),
    ("t Enter", "type to the agent, as text"),
    ("d", "telephone keys; a pause or Enter sends the number"),
    ("o", "answers in text, or by voice again"),
    ("a", "answer a waiting tool by hand"),
    ("up down", "read back; End follows again"),
    ("q", "hang up; twice leaves at once (Ctrl-C too)"),
)
FIGURES: Final[tuple[Key, ...]] = (
    ("buffer", "agent's audio not heard yet"),
    ("drops", "how often audio was lost or missing, yours or the agent's"),
)
"""Words above the transcript that do not say what they count."""
_REMARK: Final = "Terminals report no key-up: a held space bar is known by its repeats."


def keys_for(mode: str, talk: Talk, board: Board, *, push_to_talk: bool) -> list[Key]:
    """The keys of a mode, the most important first."""
    pending = board.pending_tool
    if mode == "text":
        leave = ("Esc a", f"answer {pending[1].tool}") if pending else ("Esc", "keys")
        return [("Enter", "send"), leave, ("Ctrl-C", "hang up")]
    if mode == "answer":
        return [("Enter", "send"), ("Esc", "leave"), ("Ctrl-C", "hang up")]
    if mode == "dtmf":
        return [
            ("0-9 * # A-D", "press"),
            ("Enter", "send"),
            ("Esc", "leave"),
            ("Ctrl-C", "hang up"),
        ]
    if mode == "help":
        return [("?", "close"), ("q", "hang up")]
    keys = [("a", f"answer {pending[1].tool}")] if pending else []
    keys += [("q", "hang up"), ("?", "help")]
    if talk.has_devices:
        keys.append(("m", "unmute" if talk.mic_muted and not push_to_talk else "mute"))
        keys.append(("space", "talk"))
        keys.append(("s", "speaker on" if talk.speaker_muted else "speaker off"))
    other = "text" if board.medium == "voice" else "voice"
    return [*keys, ("t", "type"), ("d", "dial"), ("o", f"answers by {other}")]


def help_lines(width: int, look: Look, *, devices: bool) -> list[Text]:
    """All keys and what is counted, one a line."""
    without = () if devices else ("m", "s", "space", "p")
    told = [each for each in _ALL if each[0] not in without]
    lines = [
        Text.assemble((f" {name:<8} ", look.palette.key), (does, look.palette.dim))
        for name, does in (*told, *(FIGURES if devices else ()))
    ]
    if devices:
        lines.append(Text(f" {_REMARK}", look.palette.dim))
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return lines
