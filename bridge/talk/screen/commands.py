"""What keys do that are no text: commands to the talk, to the transcript, to the screen itself."""

from collections.abc import Callable, Mapping
from typing import Final, Literal

from bridge.talk.screen.board import NO_TOOL_WAITS, Board
from bridge.talk.screen.frame import Doing, Mode
from bridge.talk.screen.held_key import HeldKey
from bridge.talk.screen.needs import Talk
from bridge.talk.screen.transcript import Transcript

DTMF_KEYS: Final = "0123456789*#ABCD"
_OF_DEVICES: Final = ("m", "s", "space", "p")


class Commands:
    """The keys of one screen.

    Args:
        talk: what is steered.
        board: what is told.
        doing: what the user is doing; changed here.
        transcript: is read back.
        set_mode: changes what keys do.
        hang_up: ends the talk.
    """

    def __init__(
        self,
        talk: Talk,
        board: Board,
        doing: Doing,
        transcript: Transcript,
        *,
        set_mode: Callable[[Mode], None],
        hang_up: Callable[[], None],
    ) -> None:
        self._talk, self._board, self._doing = talk, board, doing
        self._transcript = transcript
        self._set_mode, self._hang_up = set_mode, hang_up
        self._held = HeldKey()
        self._digits_sent = 0

    def press(self, key: str, character: str | None, now_s: float) -> None:
        """A key that is a command, or none; `now_s`: when, seconds."""
        if key == "space" and self._talk.has_devices:
            self._space(now_s)
            return
        commands = self._commands()
        command = commands.get(key) or commands.get((character or "").lower())
        if command is not None:
            command()

    def dial(self, key: str, character: str | None) -> None:
        """A telephone key, or what ends them."""
        digit = (character or "").upper()
        if digit and digit in DTMF_KEYS:
            self._talk.press_key(digit)
            self._doing.pressed += digit
        elif key == "enter":
            self._talk.send_pressed_keys()
        else:
            self._set_mode("keys")

    def tick(self, now_s: float) -> None:
        """Time has passed: the space bar may have been let go, telephone keys may have been sent."""
        if self._held.talking and not self._held.tick(now_s):
            self._doing.talking = False
            self._talk.push_to_talk(held=False)
        n_sent = self._board.digits_sent - self._digits_sent
        self._digits_sent += n_sent
        self._doing.pressed = self._doing.pressed[n_sent:]  # the prompt shows what still waits

    def _commands(self) -> Mapping[str, Callable[[], object]]:
        commands: dict[str, Callable[[], object]] = {
            "q": self._hang_up,
            "m": self._talk.toggle_mic,
            "s": self._talk.toggle_speaker,
            "p": self._toggle_push_to_talk,
            "t": lambda: self._set_mode("text"),
            "enter": lambda: self._set_mode("text"),
            "d": lambda: self._set_mode("dtmf"),
            "o": self._other_medium,
            "a": self._answer,
            "question_mark": self._toggle_help,
            "up": lambda: self._transcript.scroll_relative(y=-1, animate=False),
            "down": lambda: self._transcript.scroll_relative(y=1, animate=False),
            "pageup": lambda: self._transcript.scroll_page_up(animate=False),
            "pagedown": lambda: self._transcript.scroll_page_down(animate=False),
            "home": lambda: self._transcript.scroll_home(animate=False),
            "end": lambda: self._transcript.scroll_end(animate=False),
        }
        if not self._talk.has_devices:
            commands = {key: does for key, does in commands.items() if key not in _OF_DEVICES}
        return commands

    def _space(self, now_s: float) -> None:
        self._doing.push_to_talk = True
        self._doing.talking = self._held.press(now_s)
        self._talk.push_to_talk(held=self._doing.talking)

    def _toggle_push_to_talk(self) -> None:
        self._doing.push_to_talk, self._doing.talking = not self._doing.push_to_talk, False
        self._held = HeldKey()
        self._talk.push_to_talk(held=False if self._doing.push_to_talk else None)

    def _toggle_help(self) -> None:
        self._set_mode("keys" if self._doing.mode == "help" else "help")

    def _other_medium(self) -> None:
        medium: Literal["voice", "text"] = "text" if self._board.medium == "voice" else "voice"
        self._talk.set_output_medium(medium)

    def _answer(self) -> None:
        pending = self._board.pending_tool
        if pending is not None:
            self._doing.answering = (pending[0], pending[1].tool)
            self._set_mode("answer")
        elif not self._board.says_last(NO_TOOL_WAITS):  # a key that repeats would fill the screen
            self._board.note(NO_TOOL_WAITS, at_s=self._talk.elapsed_s)
