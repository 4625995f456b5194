"""All of the screen but the transcript: title, meters and figures, the column at the side, the prompt, the key help."""

from dataclasses import dataclass
from typing import Final, Literal

from rich.text import Text

from bridge.talk.screen.bars import Falling
from bridge.talk.screen.board import Board
from bridge.talk.screen.key_help import help_lines, keys_for
from bridge.talk.screen.needs import Gauges, Talk
from bridge.talk.screen.paragraphs import Look
from bridge.talk.screen.rows import Rows
from bridge.talk.screen.side import side_lines
from bridge.talk.screen.status import (
    SPEAKING_DBFS,
    figures_line,
    key_lines,
    meter_line,
    rule,
    title_line,
)

WIDE: Final = 100
"""From this many cells on there is a column at the side."""
SIDE: Final = 35
"""Its cells, with two at the left and one at the right that stay empty."""
LOW: Final = 10
"""In fewer lines there are no meters."""
LOWER_STILL: Final = 6
"""In fewer lines there are no figures either."""
METERS_KEPT: Final = 256
"""Lines of meters, at levels of whole dB."""
FIGURES_PER_S: Final = 2
"""More often nobody can read figures that only move."""

Mode = Literal["keys", "text", "dtmf", "answer", "help"]
_PROMPTS: Final = {
    "text": "say, as text (Enter sends, Esc leaves)",
    "answer": "result of {tool} (Enter sends, Esc leaves)",
    "dtmf": "telephone keys: {pressed}(Enter or a pause sends, Esc leaves)",
}


@dataclass(slots=True)
class Doing:
    """What the user is doing.

    Attributes:
        mode: what keys do.
        pressed: telephone keys that were pressed.
        answering: the invocation id and the name of the tool that is being answered.
        push_to_talk: the microphone is open while a key is held.
        talking: it is held.
    """

    mode: Mode = "keys"
    pressed: str = ""
    answering: tuple[str, str] | None = None
    push_to_talk: bool = False
    talking: bool = False


class Frame:
    """The widgets, and what is written into them."""

    def __init__(self, talk: Talk, board: Board, doing: Doing, look: Look) -> None:
        self._talk, self._board, self._doing, self._look = talk, board, doing, look
        self._mic_needle, self._speaker_needle = Falling(), Falling()
        self._meters: dict[tuple[str, int, int, str, bool], Text] = {}
        self._figures_told: object = None
        self._figures_lines: list[Text] = []
        # Asked for by name they would not be found any more in a redraw that comes while the screen goes.
        self.title, self.meters, self.side = (
            Rows(id="title"),
            Rows(id="meters"),
            Rows(id="side", indent=2),
        )
        self.prompt, self.keys = Rows(id="prompt-words"), Rows(id="keys")

    def draw(self, width: int, height: int, now_s: float) -> None:
        """Write what has changed, for a terminal of so many cells."""
        talk, board, look = self._talk, self._board, self._look
        gauges = talk.gauges()
        elapsed_s = int(talk.elapsed_s)
        self.title.show_new(
            (board.state, board.ended, board.title, elapsed_s, width),
            lambda: [title_line(board, elapsed_s, width, look)],
        )
        self._draw_meters(gauges, width, height, now_s)
        if self.side.display:
            rows = self.side.size.height
            self.side.show_new(
                (board.latencies_ms, gauges.devices, rows),
                lambda: side_lines(board, gauges, SIDE - 3, rows, look),
            )
        self._draw_prompt(width)
        keys = keys_for(self._doing.mode, talk, board, push_to_talk=self._doing.push_to_talk)
        n_rows = 2 if width < WIDE and height >= LOW else 1
        self.keys.show_new((keys, width, n_rows), lambda: key_lines(keys, width, look, rows=n_rows))

    def _draw_meters(self, gauges: Gauges, width: int, height: int, now_s: float) -> None:
        talk, board = self._talk, self._board
        lines = []
        if talk.has_devices and height >= LOW:
            mic_dbfs = self._mic_needle.take(gauges.mic_dbfs, now_s)
            speaker_dbfs = self._speaker_needle.take(gauges.speaker_dbfs, now_s)
            remark = self._mic_remark()
            speaks = not remark and mic_dbfs > SPEAKING_DBFS
            lines.append(self._meter("you", round(mic_dbfs), width, remark, speaks))
            remark = "loudspeaker off" if talk.speaker_muted else ""
            speaks = board.state == "speaking"
            lines.append(self._meter("agent", round(speaker_dbfs), width, remark, speaks))
        if height >= LOWER_STILL:
            lines += self._figures(gauges, width, now_s)
        self.meters.show(lines)

    def _meter(self, name: str, dbfs: int, width: int, remark: str, active: bool) -> Text:
        """The same object for the same level: a needle that swings shows the same lines again and again."""
        key = (name, dbfs, width, remark, active)
        line = self._meters.get(key)
        if line is None:
            if len(self._meters) >= METERS_KEPT:
                self._meters.clear()
            line = meter_line(name, dbfs, width, self._look, remark=remark, active=active)
            self._meters[key] = line
        return line

    def _figures(self, gauges: Gauges, width: int, now_s: float) -> list[Text]:
        board, look = self._board, self._look
        told = (width, gauges.drops, board.medium, board.latencies_ms, int(now_s * FIGURES_PER_S))
        if told != self._figures_told:
            self._figures_told = told
            line = figures_line(gauges, board, width, look, devices=self._talk.has_devices)
            self._figures_lines = [line, rule(width, look)]
        return self._figures_lines

    def _draw_prompt(self, width: int) -> None:
        doing, look = self._doing, self._look
        if doing.mode == "help":
            devices = self._talk.has_devices
            lines = [rule(width, look, "keys"), *help_lines(width, look, devices=devices)]
            self.prompt.show(lines)
        elif doing.mode != "keys":
            tool = doing.answering[1] if doing.answering else ""
            pressed = f"{doing.pressed[-12:]}  " if doing.pressed else ""
            words = _PROMPTS[doing.mode].format(tool=tool, pressed=pressed)
            self.prompt.show([rule(width, look, words)])

    def _mic_remark(self) -> str:
        if self._doing.push_to_talk and not self._doing.talking:
            return "hold space to talk"
        return "microphone off" if self._talk.mic_muted else ""
