"""Logging: one format, no personal data, one record one line.

Numbers, keys, join URLs and what people said never go into a log; what might hold them is wrapped in `Redacted`.
Control characters of foreign text are escaped, so that a log has as many lines as it has records.
"""

import logging
import re
import sys
import traceback
from typing import Final

FORMAT: Final = "%(asctime)s %(levelname)-7s %(name)s %(message)s"
_CONTROL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_SHOWN: Final = 4


class Redacted:
    """Wraps what must not be read in a log; enough stays to tell two of them apart."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __str__(self) -> str:
        return f"…{self._text[-_SHOWN:]}" if len(self._text) > 2 * _SHOWN else "…"

    __repr__ = __str__


class OneLine(logging.Formatter):
    """A formatter whose every record is one line, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The record, with control characters escaped."""
        return printable(super().format(record))


def printable(text: str) -> str:
    """Foreign text on one line, unable to speak to a terminal: control characters are escaped."""
    return _CONTROL.sub(_escaped, text)


def whereabouts(error: BaseException) -> str:
    """Of what kind an error is and where it came from, without its words: they may hold what was said."""
    frames = traceback.extract_tb(error.__traceback__)
    places = (f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in reversed(frames))
    return " < ".join((type(error).__name__, *places))


def set_up(*, verbose: bool) -> None:
    """Log to standard error: warnings, or everything of ours when verbose."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(FORMAT))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("bridge").setLevel(logging.DEBUG if verbose else logging.INFO)


def _escaped(match: re.Match[str]) -> str:
    return match.group().encode("unicode_escape").decode("ascii")
