"""The helper process in which pocketsphinx hears; run as a program, never imported by the bridge.

pocketsphinx holds Python's global lock for as long as it works, some 60 ms for a second of speech and five times that
for free dictation: in the bridge's own process every call would stand still meanwhile. It loads its models once, then
forks for each turn, so that a turn is heard from fresh state and one that it dies of takes nothing along.

The frames are those of `helper_program`: after the greeting `{"lasting"}` or `{"error"}` each request `{"phrases"}`
with mono s16le audio at 16 kHz is answered with `{"text", "phrase"}`, `phrase` being an index or null.
"""

import math
import os
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, Final

from bridge.brains.speech.helper_program import in_fork, open_pipes, read, write
from bridge.brains.speech.telephone_model import telephone_mllr

ACCEPT_FROM: Final = -10.5
"""Log likelihood per 10 ms frame, phrase against phones. On a clean line 98 of 100 expected phrases lie above and one
of 100 other sentences, with babble 10 dB below 86 and 12 (`benchmarks/speech.py`). Other short words where short
phrases are expected ("hello" for "no") are still taken for them in every third case."""

_FRAME_BYTES: Final = 2 * 160
_LOG_BASE: Final = math.log(1.0001)
_PHRASES, _PHONES = "phrases", "phones"
_SPOKEN: Final = re.compile(r"[a-z']+(?: [a-z']+)*")  # other characters have a meaning in a grammar
_NOISES: Final = {"SIL", "+NSN+", "+SPN+"}  # the model's phones that are no speech
_ANSWERED, _NO_PHRASE = 0, 1


class _Ear:
    """The models; free dictation is loaded with its first use."""

    def __init__(self) -> None:
        import pocketsphinx  # noqa: PLC0415 - a missing library is answered, not raised

        self._make = pocketsphinx.Decoder
        self._model = Path(pocketsphinx.get_model_path("en-us"))
        with TemporaryDirectory() as folder:
            adaptation = Path(folder) / "mllr"
            adaptation.write_text(telephone_mllr(), encoding="ascii")
            # Wide open beams: a pruned search would lose the phrase and with it the likelihood to compare.
            self._words = self._load(
                lm=None, mllr=str(adaptation), beam=0, wbeam=0, pbeam=0, bestpath=False
            )
        self._words.add_allphone_file(_PHONES, str(self._model / "en-us-phone.lm.bin"))
        self._dictation: Any = None

    def sounds(self, audio: bytes) -> float | None:
        """The log likelihood of the phones that it sounds like; None if there are none, only silence and noise."""
        best = _decode(self._words, _PHONES, audio)
        phones = {segment.word for segment in self._words.seg() or ()}
        return best[1] if best is not None and phones - _NOISES else None

    def phrase(self, audio: bytes, phrases: Sequence[str], free: float) -> int | None:
        """The index of the phrase that is close enough to `free`, if there is one."""
        known = {text: i for i, text in reversed([*enumerate(map(_plain, phrases))])}
        grammar = [text for text in known if self._pronounceable(text)]
        if not grammar:
            return None
        self._words.add_jsgf_string(_PHRASES, _grammar(grammar))
        heard = _decode(self._words, _PHRASES, audio)
        if heard is None:
            return None
        n_frames = max(1, len(audio) // _FRAME_BYTES)
        return known[heard[0]] if (heard[1] - free) / n_frames >= ACCEPT_FROM else None

    def load_dictation(self) -> None:
        """Get ready for `dictate`."""
        if self._dictation is None:
            self._dictation = self._load(lm=str(self._model / "en-us.lm.bin"))

    def dictate(self, audio: bytes) -> str:
        """Free words."""
        heard = _decode(self._dictation, None, audio)
        return "" if heard is None else heard[0]

    def _load(self, **options: object) -> Any:
        hmm, words = self._model / "en-us", self._model / "cmudict-en-us.dict"
        return self._make(hmm=str(hmm), dict=str(words), loglevel="FATAL", **options)

    def _pronounceable(self, phrase: str) -> bool:
        """Whether the dictionary has all its words; others are left to free dictation."""
        return _SPOKEN.fullmatch(phrase) is not None and all(
            self._words.lookup_word(word) is not None for word in phrase.split()
        )


def _plain(phrase: str) -> str:
    return " ".join(phrase.lower().split())


def _grammar(phrases: Sequence[str]) -> str:
    return f"#JSGF V1.0;\ngrammar expected;\npublic <phrase> = {' | '.join(phrases)};\n"


def _decode(decoder: Any, search: str | None, audio: bytes) -> tuple[str, float] | None:
    """Words and their log likelihood, of one whole utterance."""
    if search is not None:
        decoder.activate_search(search)
    decoder.start_utt()
    decoder.process_raw(audio, full_utt=True)
    decoder.end_utt()
    best = decoder.hyp()
    if best is None or not best.score > 0:
        return None
    return best.hypstr, math.log(best.score) / _LOG_BASE


def _hear_phrase(ear: _Ear, audio: bytes, phrases: Sequence[str], pipe: BinaryIO) -> int:
    free = ear.sounds(audio)
    if free is None:
        write(pipe, {"text": "", "phrase": None})
    elif (phrase := ear.phrase(audio, phrases, free)) is not None:
        write(pipe, {"text": phrases[phrase], "phrase": phrase})
    else:
        return _NO_PHRASE
    return _ANSWERED


def _hear_words(ear: _Ear, audio: bytes, pipe: BinaryIO) -> int:
    write(pipe, {"text": ear.dictate(audio), "phrase": None})
    return _ANSWERED


def _serve(ear: _Ear, requests: BinaryIO, replies: BinaryIO) -> None:
    # Where the system cannot fork, state may pass from turn to turn.
    do = in_fork if hasattr(os, "fork") else lambda work: work()
    write(replies, {"lasting": True})
    while (request := read(requests)) is not None:
        fields, audio = request
        status = do(partial(_hear_phrase, ear, audio, fields["phrases"], replies))
        if status == _NO_PHRASE:
            ear.load_dictation()
            status = do(partial(_hear_words, ear, audio, replies))
        if status != _ANSWERED:
            return  # half a reply may be left behind: only the end of the pipe is clear now


def main() -> None:
    """Serve until the other end closes."""
    requests, replies = open_pipes()
    try:
        ear = _Ear()
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        write(replies, {"error": str(error) or type(error).__name__})
        return
    _serve(ear, requests, replies)


if __name__ == "__main__":
    main()
