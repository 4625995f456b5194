"""The screen: header and meters, the transcript, what is being typed, the key help.

The application owns no call. It asks a `Talk` and a `Board` ten times a second, redraws the lines that changed, and
turns keys into commands. It leaves when the board says that the call is over.
"""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Final

from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.driver import Driver
from textual.events import Key, Resize
from textual.screen import Screen
from textual.widgets import Input

from bridge.talk.screen.board import Board
from bridge.talk.screen.commands import Commands
from bridge.talk.screen.frame import SIDE, WIDE, Doing, Frame, Mode
from bridge.talk.screen.needs import Talk
from bridge.talk.screen.palette import COLOURED, PLAIN, THEME
from bridge.talk.screen.paragraphs import Look
from bridge.talk.screen.transcript import Transcript

REDRAWS_PER_S: Final = 10
LEAVES_AFTER_S: Final = 1.2
"""How long the end is to be seen before the screen goes and the summary is printed."""


class Behind(Screen[None]):
    """What the widgets stand in; all of it is covered."""

    BLANK = True


class Middle(Horizontal):
    """The transcript and its side."""

    BLANK = True


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
    #side { height: 1fr; }
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
        self._coloured = colours
        self.look = Look(COLOURED if colours else PLAIN, strikes=strikes)
        self._clock = clock
        self._doing = Doing(push_to_talk=push_to_talk)
        self._frame = Frame(talk, board, self._doing, self.look)
        self._transcript = Transcript(self.look, id="transcript")
        self._prompt = Vertical(id="prompt")
        self._typed = Input(id="typed", select_on_focus=False)
        self._commands = Commands(
            talk,
            board,
            self._doing,
            self._transcript,
            set_mode=self._set_mode,
            hang_up=self._hang_up,
        )
        self._seen_revision = -1
        self._over_s: float | None = None
        self._hung_up = False

    @property
    def mode(self) -> Mode:
        """What keys do now."""
        return self._doing.mode

    def compose(self) -> ComposeResult:
        """Title, meters, transcript with its side, prompt, keys."""
        yield self._frame.title
        yield self._frame.meters
        with (Middle if self._coloured else Horizontal)(id="middle"):
            yield self._transcript
            yield self._frame.side
        with self._prompt:
            yield self._frame.prompt
            yield self._typed
        yield self._frame.keys

    def get_default_screen(self) -> Screen[None]:
        """Textual's: the one that is shown first. What is blank is drawn past the filter that takes colours away."""
        return (Behind if self._coloured else Screen[None])(id="_default")

    def on_mount(self) -> None:
        """Begin to redraw."""
        self.register_theme(THEME)
        self.theme = THEME.name
        self._frame.side.styles.width = SIDE
        self._typed.cursor_blink = False
        if self._doing.push_to_talk:
            self._talk.push_to_talk(held=False)
        self._set_mode("keys" if self._talk.has_devices else "text")
        self.set_interval(1 / REDRAWS_PER_S, self.redraw)
        self.redraw()

    def on_resize(self, event: Resize) -> None:
        """Lay out for the new size."""
        self._frame.side.display = event.size.width >= WIDE
        self._seen_revision = -1
        self.call_after_refresh(self.redraw)

    def redraw(self) -> None:
        """Show what has changed."""
        now_s = self._now_s()
        self._commands.tick(now_s)
        self._frame.draw(self.size.width, self.size.height, now_s)
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
        elif self.mode == "dtmf":
            self._commands.dial(event.key, event.character)
        elif self.mode in ("keys", "help"):
            self._commands.press(event.key, event.character, self._now_s())
        else:
            return
        event.stop()
        event.prevent_default()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in the input line."""
        words, self._typed.value = event.value.strip(), ""
        answering = self._doing.answering
        if self.mode == "answer" and answering is not None:
            self._talk.answer_tool(answering[0], words)
        elif words:
            self._talk.send_text(words)
        if self._talk.has_devices or self.mode == "answer":
            self._set_mode("keys" if self._talk.has_devices else "text")

    def _now_s(self) -> float:
        return asyncio.get_running_loop().time() if self._clock is None else self._clock()

    def _set_mode(self, mode: Mode) -> None:
        if self._doing.pressed:
            self._talk.send_pressed_keys()
        self._doing.mode, self._doing.pressed = mode, ""
        self._typed.value = ""
        self._prompt.display = mode != "keys"
        self._typed.display = mode in ("text", "answer")
        if mode in ("text", "answer"):
            self._typed.focus()
        else:
            self.set_focus(None)

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
