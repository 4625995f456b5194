"""What a visit needs of the front door, and the limits that the door sets."""

from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from bridge.gateway.host_policy import HostPolicy
from bridge.gateway.media_route import MediaRoute
from bridge.gateway.proxies import TrustedProxies
from bridge.gateway.request_head import HeadLimits
from bridge.gateway.rest import RestServer

MAX_CONNECTIONS: Final = 5000
MAX_WAITING: Final = 500
MAX_REFUSALS: Final = 32
"""So many beyond the most are told why at the same time; further ones are cut off."""


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """What one client, and all together, may do to the front door."""

    head: HeadLimits = field(default_factory=HeadLimits)
    request_s: float = 10.0
    """From a request's first byte to its last, body included; then 408. Also from connecting to the first byte."""
    idle_s: float = 15.0
    """How long a connection may rest between two requests."""
    stall_s: float = 9.0
    """How long a client may take nothing of a response that waits for it: the connection is gone 11 s after its
    request (promise S5), though a response is a second late in a crowd and it is looked at twice a second."""
    admit_s: float = 10.0
    """How long the decision about a media socket may take."""
    linger_s: float = 0.5
    """How long a refused client gets to read why."""
    max_connections: int = MAX_CONNECTIONS
    """All connections, media sockets included."""
    max_waiting: int = MAX_WAITING
    """Connections whose next request has not come whole, idle ones too; one more, and the oldest has to go."""
    max_per_source: int = 50
    """Connections from one address that are no media sockets; behind a trusted proxy, the address that it tells. Of
    IPv6, from one network of 64 bits: the least that anybody has."""
    count_loopback: bool = False
    """Whether `max_per_source` holds for this machine too, where a proxy would be the source of everything."""


class Visitor(Protocol):
    """A connection, as the door sees it."""

    source: str
    """Its address; empty once it counts for none."""

    def end(self) -> None:
        """Come to an end: finish what is being answered, close everything else."""
        ...

    def abort(self) -> None:
        """Cut the connection."""
        ...

    def give_way(self) -> None:
        """Leave to another, with what is still on its way out."""
        ...


class Door(Protocol):
    """What a visit needs of the front door."""

    policy: HostPolicy
    limits: DoorLimits
    proxies: TrustedProxies
    secure: bool
    rest: RestServer

    def enter(self, visit: Visitor) -> tuple[int, str] | None:
        """Count a visit in; status and sentence if there are too many."""
        ...

    def overrun(self) -> bool:
        """Whether so many are being refused that there is no time for words."""
        ...

    def recount(self, visit: Visitor, source: str) -> tuple[int, str] | None:
        """Count a visit for this address from now on; status and sentence if there are too many of it."""
        ...

    def wait(self, visit: Visitor) -> None:
        """A visit owes a request from now on, until `received`; the one that has owed longest may have to go."""
        ...

    def received(self, visit: Visitor) -> None:
        """The request of a visit has come whole."""
        ...

    def settle(self, visit: Visitor) -> None:
        """A visit has become a media socket."""
        ...

    def leave(self, visit: Visitor) -> None:
        """A visit is over."""
        ...

    def route(self, path: str) -> MediaRoute | None:
        """Where media sockets of this path go."""
        ...

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a task until it ends or the door closes."""
        ...
