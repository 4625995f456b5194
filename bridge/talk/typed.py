"""What is typed in line mode: words for the agent, or a command that begins with a slash."""

from typing import Final, Literal, cast

from bridge.talk.screen.board import NO_TOOL_WAITS, Board
from bridge.talk.screen.needs import Talk

_TAKES: Final = {
    "dtmf": "telephone keys are 0 to 9, *, # and A to D: /dtmf 12#",
    "medium": "the agent answers by voice or in text: /medium voice, /medium text",
}
_DIGITS: Final = frozenset("0123456789*#ABCDabcd")


def line_help(*, devices: bool) -> str:
    """What may be typed, with sound devices or without."""
    muting = "/mute /speaker " if devices else ""
    others = "/dtmf 12# /medium text /medium voice /answer RESULT /hangup"
    return f"type words for the agent, or {muting}{others}"


def carry_out(line: str, talk: Talk, board: Board) -> str:
    """Do what a typed line says; gives a sentence for whoever typed it, or nothing."""
    line = line.strip()
    if not line:
        return ""
    if not line.startswith("/"):
        talk.send_text(line)
        return ""
    command, _, rest = line[1:].partition(" ")
    rest = rest.strip()
    match command:
        case "mute" | "speaker" if not talk.has_devices:
            return "there is no microphone and no loudspeaker in a typed conversation"
        case "mute":
            talk.toggle_mic()
        case "speaker":
            talk.toggle_speaker()
        case "hangup":
            talk.hang_up()
        case "dtmf" if rest and _DIGITS.issuperset(rest):
            talk.send_dtmf(rest.upper())
        case "medium" if rest in ("voice", "text"):
            talk.set_output_medium(cast("Literal['voice', 'text']", rest))
        case "answer":
            return _answer(rest, talk, board)
        case _:
            return _TAKES.get(command) or line_help(devices=talk.has_devices)
    return ""


def _answer(result: str, talk: Talk, board: Board) -> str:
    pending = board.pending_tool
    if pending is None:
        return NO_TOOL_WAITS
    talk.answer_tool(pending[0], result)
    return ""
