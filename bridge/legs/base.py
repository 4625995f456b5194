"""What every end of a call promises, and what it gets from the relay.

A leg is one end of a call. It pushes what it hears into its outgoing lane, pulls what it shall play from its
incoming lane at its own tempo, and exchanges events with the other leg. It never waits for the other leg.

All times are the event loop's seconds (``loop.time()``); all audio is mono int16.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from bridge.audio.lane import Lane
from bridge.wire.messages import ClientMessage, ServerMessage, UnknownMessage

EndReason = Literal["hangup", "agent_hangup", "timeout", "connection_error", "system_error"]


@dataclass(frozen=True, slots=True)
class MessageEvent:
    """A data message for the other leg, in either direction (reference: the API's data messages)."""

    message: ClientMessage | ServerMessage | UnknownMessage


@dataclass(frozen=True, slots=True)
class Warned:
    """Something about this leg that the call's record should mention; the call goes on."""

    type: str
    text: str


@dataclass(frozen=True, slots=True)
class FarBroke:
    """The relay says: the other leg failed inside. A leg that closes tells its peer so."""


LegEvent: TypeAlias = MessageEvent | Warned | FarBroke


@dataclass(frozen=True, slots=True)
class Ended:
    """A leg is over. ``reason`` is the API's endReason; ``detail`` is a sentence for people, or empty."""

    reason: EndReason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Port:
    """What the relay gives a leg: its two lanes, the way to the other leg, and the far clear."""

    outgoing: Lane
    """This leg pushes here what it hears, at its ``source_hz``."""
    incoming: Lane
    """This leg pulls from here what it shall play, at its ``sink_hz``, and reports it to the lane's ledger."""
    emit: Callable[[LegEvent], None]
    """Hands an event to the other leg and to whoever watches the call."""
    clear_far: Callable[[], None]
    """Drops at once everything that was pushed but not yet heard: lane, far leg, ledger, in this order."""


class Leg(Protocol):
    """One end of a call."""

    @property
    def name(self) -> str:
        """A short name for logs and task names: ``file``, ``agent socket``."""
        ...

    @property
    def source_hz(self) -> int:
        """Rate of the audio that this leg gives, Hz."""
        ...

    @property
    def sink_hz(self) -> int:
        """Rate of the audio that this leg takes, Hz."""
        ...

    async def run(self, port: Port) -> Ended:
        """Serve this end until it is over; on cancellation, close it.

        A leg that breaks is over too: with ``connection_error`` or ``system_error`` as its reason.
        """
        ...

    def clear(self) -> None:
        """Drop what was taken from the lane but not yet heard. Never waits."""
        ...

    def receive(self, event: LegEvent) -> None:
        """Take an event of the other leg. Never waits."""
        ...

    async def drain(self) -> None:
        """Return when everything in the incoming lane has been heard."""
        ...
