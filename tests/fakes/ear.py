"""An ear that hears what the test says."""

from bridge.brains.speech.ear import Heard
from bridge_codecs.pcm import Int16


class ToldEar:
    """Gives the answers it was told, in order; keeps the phrases it was asked to listen for."""

    def __init__(self, *answers: Heard) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[str, ...]] = []

    async def hear(self, samples: Int16, phrases: tuple[str, ...]) -> Heard:
        self.asked.append(phrases)
        return self._answers.pop(0)

    async def close(self) -> None:
        """Nothing is held."""
