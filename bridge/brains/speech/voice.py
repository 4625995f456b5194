"""What a voice is: text in, an utterance out, with the place of every word in it."""

from dataclasses import dataclass
from typing import Protocol

from bridge_codecs.pcm import Int16


@dataclass(frozen=True, slots=True)
class Word:
    """A word as it stands in the text, with its leading space and its punctuation.

    `start` is the sample of the utterance with which the word begins.
    """

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """Spoken text: mono int16 samples and its words in order.

    The texts of the words, joined, are the text that was asked for; their starts never go back.
    An utterance may be shared between calls: its samples are read-only.
    """

    samples: Int16
    words: tuple[Word, ...]


class Voice(Protocol):
    """Speaks text. One voice serves many calls at once; the same text gives the same samples."""

    @property
    def rate_hz(self) -> int:
        """Samples per second of every utterance."""
        ...

    async def say(self, text: str) -> Utterance:
        """Speak the text; text without a speakable word gives few samples or none.

        Raises: BrainError if the voice fails.
        """
        ...

    async def close(self) -> None:
        """Let go of what the voice holds; closing twice is allowed."""
        ...
