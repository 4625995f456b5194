"""The embedded voice: espeak-ng, spoken by a helper process of ours.

The library is GPL and keeps state between utterances, so it is loaded by `espeak_helper` in
another process, which forks once per utterance; this module never imports it. The same text
gives the same samples whatever was said before or beside it.
"""

import contextlib
import importlib.util
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from bridge.brains.speech.helper import program
from bridge.brains.speech.helper_pool import HelperPool
from bridge.brains.speech.loudness import normalised
from bridge.brains.speech.voice import Utterance, Word
from bridge.brains.speech.words import sentences, timed_words
from bridge.errors import BrainError, MissingExtra

ESPEAK_HZ: Final = 22_050
MOST_CHARACTERS: Final = 20_000
"""The longest text that one utterance may have: about 20 minutes."""

_MOST_PER_REQUEST: Final = 400  # characters, about 25 s of speech
_PAUSE_MS: Final = 300  # between two requests; within one the voice makes its own pauses
_CACHE_BYTES: Final = 16 << 20
_DEADLINE_S: Final = 20.0
_PROGRAM: Final = "bridge.brains.speech.espeak_helper"


@dataclass(frozen=True, slots=True)
class EspeakOptions:
    """How it sounds: espeak-ng's name of the voice (`en-us`, `en-gb-x-rp+f3`), tempo, pitch (0-99)."""

    voice: str = "en-us"
    words_per_minute: int = 165
    pitch: int = 50


def espeak_installed() -> bool:
    """Whether the library's wheel is there; it is looked for, not imported."""
    return importlib.util.find_spec("espeakng_loader") is not None


class EspeakVoice:
    """Speaks through one helper process, which starts with the first utterance.

    Utterances that were spoken lately are kept (16 MB) and shared by all calls.
    """

    rate_hz: Final = ESPEAK_HZ

    def __init__(
        self,
        options: EspeakOptions | None = None,
        *,
        deadline_s: float = _DEADLINE_S,
        command: Sequence[str] | None = None,
    ) -> None:
        """Nothing is started yet. `command` takes the place of the helper program.

        Raises: MissingExtra if espeak-ng is not installed.
        """
        settings = json.dumps(asdict(options or EspeakOptions()))
        if command is None and not espeak_installed():
            raise MissingExtra("the embedded voice needs espeak-ng: pip install 'tipring[speech]'")
        self._helpers = HelperPool(
            "espeak-ng", command or program(_PROGRAM, settings), deadline_s=deadline_s
        )
        self._cache = _Cache(_CACHE_BYTES)

    async def say(self, text: str) -> Utterance:
        """Speak the text at 22,050 Hz, active speech at -20 dBFS.

        Raises: BrainError if the text is too long, the voice is closed, or the helper fails
        twice in a row.
        """
        if len(text) > MOST_CHARACTERS:
            raise BrainError(f"a text of {len(text)} characters is too long to be spoken")
        if (known := self._cache.get(text)) is None:
            known = await self._helpers.run(self._speak, text)
            self._cache.put(text, known)
        return known

    async def warm(self) -> None:
        """Load the library now, not with the first utterance. Raises: BrainError if it cannot be."""
        await self._helpers.warm()

    async def close(self) -> None:
        """End the helper process and its thread; an utterance that waits fails."""
        await self._helpers.close()

    def _speak(self, text: str) -> Utterance:
        """Speak in pieces: a helper answers within its deadline however long the text is."""
        parts = [self._speak_piece(piece) for piece in sentences(text, _MOST_PER_REQUEST)]
        if len(parts) == 1:
            return parts[0]
        return _joined(parts)

    def _speak_piece(self, text: str) -> Utterance:
        header, audio = self._helpers.exchange({"text": _speakable(text)})
        try:
            spoken = np.frombuffer(audio, dtype="<i2").astype(np.int16)
            marks = _marks(header)
        except (ValueError, TypeError) as error:
            raise BrainError("espeak-ng: the helper process sends nonsense") from error
        samples = normalised(spoken, self.rate_hz)
        return Utterance(samples, timed_words(text, marks, samples.size))


class _Cache:
    """The utterances used last, by text, up to a bound in bytes."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._n_bytes = 0
        self._kept: OrderedDict[str, Utterance] = OrderedDict()

    def get(self, text: str) -> Utterance | None:
        with contextlib.suppress(KeyError):
            self._kept.move_to_end(text)
        return self._kept.get(text)

    def put(self, text: str, utterance: Utterance) -> None:
        n_bytes = _size(text, utterance)
        if text in self._kept or n_bytes > self._most_bytes // 4:
            return
        self._kept[text] = utterance
        self._n_bytes += n_bytes
        while self._n_bytes > self._most_bytes:
            self._n_bytes -= _size(*self._kept.popitem(last=False))


def _size(text: str, utterance: Utterance) -> int:
    """Bytes, about: texts without a sound count too."""
    return utterance.samples.nbytes + 8 * len(text) + 250 * (1 + len(utterance.words))


def _speakable(text: str) -> str:
    """The text without what a C library or UTF-8 cannot take, character for character."""
    return "".join(
        " " if ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 else c
        for c in text
    )


def _marks(header: dict[str, object]) -> list[tuple[int, int]]:
    marks = header.get("marks")
    return [(int(place), int(sample)) for place, sample in marks] if isinstance(marks, list) else []


def _joined(parts: Sequence[Utterance]) -> Utterance:
    pause = np.zeros(ESPEAK_HZ * _PAUSE_MS // 1000, np.int16)
    blocks: list[np.ndarray[tuple[int, ...], np.dtype[np.int16]]] = [np.zeros(0, np.int16)]
    words: list[Word] = []
    n_samples = 0
    for part in parts:
        words.extend(Word(word.text, n_samples + word.start) for word in part.words)
        blocks.extend((part.samples, pause))
        n_samples += part.samples.size + pause.size
    samples = np.concatenate(blocks[:-1] if parts else blocks)
    samples.flags.writeable = False
    return Utterance(samples, tuple(words))
