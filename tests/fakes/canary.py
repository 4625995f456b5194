"""Finds secrets in logs (promise S10 of the reliability reference).

Tests put `CANARY-…` where a secret or a telephone number belongs. Every log record that is made during the run
is searched for it, whatever handler would have got it, and so are the exceptions logged with it.
"""

import logging
from typing import Any, Final

SECRET: Final = "CANARY-"


class CanaryWatch:
    """Searches every log record between `install` and `remove`; `take()` gives what was found."""

    def __init__(self) -> None:
        self._found: list[str] = []
        self._factory = logging.getLogRecordFactory()

    def install(self) -> None:
        """Begin; our own loggers say everything they have to say."""
        logging.setLogRecordFactory(self._make)
        logging.getLogger("bridge").setLevel(logging.DEBUG)

    def remove(self) -> None:
        """End."""
        logging.setLogRecordFactory(self._factory)

    def take(self) -> list[str]:
        """What was found since the last time."""
        found, self._found = self._found, []
        return found

    def _make(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._factory(*args, **kwargs)
        if SECRET in _text(record):
            self._found.append(f"a secret in the log: {record.name}: {_text(record)}")
        return record


def _text(record: logging.LogRecord) -> str:
    try:
        text = record.getMessage()
    except (TypeError, ValueError):
        text = f"{record.msg} {record.args}"
    error = record.exc_info[1] if record.exc_info else None
    while error is not None:
        # Not the traceback: it quotes source lines, and in a test these may name the secret.
        text += f" {error!r}"
        error = error.__cause__ or error.__context__
    return text
