"""The embedded ear: pocketsphinx, whose wheel carries an English model.

A model for wide-band speech hears a telephone: of little use at free dictation and proper names, good with a small
grammar made of the expected phrases. A phrase counts as heard when its likelihood stands close enough to that of a free
loop of phones over the same audio; what lies further away is not in the grammar (measured by `benchmarks/speech.py`).

Each turn is heard from fresh state: whole-utterance normalisation, the same faint noise over each turn, no adaptation,
so that the same audio gives the same words whatever was heard before. Decoders are shared and lent to one turn at a
time (28 MB each; 95 MB more for free dictation, loaded with its first use).
"""

import asyncio
import logging
import math
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from bridge.brains.base import HEAR_HZ
from bridge.brains.speech.ear import Heard
from bridge.errors import BrainError
from bridge_codecs.pcm import Int16

log = logging.getLogger(__name__)

NOISE_DBFS: Final = -42.0
"""Noise laid over each turn: digital silence above a telephone's band is nothing the model ever heard."""
ACCEPT_FROM: Final = -11.5
"""Log likelihood per 10 ms frame, phrase against phones: known phrases lie above, others below -16 on a clean line."""
MAX_TURN_S: Final = 15
"""Of a longer turn the end is heard: expected phrases are short."""
MAX_DECODERS: Final = 2
FRAME: Final = HEAR_HZ // 100
_LOG_BASE: Final = math.log(1.0001)
_PHRASES, _PHONES = "phrases", "phones"


class PocketsphinxEar:
    """Hears one of the expected phrases, or else free words."""

    def __init__(self) -> None:
        self._idle: list[_Decoder] = []
        self._places = asyncio.Semaphore(MAX_DECODERS)

    async def hear(self, samples: Int16, phrases: tuple[str, ...]) -> Heard:
        """What was said, off the event loop; turns beyond `MAX_DECODERS` at once wait for a decoder.

        Raises: BrainError if pocketsphinx fails.
        """
        async with self._places:
            decoder = self._idle.pop() if self._idle else _Decoder()
            loop = asyncio.get_running_loop()
            try:
                return await loop.run_in_executor(None, decoder.hear, samples, phrases)
            except (RuntimeError, ValueError) as exc:
                raise BrainError(f"the embedded ear failed: {exc}") from exc
            finally:
                self._idle.append(decoder)

    async def close(self) -> None:
        """Forget the decoders, off the loop: the model of free dictation takes a tenth of a second to go."""
        await asyncio.get_running_loop().run_in_executor(None, self._idle.clear)


class _Decoder:
    """One pocketsphinx with its searches; used by one thread at a time."""

    def __init__(self) -> None:
        self._words: Any = None
        self._dictation: Any = None

    def hear(self, samples: Int16, phrases: tuple[str, ...]) -> Heard:
        """The phrase, if one of them is close enough; else what free dictation makes of it."""
        audio = _dithered(samples[-MAX_TURN_S * HEAR_HZ :])
        phrase = self._phrase(audio, phrases)
        if phrase is not None:
            return Heard(phrase, phrase)
        return Heard(self._dictate(audio))

    def _phrase(self, audio: bytes, phrases: tuple[str, ...]) -> str | None:
        if self._words is None:
            self._words = _load(_PHONES)
        known = [phrase for phrase in phrases if _pronounceable(self._words, phrase)]
        if not known:
            return None
        self._words.add_jsgf_string(_PHRASES, _grammar(known))
        heard = _decode(self._words, _PHRASES, audio)
        free = _decode(self._words, _PHONES, audio)
        if heard is None or free is None:
            return None
        n_frames = max(1, len(audio) // 2 // FRAME)
        return heard[0] if (heard[1] - free[1]) / n_frames >= ACCEPT_FROM else None

    def _dictate(self, audio: bytes) -> str:
        if self._dictation is None:
            self._dictation = _load(None)
        heard = _decode(self._dictation, None, audio)
        return "" if heard is None else heard[0]


def _load(phones: str | None) -> Any:
    """A decoder: for grammars and phones, or (None) for free dictation."""
    import pocketsphinx  # noqa: PLC0415 - heavy, and an optional extra

    model = Path(_model_folder())
    files = {"hmm": str(model / "en-us"), "dict": str(model / "cmudict-en-us.dict")}
    if phones is None:
        return pocketsphinx.Decoder(**files, lm=str(model / "en-us.lm.bin"), loglevel="FATAL")
    # Wide open beams: a pruned search would lose the phrase and with it the likelihood to compare.
    decoder = pocketsphinx.Decoder(
        **files, lm=None, beam=0, wbeam=0, pbeam=0, bestpath=False, loglevel="FATAL"
    )
    decoder.add_allphone_file(phones, str(model / "en-us-phone.lm.bin"))
    return decoder


@lru_cache(maxsize=1)
def _model_folder() -> str:
    import pocketsphinx  # noqa: PLC0415

    folder: str = pocketsphinx.get_model_path("en-us")
    return folder


def _pronounceable(decoder: Any, phrase: str) -> bool:
    """Whether the dictionary has all its words; others are left to free dictation."""
    return all(decoder.lookup_word(word) is not None for word in phrase.split())


def _grammar(phrases: list[str]) -> str:
    return f"#JSGF V1.0;\ngrammar expected;\npublic <phrase> = {' | '.join(phrases)};\n"


def _decode(decoder: Any, search: str | None, audio: bytes) -> tuple[str, float] | None:
    """Words and their log likelihood, of one whole utterance."""
    if search is not None:
        decoder.activate_search(search)
    decoder.start_utt()
    decoder.process_raw(audio, full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    return None if best is None else (best.hypstr, math.log(best.score) / _LOG_BASE)


def _dithered(samples: Int16) -> bytes:
    """The samples under faint noise, the same for each turn."""
    noise = np.random.default_rng(0).standard_normal(samples.size)
    loud = samples + noise * (32_768 * 10 ** (NOISE_DBFS / 20))
    return np.clip(loud, -32_768, 32_767).astype("<i2").tobytes()
