"""What went wrong in a function that a user gave us, in one sentence."""

import traceback
from pathlib import Path
from typing import Final

LONGEST: Final = 300
"""Characters of an exception's own words that are repeated."""


def fault(error: BaseException) -> str:
    """Kind, words and innermost place of an error: ``ValueError: no such table (my_tools.py, line 12)``."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return said(error)
    return f"{said(error)} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"


def said(error: BaseException) -> str:
    """Kind and words of an error, on one line."""
    words = _words(error)
    return f"{type(error).__name__}: {words}" if words else type(error).__name__


def sentence(words: str, longest: int = LONGEST) -> str:
    """Words of a user's function on one line that UTF-8 can carry, cut to so many characters."""
    return " ".join(words[: 2 * longest].encode("utf-8", "replace").decode().split())[:longest]


def _words(error: BaseException) -> str:
    try:
        return sentence(str(error))
    except Exception:  # noqa: BLE001 - a user's class of errors may fail to say its own words
        return ""
