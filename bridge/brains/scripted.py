"""The scripted brain: a script decides, a voice speaks, an ear listens for the expected phrases.

The script's machine is pure; this is the thin shell that feeds it. The ear is told the phrases
of the wait that comes next, because a small grammar is heard far better than free speech.
"""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from bridge.brains.base import (
    Act,
    Cue,
    Greeting,
    HistoryItem,
    SpeechChunk,
    ToolReturn,
    ToolsReturned,
    UserSaid,
    UserTurn,
)
from bridge.brains.script.machine import Machine, Turn
from bridge.brains.script.program import Program
from bridge.brains.speech.ear import Ear
from bridge.brains.speech.voice import Voice
from bridge.brains.utter import utter
from bridge_codecs.pcm import Int16

INAUDIBLE: Final = "(inaudible)"
"""The transcript of a spoken turn that nobody understood, or that there was no ear for."""

_MAX_HEARD: Final = 16  # turns understood but not answered yet


class ScriptedBrain:
    """Runs one script in one call; voice and ear are shared between calls.

    Without an ear a spoken turn is an inaudible one: it takes the wait's `otherwise`, or goes on
    where any turn fits. Typed texts are compared with the phrases without an ear.
    """

    live = False

    def __init__(self, program: Program, voice: Voice, ear: Ear | None = None) -> None:
        self.speech_hz = voice.rate_hz
        self._machine = Machine(program)
        self._voice = voice
        self._ear = ear
        self._heard: dict[str, str | None] = {}

    def listen(self, samples: Int16) -> Int16 | None:  # noqa: ARG002 - it waits for whole turns
        """Nothing: it is not live."""
        return None

    async def hear(self, turn: UserTurn) -> str:
        """The words of the turn, "(inaudible)" when there are none.

        Raises: BrainError if the ear fails.
        """
        text, phrase = INAUDIBLE, None
        if self._ear is not None:
            heard = await self._ear.hear(turn.samples, self._machine.expected)
            text, phrase = heard.text.strip() or heard.phrase or INAUDIBLE, heard.phrase
        self._remember(text, phrase)
        return text

    async def reply(self, cue: Cue, history: Sequence[HistoryItem]) -> AsyncIterator[Act]:
        """The script's acts up to its next wait.

        Raises: BrainError if the script goes round without a wait.
        """
        match cue:
            case Greeting(text=text):
                self._machine.greet(text)
            case UserSaid(text=text, spoken=spoken):
                self._machine.said(Turn(text, self._words(text) if spoken else text))
                self._machine.returned(_silent_results(self._machine.pending_tool, history))
            case ToolsReturned(results=results):
                self._machine.returned(results)
        while (act := self._machine.next_act()) is not None:
            yield act

    async def speak(self, text: str) -> AsyncIterator[SpeechChunk]:
        """The text in the voice of this brain.

        Raises: BrainError if the voice fails.
        """
        async for chunk in utter(self._voice, text):
            yield chunk

    async def close(self) -> None:
        """Nothing is held: voice and ear belong to who made them."""

    def _remember(self, text: str, phrase: str | None) -> None:
        if len(self._heard) >= _MAX_HEARD:
            self._heard.clear()
        self._heard[text] = phrase

    def _words(self, text: str) -> str | None:
        """What the ear found in a turn; a text that it never gave speaks for itself."""
        return self._heard.pop(text, None if text == INAUDIBLE else text)


def _silent_results(tool: str | None, history: Sequence[HistoryItem]) -> tuple[ToolReturn, ...]:
    """The result of a tool after which the agent was to listen: it stands in the history alone."""
    for item in reversed(history):
        if tool is None or (item.role == "tool_call" and item.name == tool):
            break
        if item.role == "tool_result" and item.name == tool:
            return (ToolReturn(tool, "", item.text),)
    return ()
