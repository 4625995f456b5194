"""The one seam between legs and WebSockets: messages out, messages in, one close.

Legs know nothing below this: whether it is a TCP connection or a pair in memory is another module's affair.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from bridge.wire.close_codes import BROKE_OFF, NORMAL, NOTHING_SAID, POLICY

KIB: Final = 1024
MIB: Final = 1024 * KIB

MAX_REASON_BYTES: Final = (
    123  # RFC 6455 section 5.5: control frames carry 125 bytes, 2 are the code
)


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What a peer may do before its socket is closed, and how long we wait for it."""

    max_message_bytes: int = 64 * KIB
    """A larger message, fragments together, closes with 1009."""
    max_fragments: int = 64
    """More fragments in one message close with 1009."""
    max_control_per_s: int = 50
    """More pings and pongs within one second close with 1008."""
    max_kept_messages: int = 256
    """Messages that may wait for `start`; one more closes with 1008."""
    max_kept_bytes: int = 1 * MIB
    """Bytes that may wait for `start`; one more closes with 1008."""
    max_buffered_bytes: int = 1 * MIB
    """Bytes that may wait for the kernel; one more closes with 1013."""
    stall_s: float = 10.0
    """How long a blocked peer may take nothing at all before it is closed with 1013."""
    ping_s: float = 20.0
    """How often we ping, and how long a peer may then stay silent before that ping counts as unanswered."""
    max_unanswered: int = 1
    """So many pings in a row without any sign of life, and the peer counts as lost."""
    close_s: float = 5.0
    """How long the closing handshake may take before the connection is cut."""


SERVER_LIMITS: Final = SocketLimits()
CLIENT_LIMITS: Final = SocketLimits(
    max_message_bytes=1 * MIB,
    max_fragments=1024,
    # A server may send its whole client buffer, 30 s of frames, before our side has begun to listen.
    max_kept_messages=16_384,
    max_kept_bytes=4 * MIB,
)


class SocketReceiver(Protocol):
    """Who gets the messages of a socket. What it raises closes the socket with 1011 and is logged."""

    def on_text(self, text: str) -> None:
        """A text message."""
        ...

    def on_bytes(self, data: bytes) -> None:
        """A binary message."""
        ...

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        """The socket is over: called exactly once, and last.

        The code is the peer's if the peer closed first (1005: it gave none), ours if this end did (`ours`),
        1006 if the connection was lost; the reason is the sentence that came with it, or says how it was lost.
        """
        ...


class MediaSocket(Protocol):
    """One end of an open WebSocket. Nothing here ever waits."""

    def start(self, receiver: SocketReceiver) -> None:
        """Hand messages to the receiver from now on, first those that came before, in order.

        The receiver is called from the event loop, never from within `start`.
        """
        ...

    def send_text(self, text: str) -> None:
        """Send a text message; ignored once the socket is closing."""
        ...

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message; ignored once the socket is closing."""
        ...

    def close(self, code: int = NORMAL, reason: str = "") -> None:
        """Begin the closing handshake. No message is delivered any more; `on_close` still comes."""
        ...

    @property
    def buffered_bytes(self) -> int:
        """Bytes sent that neither the kernel nor the peer has taken yet."""
        ...

    @property
    def peer(self) -> str:
        """The other end, printable, without secrets."""
        ...


Connect: TypeAlias = Callable[[str], Awaitable[MediaSocket]]
"""Opens a WebSocket to a URL. Raises JoinRefused with a sentence that says why it could not."""


def send_message(socket: MediaSocket, message: str | bytes) -> None:
    """Send a message as text or as bytes, whichever it is."""
    if isinstance(message, str):
        socket.send_text(message)
    else:
        socket.send_bytes(message)


def fit_reason(reason: str) -> str:
    """Cut a close reason to what a close frame can carry, at a character's edge."""
    return reason.encode(errors="replace")[:MAX_REASON_BYTES].decode(errors="ignore")


def fit_code(code: int) -> int:
    """The code itself if RFC 6455 section 7.4 lets us send it, else 1008."""
    sendable = 1000 <= code <= 1014 and code not in {1004, NOTHING_SAID, BROKE_OFF}
    return code if sendable or 3000 <= code <= 4999 else POLICY
