"""The tone voice: one beep a word, with no dependency but numpy.

It stands in where no real voice is installed, and in tests: its words are where arithmetic puts
them, 60 ms for each character.
"""

from typing import Final

import numpy as np

from bridge.brains.speech.voice import Utterance, Word
from bridge.brains.speech.words import tokens
from bridge_codecs.pcm import Int16

CHARACTER_MS: Final = 60
TONE_HZ: Final = 440
_PAUSE_MS: Final = 30  # silence at the end of each word, so that words can be told apart
_FADE_MS: Final = 5
_AMPLITUDE: Final = 4_634  # a sine of -20 dBFS (RMS)
_MOST_CHARACTERS: Final = 2_000  # 2 minutes


class ToneVoice:
    """Beeps for as long as the text has characters, white space at its ends left out."""

    def __init__(self, rate_hz: int = 16_000) -> None:
        self.rate_hz: Final = rate_hz
        wave = np.sin(2 * np.pi * TONE_HZ * np.arange(rate_hz) / rate_hz)
        self._second: Int16 = np.rint(_AMPLITUDE * wave).astype(np.int16)  # whole periods

    async def say(self, text: str) -> Utterance:
        """The beeps for a text; characters beyond 2,000 are not sounded."""
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

    def _beep(self, n_characters: int) -> Int16:
        n_samples = n_characters * self._unit
        n_tone = max(0, n_samples - self.rate_hz * _PAUSE_MS // 1000)
        n_fade = min(self.rate_hz * _FADE_MS // 1000, n_tone // 2)
        beep = np.zeros(n_samples, np.int16)
        beep[:n_tone] = np.resize(self._second, n_tone)
        fade = np.arange(n_fade) / max(1, n_fade)
        beep[:n_fade] = np.rint(fade * beep[:n_fade])
        beep[n_tone - n_fade : n_tone] = np.rint(fade[::-1] * beep[n_tone - n_fade : n_tone])
        return beep
