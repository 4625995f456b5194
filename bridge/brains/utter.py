"""From a voice's utterances to a brain's chunks: one for each word, the first ones early.

A long text is spoken sentence by sentence, so that its first word need not wait for its last.
"""

from collections.abc import AsyncIterator
from typing import Final

import numpy as np

from bridge.brains.base import SpeechChunk
from bridge.brains.speech.voice import Utterance, Voice
from bridge.brains.speech.words import sentences

_MOST_AT_ONCE: Final = 200  # characters, about 13 s of speech
_PAUSE_MS: Final = 300  # between two pieces of a text


async def utter(voice: Voice, text: str) -> AsyncIterator[SpeechChunk]:
    """Speak `text`; the chunks' texts, joined, are the text.

    Raises: BrainError if the voice fails.
    """
    pause = np.zeros(voice.rate_hz * _PAUSE_MS // 1000, np.int16)
    for number, piece in enumerate(sentences(text, _MOST_AT_ONCE)):
        if number:
            yield SpeechChunk(pause, "")
        for chunk in chunks(await voice.say(piece)):
            yield chunk


def chunks(utterance: Utterance) -> list[SpeechChunk]:
    """An utterance cut where its words begin; what sounds before the first belongs to it.

    Words that begin with the same sample stay together.
    """
    samples, words = utterance.samples, utterance.words
    if not words:
        return [SpeechChunk(samples, "")] if samples.size else []
    starts: list[int] = []
    texts: list[str] = []
    for word in words:
        if starts and word.start <= starts[-1]:
            texts[-1] += word.text
        else:
            starts.append(word.start)
            texts.append(word.text)
    starts[0] = 0
    ends = [*starts[1:], samples.size]
    return [
        SpeechChunk(samples[start:end], text)
        for start, end, text in zip(starts, ends, texts, strict=True)
    ]
