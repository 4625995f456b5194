"""A call server behind the front door: REST, join URLs, media sockets and health on one port."""

import ssl as tls
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bridge.calls.errors import CallError
from bridge.calls.service import CallService
from bridge.gateway.door import DoorLimits
from bridge.gateway.front_door import FrontDoor
from bridge.gateway.host_policy import HostPolicy
from bridge.gateway.join_route import JOIN_PATH, claim, parse_target
from bridge.gateway.media_route import Admission, Admit, Knock, MediaRoute, UpgradeRefused
from bridge.gateway.proxies import NO_PROXIES, TrustedProxies
from bridge.gateway.public_url import PublicUrl
from bridge.gateway.room_route import room_routes
from bridge.gateway.server import CallServer

if TYPE_CHECKING:
    from starlette.types import ASGIApp

GRACE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """Who is served, and how they come."""

    keyed: bool = False
    """Whether API keys are set. Without, only this machine's own names are served, so that no web page can reach a
    local server."""
    allowed_hosts: frozenset[str] = frozenset()
    """With keys: which host names are served; none given: all."""
    proxies: TrustedProxies = NO_PROXIES
    """Whose word about clients is taken."""
    ssl: tls.SSLContext | None = None
    """Serve https and wss with this context."""
    limits: DoorLimits = field(default_factory=DoorLimits)
    """What clients may do."""


def front_door(
    server: CallServer,
    exposure: Exposure,
    *,
    app: "ASGIApp | None" = None,
    routes: Sequence[MediaRoute] = (),
) -> FrontDoor:
    """The door of a call server, not yet open.

    Args:
        server: its REST application and join URLs are served.
        exposure: who is served.
        app: what stands before the REST application; None: nothing.
        routes: further places where media sockets are taken.
    """
    policy = HostPolicy(
        loopback_only=not exposure.keyed,
        allowed_hosts=exposure.allowed_hosts if exposure.keyed else frozenset(),
    )
    everywhere = [join_route(server.service, server.public), *room_routes(server), *routes]
    return FrontDoor(
        app or server.app,
        everywhere,
        policy,
        exposure.ssl,
        limits=exposure.limits,
        proxies=exposure.proxies,
    )


@asynccontextmanager
async def listening(
    server: CallServer, *, host: str, port: int, door: FrontDoor | None = None
) -> AsyncIterator[int]:
    """Serve for the time of the context; gives the port, which 0 leaves to the system.

    Args:
        server: a call server; its calls are ended before the door closes.
        host: address to listen on.
        port: port to listen on.
        door: its front door; None: one for this machine alone.

    Raises: UsageError if the address cannot be had.
    """
    door = door or front_door(server, Exposure())
    yielded = await door.start(host, port)
    try:
        yield yielded
    finally:
        await server.service.close()
        await door.close(GRACE_S)


def join_route(service: CallService, public: PublicUrl) -> MediaRoute:
    """The media route of join URLs."""
    return MediaRoute(JOIN_PATH, _admit(service, public))


def _admit(service: CallService, public: PublicUrl) -> Admit:
    async def admit(knock: Knock) -> Admission:
        wanted = parse_target(knock.target)
        if wanted is None:
            raise UpgradeRefused(404, "There is nothing to join at this address.")
        try:
            base = public.sockets(knock.headers.get("host", ""), secure=knock.secure)
            joining = await claim(service, wanted, base)
        except CallError as exc:
            raise UpgradeRefused(exc.status, str(exc)) from None
        return Admission(joining.take)

    return admit
