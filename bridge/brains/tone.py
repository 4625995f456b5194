"""The tone brain: takes turns like an agent, and answers in tones; needs no speech parts."""

from collections.abc import AsyncIterator, Sequence
from typing import Final

from bridge.brains.base import (
    HEAR_HZ,
    Act,
    Cue,
    Greeting,
    HistoryItem,
    Say,
    SpeechChunk,
    ToolsReturned,
    UserSaid,
    UserTurn,
)
from bridge.brains.speech.tone import ToneVoice
from bridge.brains.utter import utter
from bridge_codecs.pcm import Int16

GREETING: Final = "Tone ready."


class ToneBrain:
    """Speaks every text as a tone of 440 Hz, 60 ms for each character, at 16 kHz."""

    live = False

    def __init__(self) -> None:
        self._voice = ToneVoice()
        self.speech_hz = self._voice.rate_hz
        self._n_answers = 0

    def listen(self, samples: Int16) -> Int16 | None:  # noqa: ARG002 - it waits for whole turns
        """Nothing: it is not live."""
        return None

    async def hear(self, turn: UserTurn) -> str:
        """How long the user spoke, such as "(1.2 s of audio)"."""
        return f"({turn.samples.size / HEAR_HZ:.1f} s of audio)"

    async def reply(self, cue: Cue, history: Sequence[HistoryItem]) -> AsyncIterator[Act]:  # noqa: ARG002
        """One sentence for each cue; answers to the user are counted."""
        match cue:
            case Greeting(text=text):
                yield Say(GREETING if text is None else text)
            case UserSaid():
                self._n_answers += 1
                yield Say(f"This is answer {self._n_answers}, in tones.")
            case ToolsReturned():
                yield Say("The tool has returned.")

    async def speak(self, text: str) -> AsyncIterator[SpeechChunk]:
        """The text as a tone."""
        async for chunk in utter(self._voice, text):
            yield chunk

    async def close(self) -> None:
        """Nothing is held."""
