"""The echo brain: the caller hears the own voice at once; for measuring lines and latency."""

from collections.abc import AsyncIterator, Sequence

from bridge.brains.base import Act, Cue, Greeting, HistoryItem, Say, SpeechChunk, UserSaid, UserTurn
from bridge.brains.speech.tone import ToneVoice
from bridge.brains.utter import utter
from bridge_codecs.pcm import Int16


class EchoBrain:
    """A live brain: every frame comes back as it went in, at the rate chosen here.

    Texts that it is asked to speak, a typed text among them, sound as tones.
    """

    live = True

    def __init__(self, speech_hz: int) -> None:
        self.speech_hz = speech_hz
        self._voice = ToneVoice(speech_hz)

    def listen(self, samples: Int16) -> Int16 | None:
        """The very samples."""
        return samples

    async def hear(self, turn: UserTurn) -> str:  # noqa: ARG002 - understands nothing
        """Nothing: an echo understands no words."""
        return ""

    async def reply(self, cue: Cue, history: Sequence[HistoryItem]) -> AsyncIterator[Act]:  # noqa: ARG002
        """A given greeting and typed texts come back; to all else the echo is the answer."""
        match cue:
            case Greeting(text=str(text)) | UserSaid(text=text, spoken=False) if text:
                yield Say(text)
            case _:
                return

    async def speak(self, text: str) -> AsyncIterator[SpeechChunk]:
        """The text as tones."""
        async for chunk in utter(self._voice, text):
            yield chunk

    async def close(self) -> None:
        """Nothing is held."""
