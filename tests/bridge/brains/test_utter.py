"""From utterances to chunks."""

import numpy as np
import pytest

from bridge.brains.speech.tone import ToneVoice
from bridge.brains.speech.voice import Utterance, Word
from bridge.brains.utter import chunks, utter

SAMPLES = np.arange(100, dtype=np.int16)


@pytest.mark.parametrize(
    ("words", "spans"),
    [
        ([], [("", 0, 100)]),
        ([Word("one", 0)], [("one", 0, 100)]),
        ([Word("one", 0), Word(" two", 40)], [("one", 0, 40), (" two", 40, 100)]),
        ([Word("one", 10), Word(" two", 40)], [("one", 0, 40), (" two", 40, 100)]),
        ([Word("one", 0), Word(" -", 0), Word(" two", 40)], [("one -", 0, 40), (" two", 40, 100)]),
        ([Word("one", 0), Word(" !", 100)], [("one", 0, 100), (" !", 100, 100)]),
    ],
)
def test_each_word_is_a_chunk_from_its_own_start(
    words: list[Word], spans: list[tuple[str, int, int]]
) -> None:
    cut = chunks(Utterance(SAMPLES, tuple(words)))

    assert [chunk.text for chunk in cut] == [text for text, _, _ in spans]
    for chunk, (_, start, end) in zip(cut, spans, strict=True):
        assert chunk.samples.tolist() == SAMPLES[start:end].tolist()


def test_an_utterance_of_nothing_has_no_chunks() -> None:
    assert chunks(Utterance(np.zeros(0, np.int16), ())) == []


async def test_the_texts_of_the_chunks_are_the_text() -> None:
    text = "Hello, this is one sentence. And here, not much longer, is another one! " * 12

    spoken = [chunk async for chunk in utter(ToneVoice(), text)]

    assert "".join(chunk.text for chunk in spoken) == text


class CountingVoice(ToneVoice):
    """Knows how many characters it has spoken."""

    n_characters = 0

    async def say(self, text: str) -> Utterance:
        self.n_characters += len(text)
        return await super().say(text)


async def test_the_first_word_of_a_long_text_does_not_wait_for_the_rest() -> None:
    voice = CountingVoice()

    first = await anext(utter(voice, "This is a sentence of a long text. " * 50))

    assert first.text == "This"
    assert voice.n_characters <= 200


async def test_a_short_text_is_spoken_without_a_pause_of_ours() -> None:
    voice = ToneVoice(8_000)

    n_samples = sum([chunk.samples.size async for chunk in utter(voice, "one two")])

    assert n_samples == 6 * 480
