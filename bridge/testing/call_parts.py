"""What an emulated call and its carrier tell each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from bridge.testing.commands import Dialect, EndedBy, StreamEnd
from bridge.testing.shaped_socket import ShapedSocket
from bridge.testing.verbs import Redirect, Stream, Verb

if TYPE_CHECKING:
    from bridge.testing.phone_call import PhoneCall

Direction: TypeAlias = Literal["inbound", "outbound"]
Status: TypeAlias = Literal[
    "queued", "ringing", "in-progress", "completed", "busy", "no-answer", "failed", "canceled"
]
OVER: Final = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})


@dataclass(frozen=True, slots=True)
class CallEnd:
    """Who ended the call, and how, in words."""

    by: EndedBy
    how: str
    failed: bool = False
    """Whether the call never came to anything."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A media socket could not be opened: a sentence, and the carrier's code."""

    sentence: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A media socket is open."""

    socket: ShapedSocket
    dialect: Dialect
    stream_id: str


Order: TypeAlias = "CallEnd | Redirect | Sequence[Verb]"
"""What overtakes the document: the end, another document, or these verbs."""


class Exchange(Protocol):
    """What a call needs of its carrier."""

    def waits(self, call: "PhoneCall") -> bool:
        """Whether a call whose document is done stays up, or is hung up."""
        ...

    async def first(self, call: "PhoneCall") -> Sequence[Verb]:
        """The call comes in: what shall be done. Raises: WebhookFailed, DocumentError."""
        ...

    async def follow(self, call: "PhoneCall", redirect: Redirect) -> Sequence[Verb]:
        """Fetch another document. Raises: WebhookFailed, DocumentError."""
        ...

    async def open(self, call: "PhoneCall", stream: Stream) -> Opened | Refused:
        """Open a media socket."""
        ...

    async def fetch(self, url: str) -> bytes:
        """A recording. Raises: WebhookFailed."""
        ...

    async def told(self, call: "PhoneCall", status: Status) -> None:
        """The call's status has changed."""
        ...

    async def stream_told(
        self, call: "PhoneCall", stream: Stream, stream_id: str, end: StreamEnd | None
    ) -> None:
        """A stream has started (no end), failed or ended."""
        ...


@dataclass(slots=True, kw_only=True)
class CallFacts:
    """Who calls whom, and what the carrier knows about the call."""

    call_id: str
    direction: Direction
    from_number: str
    to_number: str
    more: dict[str, str] = field(default_factory=dict)
    """The carrier's own: URLs, further ids."""
