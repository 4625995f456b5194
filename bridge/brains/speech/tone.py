"""The tone voice: one beep a word, with no dependency but numpy.

It stands in where no real voice is installed, and in tests: its words are where arithmetic puts
them, 60 ms for each character.
"""

from typing import Final

import numpy as np

from bridge.brains.speech.voice import Utterance, Word
from bridge.brains.speech.words import tokens

CHARACTER_MS: Final = 60
TONE_HZ: Final = 440
_PAUSE_MS: Final = 30  # silence at the end of each word, so that words can be told apart
_FADE_MS: Final = 5
_AMPLITUDE: Final = 4_634  # a sine of -20 dBFS (RMS)
_MOST_CHARACTERS: Final = 20_000  # 20 minutes


class ToneVoice:
    """Beeps for as long as the text has characters, white space at its ends left out."""

    def __init__(self, rate_hz: int = 16_000) -> None:
        self.rate_hz: Final = rate_hz

    async def say(self, text: str) -> Utterance:
        """The beeps for a text; characters beyond 20,000 are not sounded."""
        words: list[Word] = []
        n_samples = 0
        beeps = [np.zeros(0, np.int16)]
        for token in tokens(text):
            words.append(Word(token, n_samples))
            n_characters = min(len(token.strip()), _MOST_CHARACTERS - n_samples // self._unit)
            beeps.append(self._beep(max(0, n_characters)))
            n_samples += beeps[-1].size
        samples = np.concatenate(beeps)
        samples.flags.writeable = False
        return Utterance(samples, tuple(words))

    async def close(self) -> None:
        """Nothing is held."""

    @property
    def _unit(self) -> int:
        return self.rate_hz * CHARACTER_MS // 1000

    def _beep(self, n_characters: int) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
        n_samples = n_characters * self._unit
        n_tone = max(0, n_samples - self.rate_hz * _PAUSE_MS // 1000)
        n_fade = self.rate_hz * _FADE_MS // 1000
        at = np.arange(n_tone)
        fade = np.minimum(1.0, np.minimum(at, n_tone - 1 - at) / n_fade)
        beep = np.zeros(n_samples, np.int16)
        tone = _AMPLITUDE * np.sin(2 * np.pi * TONE_HZ * at / self.rate_hz)
        beep[:n_tone] = np.rint(fade * tone).astype(np.int16)
        return beep
