"""Comparing what was said with the phrases that a step expects.

Case, punctuation and spacing do not count; contractions stay as they are written ("i'd" is one
word). A phrase is found when all its words stand in the text, one after the other.
"""

import re
from collections.abc import Iterable
from typing import Final

# An apostrophe belongs to its word only between two letters: 'yes' in quotes is "yes".
_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def normalised(text: str) -> str:
    """The words of `text` in lower case with single spaces: the form in which phrases compare."""
    return " ".join(_WORD.findall(text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()))


def find_phrase(text: str, phrases: Iterable[str]) -> str | None:
    """The longest of the (normalised) phrases that `text` contains, the first of equals."""
    padded = f" {normalised(text)} "
    found = (phrase for phrase in phrases if f" {phrase} " in padded)
    return max(found, key=len, default=None)
