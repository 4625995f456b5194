"""What a carrier's media socket is about, in the words of no carrier: commands in, and how each carrier says the rest.

A dialect is one carrier's messages without a socket and without a clock; `bridge.testing.stream` drives it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from bridge.testing.playout import Playout
from bridge_codecs.pcm import Int16

Message: TypeAlias = str | bytes


# What the application may ask for, in the words of no carrier


@dataclass(frozen=True, slots=True)
class Play:
    """Play this to the caller: mono int16 at the dialect's ``played_hz``."""

    samples: Int16


@dataclass(frozen=True, slots=True)
class Mark:
    """Tell when all audio before this has been played."""

    name: str


@dataclass(frozen=True, slots=True)
class Clear:
    """Drop what has not been played."""


@dataclass(frozen=True, slots=True)
class DropMarks:
    """Forget the marks that wait; the audio is played all the same."""


@dataclass(frozen=True, slots=True)
class Digits:
    """Press keys towards the caller."""

    digits: str


@dataclass(frozen=True, slots=True)
class HangUp:
    """End the phone call."""

    how: str


@dataclass(frozen=True, slots=True)
class EndStream:
    """End the stream in the carrier's own way; the call may go on."""

    how: str


@dataclass(frozen=True, slots=True)
class Connect:
    """Connect the caller to somebody else; the stream ends."""

    target: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Stop or go on playing what waits."""

    paused: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """The carrier answers with this."""

    message: Message


@dataclass(frozen=True, slots=True)
class Wrong:
    """The application broke the protocol; with a code of the carrier's the stream ends by it."""

    sentence: str
    ends_with: str = ""


Command: TypeAlias = (
    Play | Mark | Clear | DropMarks | Digits | HangUp | EndStream | Connect | Hold | Answer | Wrong
)
EndedBy: TypeAlias = Literal["application", "caller", "carrier", "network"]


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """How a stream ended."""

    by: EndedBy
    how: str
    error: str = ""
    """The carrier's code for it."""
    hang_up: bool = False
    """The phone call ends by it."""
    connect_to: str = ""
    """Whom the caller is connected to by it."""


class Dialect(Protocol):
    """One carrier's messages on its media socket. It has no clock and no socket."""

    said_hz: int
    """Of the caller's audio, for the application, Hz."""
    played_hz: int
    """Of the application's audio, Hz."""

    overflow: str
    """The carrier's number for audio that is lost because the application does not read; empty: none."""

    @property
    def ready(self) -> bool:
        """Whether the application may get audio by now."""
        ...

    def opening(self) -> Sequence[Message]:
        """The first messages, at once after the handshake."""
        ...

    def said(self, samples: Int16) -> Sequence[Message]:
        """What the caller said in one packet."""
        ...

    def key(self, digit: str) -> Sequence[Message]:
        """The caller pressed a key."""
        ...

    def read(self, message: Message) -> Sequence[Command]:
        """What a message of the application asks for."""
        ...

    def reached(self, mark: str) -> Sequence[Message]:
        """The audio before a mark has been played."""
        ...

    def cleared(self, marks: Sequence[str]) -> Sequence[Message]:
        """The buffer was cleared, with these marks in it."""
        ...

    def progress(self, playout: Playout) -> Sequence[Message]:
        """After each packet: what the carrier tells of its buffer."""
        ...

    def closing(self, end: StreamEnd) -> Sequence[Message]:
        """The last messages before the carrier closes."""
        ...

    def farewell_s(self, end: StreamEnd) -> float:
        """How long the carrier waits for the application's last word before it closes, s."""
        ...
