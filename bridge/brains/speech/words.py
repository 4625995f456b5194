"""Text cut into words and sentences for a voice, without losing a character.

Every function here gives pieces which, joined, are the text again.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

from bridge.brains.speech.voice import Word

# Possessive quantifiers and the look-behind keep these linear: the text is foreign, and its words are cut on the loop.
_TOKEN: Final = re.compile(r"\s*+\S++")
_STOPS: Final = ".!?…。！？"  # noqa: RUF001 - these end sentences too
_SENTENCE_END: Final = re.compile(rf"(?<![{_STOPS}])[{_STOPS}]++[\"'”’)\]]*+(?=\s)|\n")  # noqa: RUF001


def tokens(text: str) -> list[str]:
    """The words of a text, each with the white space before it; the last also with that behind."""
    spoken = text.rstrip()
    found = _TOKEN.findall(spoken)
    if not found:
        return [text] if text else []
    found[-1] += text[len(spoken) :]
    return found


def sentences(text: str, most: int) -> list[str]:
    """The text in pieces of at most `most` characters, cut behind sentences where that can be.

    Short sentences stay together; a sentence that is too long is cut between words, a word that
    is too long anywhere.
    """
    pieces: list[str] = []
    for sentence in _sentences(text):
        for part in _bounded(sentence, most):
            if pieces and len(pieces[-1]) + len(part) <= most:
                pieces[-1] += part
            else:
                pieces.append(part)
    return pieces


def _sentences(text: str) -> Iterator[str]:
    """Cut behind sentences and lines; white space at the end stays with the last of them."""
    n_spoken = len(text.rstrip())
    begin = 0
    for end in _SENTENCE_END.finditer(text, 0, n_spoken):
        yield text[begin : end.end()]
        begin = end.end()
    if begin < len(text):
        yield text[begin:]


def _bounded(sentence: str, most: int) -> list[str]:
    if len(sentence) <= most:
        return [sentence]
    return [
        token[cut : cut + most] for token in tokens(sentence) for cut in range(0, len(token), most)
    ]


def timed_words(text: str, marks: Sequence[tuple[int, int]], n_samples: int) -> tuple[Word, ...]:
    """Give every word of the text its start.

    `marks` are pairs of a character of the text (counted from 0) and the sample at which it is
    spoken, as far as the voice reported them, in any order and of any quality. A word without a
    mark of its own starts between its neighbours, in proportion to the characters; starts never
    go back and never pass `n_samples`.
    """
    known = _rising(marks, len(text), n_samples)
    places = [place for place, _ in known]
    words: list[Word] = []
    position = 0
    for token in tokens(text):
        begin = position + len(token) - len(token.lstrip())
        position += len(token)
        nearest = bisect_left(places, begin)
        if nearest < len(known) and known[nearest][0] < position:
            start = known[nearest][1]
        else:
            start = _between(known[nearest - 1], known[nearest], begin)
        words.append(Word(token, start if words else 0))
    return tuple(words)


def _rising(
    marks: Sequence[tuple[int, int]], n_characters: int, n_samples: int
) -> list[tuple[int, int]]:
    """The marks in order between the two that are certain: begin and end."""
    known = [(-1, 0)]
    for place, sample in sorted(marks):
        if known[-1][0] < place < n_characters and known[-1][1] <= sample <= n_samples:
            known.append((place, sample))
    known.append((n_characters, n_samples))
    return known


def _between(before: tuple[int, int], after: tuple[int, int], place: int) -> int:
    share = (place - before[0]) / max(1, after[0] - before[0])
    return before[1] + int(share * (after[1] - before[1]))
