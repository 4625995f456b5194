"""What went wrong in a function that a user gave us, in one sentence."""

import traceback
from pathlib import Path
from typing import Final

LONGEST: Final = 300
"""Characters of an exception's own words that are repeated."""


def fault(error: BaseException) -> str:
    """Kind, words and innermost place of an error: ``ValueError: no such table (my_tools.py, line 12)``."""
    words = " ".join(str(error).split())[:LONGEST]
    said = f"{type(error).__name__}: {words}" if words else type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return said
    return f"{said} ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
