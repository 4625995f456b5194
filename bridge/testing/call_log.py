"""What happened in one emulated call, with instants, so that every claim about it can be checked."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

MAX_HAPPENINGS: Final = 100_000
MAX_PROBLEMS: Final = 100


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened."""

    at_s: float
    """Of the event loop's clock, s."""
    what: str
    details: Mapping[str, object]


class CallLog:
    """Happenings in order, and what the application did wrong, in sentences.

    Args:
        now: the event loop's time.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.happenings: list[Happening] = []
        self.problems: list[str] = []
        """Mistakes of the application, each sentence once."""
        self.notes: list[str] = []
        """What its user should know, though nothing is wrong."""
        self._now = now

    def note(self, what: str, **details: object) -> None:
        """Write down what happens now; the end of an endless call is not kept."""
        if len(self.happenings) < MAX_HAPPENINGS:
            self.happenings.append(Happening(self._now(), what, details))

    def problem(self, sentence: str) -> None:
        """The application did something that the carrier does not take, or only a lenient one."""
        self.note("problem", sentence=sentence)
        if sentence not in self.problems and len(self.problems) < MAX_PROBLEMS:
            self.problems.append(sentence)

    def remark(self, sentence: str) -> None:
        """Something worth knowing."""
        if sentence not in self.notes:
            self.notes.append(sentence)

    def of(self, what: str) -> Iterator[Happening]:
        """Everything of one kind, in order."""
        return (each for each in self.happenings if each.what == what)

    def count(self, what: str) -> int:
        """How often it happened."""
        return sum(1 for _ in self.of(what))

    def first(self, what: str) -> Happening | None:
        """The first of a kind."""
        return next(self.of(what), None)
