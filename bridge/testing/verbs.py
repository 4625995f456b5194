"""What an answer document can ask a carrier to do, in the words of no carrier."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Stream:
    """Open a media socket both ways, and go on when it is over."""

    url: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    """What else the carrier's document says of it, by the carrier's own names."""


@dataclass(frozen=True, slots=True)
class PlayRecording:
    """Fetch a recording and play it."""

    url: str


@dataclass(frozen=True, slots=True)
class PlayKeys:
    """Press keys towards the far side."""

    digits: str


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text: here a tone as long as that takes."""

    text: str


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Dial:
    """Connect the caller to somebody else."""

    target: str


@dataclass(frozen=True, slots=True)
class Reject:
    """Do not answer the call."""

    status: str
    """What becomes of the call: ``busy`` or ``no-answer``."""


@dataclass(frozen=True, slots=True)
class PickUp:
    """Answer the call."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Hang up."""


@dataclass(frozen=True, slots=True)
class Redirect:
    """Go on with another document."""

    url: str
    method: str = "POST"


Verb: TypeAlias = (
    Stream | PlayRecording | PlayKeys | Say | Pause | Dial | Reject | PickUp | Leave | Redirect
)


class DocumentError(ValueError):
    """An answer document cannot be carried out; `code` is the carrier's number for it."""

    def __init__(self, sentence: str, code: str = "") -> None:
        super().__init__(sentence)
        self.code = code
