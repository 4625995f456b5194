"""The screen: header and meters, the transcript, what is being typed, the key help.

The application owns no call. It asks a `Talk` and a `Board` ten times a second, redraws the lines that changed, and
turns keys into commands. It leaves when the board says that the call is over.
"""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Final, Literal

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.driver import Driver
from textual.events import Key, Resize
from textual.widgets import Input

from bridge.talk.screen.bars import Falling
from bridge.talk.screen.board import Board
from bridge.talk.screen.held_key import HeldKey
from bridge.talk.screen.key_help import help_lines, keys_for
from bridge.talk.screen.needs import Talk
from bridge.talk.screen.palette import COLOURED, PLAIN, THEME
from bridge.talk.screen.paragraphs import Look
from bridge.talk.screen.rows import Rows
from bridge.talk.screen.side import side_lines
from bridge.talk.screen.status import SPEAKING_DBFS, figures_line, key_lines, meter_line, rule
from bridge.talk.screen.status import title_line as title
from bridge.talk.screen.transcript import Transcript

REDRAWS_PER_S: Final = 10
LOW: Final = 10
"""In fewer lines there are no meters."""
LOWER_STILL: Final = 6
LEAVES_AFTER_S: Final = 1.2
"""How long the end is to be seen before the screen goes and the summary is printed."""
WIDE: Final = 100
"""From this many cells on there is a column at the side."""
SIDE: Final = 34
"""Its cells, with one on either side that stays empty."""
DTMF_KEYS: Final = "0123456789*#ABCD"

Mode = Literal["keys", "text", "dtmf", "answer", "help"]
_PROMPTS: Final = {
    "text": "say, as text (Enter sends, Esc leaves)",
    "answer": "result of {tool} (Enter sends, Esc leaves)",
    "dtmf": "telephone keys, sent as you press them (Esc leaves)",
}


class TalkApp(App[None]):
    """The screen of one call.

    Args:
        talk: what is steered and measured.
        board: what is told.
        push_to_talk: the microphone is open while the space bar is held, from the start.
        colours: False for a terminal without; the variable NO_COLOR must then be set, as textual reads it too.
        strikes: the terminal can strike through.
        clock: seconds, for meters and keys; the loop's by default.
        driver_class: what draws; textual's choice by default.
    """

    CSS_PATH = None
    CSS = """
    Screen { layout: vertical; background: $background; color: $foreground; }
    #title { background: $panel; text-style: none; }
    #middle { height: 1fr; }
    #side { height: 1fr; padding: 0 1; }
    #prompt { display: none; height: auto; }
    #typed { border: none; height: 1; padding: 0 1; background: $panel; width: 1fr; }
    #keys { background: $panel; }
    """
    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = None
    TITLE = "tipring talk"
    BINDINGS: ClassVar = []  # `on_key` sees to all of them: what a key does depends on the mode

    def __init__(  # noqa: PLR0913 - each is a property of its own
        self,
        talk: Talk,
        board: Board,
        *,
        push_to_talk: bool = False,
        colours: bool = True,
        strikes: bool = True,
        clock: Callable[[], float] | None = None,
        driver_class: type[Driver] | None = None,
    ) -> None:
        # With the terminal's own colours textual's NO_COLOR means none at all; else it means shades of grey.
        super().__init__(driver_class=driver_class, ansi_color=not colours)
        self._talk, self._board = talk, board
        self.look = Look(COLOURED if colours else PLAIN, strikes=strikes)
        self._clock = clock
        # Asked for by name they would not be found any more in a redraw that comes while the screen goes.
        self._title, self._meters, self._side = Rows(id="title"), Rows(id="meters"), Rows(id="side")
        self._transcript = Transcript(self.look, id="transcript")
        self._prompt, self._prompt_words = Vertical(id="prompt"), Rows(id="prompt-words")
        self._typed = Input(id="typed", select_on_focus=False)
        self._keys = Rows(id="keys")
        self._mic_needle, self._speaker_needle = Falling(), Falling()
        self._held = HeldKey()
        self._push_to_talk = push_to_talk
        self._mode: Mode = "keys"
        self._pressed = ""
        self._answering: tuple[str, str] | None = None
        self._seen_revision = -1
        self._over_s: float | None = None
        self._hung_up = False

    @property
    def mode(self) -> Mode:
        """What keys do now."""
        return self._mode

    def compose(self) -> ComposeResult:
        """Title, meters, transcript with its side, prompt, keys."""
        yield self._title
        yield self._meters
        with Horizontal(id="middle"):
            yield self._transcript
            yield self._side
        with self._prompt:
            yield self._prompt_words
            yield self._typed
        yield self._keys

    def on_mount(self) -> None:
        """Begin to redraw."""
        self.register_theme(THEME)
        self.theme = THEME.name
        self._side.styles.width = SIDE
        self._typed.cursor_blink = False
        if self._push_to_talk:
            self._talk.push_to_talk(held=False)
        self._set_mode("keys" if self._talk.has_devices else "text")
        self.set_interval(1 / REDRAWS_PER_S, self.redraw)
        self.redraw()

    def on_resize(self, event: Resize) -> None:
        """Lay out for the new size."""
        self._side.display = event.size.width >= WIDE
        self._seen_revision = -1
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Show what has changed."""
        now_s = self._now_s()
        if self._held.talking and not self._held.tick(now_s):
            self._talk.push_to_talk(held=False)
        self._draw_status(now_s)
        if self._board.revision != self._seen_revision:
            self._seen_revision = self._board.revision
            self._transcript.show(self._board.entries)
        self._leave_when_over(now_s)

    def on_key(self, event: Key) -> None:
        """A key that no input line has taken."""
        if event.key in ("ctrl+c", "ctrl+q", "ctrl+d"):
            self._hang_up()
        elif event.key == "escape":
            self._set_mode("keys")
        elif self._mode == "dtmf":
            self._dtmf(event.character)
        elif self._mode in ("keys", "help"):
            self._command(event.key, event.character)
        else:
            return
        event.stop()
        event.prevent_default()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the input line."""
        words, self._typed.value = event.value.strip(), ""
        if self._mode == "answer" and self._answering is not None:
            self._talk.answer_tool(self._answering[0], words)
        elif words:
            self._talk.send_text(words)
        if self._talk.has_devices or self._mode == "answer":
            self._set_mode("keys" if self._talk.has_devices else "text")

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

    def _draw_status(self, now_s: float) -> None:
        talk, board, width = self._talk, self._board, self.size.width
        gauges = talk.gauges()
        self._title.show([title(board, talk.elapsed_s, width, self.look)])
        lines = []
        if talk.has_devices and self.size.height >= LOW:
            mic = self._mic_needle.take(gauges.mic_dbfs, now_s)
            speaker = self._speaker_needle.take(gauges.speaker_dbfs, now_s)
            open_ = not talk.mic_muted
            lines = [
                meter_line(
                    "you", mic, width, self.look,
                    remark=self._mic_remark(), active=open_ and mic > SPEAKING_DBFS,
                ),
                meter_line(
                    "agent", speaker, width, self.look,
                    remark="loudspeaker off" if talk.speaker_muted else "",
                    active=board.state == "speaking",
                ),
            ]  # fmt: skip
        if self.size.height >= LOWER_STILL:
            lines.append(figures_line(gauges, board, width, self.look, devices=talk.has_devices))
            lines.append(rule(width, self.look))
        self._meters.show(lines)
        if self._side.display:
            rows = self._side.size.height
            self._side.show(side_lines(board, gauges, SIDE - 2, rows, self.look))
        self._draw_prompt(width)
        rows = 2 if width < WIDE and self.size.height >= LOW else 1
        keys = keys_for(self._mode, talk, board, push_to_talk=self._push_to_talk)
        self._keys.show(key_lines(keys, width, self.look, rows=rows))

    def _draw_prompt(self, width: int) -> None:
        if self._mode == "help":
            self._prompt_words.show(
                [
                    rule(width, self.look, "keys"),
                    *help_lines(width, self.look, devices=self._talk.has_devices),
                ]
            )
        elif self._mode != "keys":
            tool = self._answering[1] if self._answering else ""
            text = _PROMPTS[self._mode].format(tool=tool)
            if self._mode == "dtmf":
                text += f"  {self._pressed[-12:]}"
            self._prompt_words.show([rule(width, self.look, text)])

    def _mic_remark(self) -> str:
        if self._push_to_talk and not self._held.talking:
            return "hold space to talk"
        return "microphone off" if self._talk.mic_muted else ""

    def _set_mode(self, mode: Mode) -> None:
        self._mode = mode
        self._typed.value = ""
        self._pressed = ""
        self._prompt.display = mode != "keys"
        self._typed.display = mode in ("text", "answer")
        if mode in ("text", "answer"):
            self._typed.focus()
        else:
            self.set_focus(None)

    def _command(self, key: str, character: str | None) -> None:
        commands: dict[str, Callable[[], object]] = {
            "q": self._hang_up,
            "m": self._talk.toggle_mic,
            "s": self._talk.toggle_speaker,
            "space": self._space,
            "p": self._toggle_push_to_talk,
            "t": lambda: self._set_mode("text"),
            "enter": lambda: self._set_mode("text"),
            "d": lambda: self._set_mode("dtmf"),
            "o": self._other_medium,
            "a": self._answer,
            "question_mark": lambda: self._set_mode("keys" if self._mode == "help" else "help"),
            "up": lambda: self._transcript.scroll_relative(y=-1, animate=False),
            "down": lambda: self._transcript.scroll_relative(y=1, animate=False),
            "pageup": lambda: self._transcript.scroll_page_up(animate=False),
            "pagedown": lambda: self._transcript.scroll_page_down(animate=False),
            "home": lambda: self._transcript.scroll_home(animate=False),
            "end": lambda: self._transcript.scroll_end(animate=False),
        }
        if not self._talk.has_devices:
            for name in ("m", "s", "space", "p"):
                del commands[name]
        command = commands.get(key) or commands.get((character or "").lower())
        if command is not None:
            command()

    def _space(self) -> None:
        self._push_to_talk = True
        self._talk.push_to_talk(held=self._held.press(self._now_s()))

    def _toggle_push_to_talk(self) -> None:
        self._push_to_talk = not self._push_to_talk
        self._held = HeldKey()
        self._talk.push_to_talk(held=False if self._push_to_talk else None)

    def _other_medium(self) -> None:
        medium: Literal["voice", "text"] = "text" if self._board.medium == "voice" else "voice"
        self._talk.set_output_medium(medium)
        self._board.set_medium(medium)

    def _answer(self) -> None:
        pending = self._board.pending_tool
        if pending is not None:
            self._answering = (pending[0], pending[1].tool)
            self._set_mode("answer")

    def _dtmf(self, character: str | None) -> None:
        digit = (character or "").upper()
        if digit and digit in DTMF_KEYS:
            self._talk.send_dtmf(digit)
            self._pressed += digit
        else:
            self._set_mode("keys")

    def _hang_up(self) -> None:
        if self._hung_up:
            self.exit()  # asked twice: leave, whatever the far end does
        self._hung_up = True
        self._talk.hang_up()

    def _leave_when_over(self, now_s: float) -> None:
        if self._board.ended is None:
            return
        if self._over_s is None:
            self._over_s = now_s
        if self._hung_up or now_s - self._over_s >= LEAVES_AFTER_S:
            self.exit()
