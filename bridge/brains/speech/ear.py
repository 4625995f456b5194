"""What an ear is: audio in, words out, and which of the expected phrases they are."""

from dataclasses import dataclass
from typing import Protocol

from bridge_codecs.pcm import Int16


@dataclass(frozen=True, slots=True)
class Heard:
    """What was understood: the words, and the expected phrase that they are, or None."""

    text: str
    phrase: str | None = None


class Ear(Protocol):
    """Understands one turn at a time. One ear serves many calls; each turn is heard from fresh state."""

    async def hear(self, samples: Int16, phrases: tuple[str, ...]) -> Heard:
        """What was said in ``samples`` (at `HEAR_HZ`), where one of ``phrases`` is expected.

        Raises: BrainError if the ear fails.
        """
        ...

    async def close(self) -> None:
        """Let go of what the ear holds; closing twice is allowed."""
        ...
