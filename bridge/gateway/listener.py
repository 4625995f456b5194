"""A call server behind the front door: REST, join URLs and health on one port."""

import ssl as tls
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from bridge.calls.errors import CallError
from bridge.calls.service import CallService
from bridge.gateway.front_door import FrontDoor
from bridge.gateway.host_policy import HostPolicy
from bridge.gateway.join_route import JOIN_PATH, claim, parse_target
from bridge.gateway.media_route import Admission, Admit, Knock, MediaRoute, UpgradeRefused
from bridge.gateway.server import CallServer

GRACE_S: Final = 10.0


@asynccontextmanager
async def listening(
    server: CallServer,
    *,
    host: str,
    port: int,
    keyed: bool = False,
    ssl: tls.SSLContext | None = None,
) -> AsyncIterator[int]:
    """Serve for the time of the context; gives the port, which 0 leaves to the system.

    Without keys only this machine's own names are served, so that no web page can reach a local server.

    Raises: UsageError if the address cannot be had.
    """
    policy = HostPolicy(loopback_only=not keyed)
    door = FrontDoor(server.app, [join_route(server.service)], policy, ssl)
    yielded = await door.start(host, port)
    try:
        yield yielded
    finally:
        await server.service.close()
        await door.close(GRACE_S)


def join_route(service: CallService) -> MediaRoute:
    """The media route of ``serverWebSocket`` join URLs."""
    return MediaRoute(JOIN_PATH, _admit(service))


def _admit(service: CallService) -> Admit:
    async def admit(knock: Knock) -> Admission:
        wanted = parse_target(knock.target)
        if wanted is None:
            raise UpgradeRefused(404, "There is nothing to join at this address.")
        try:
            joining = await claim(service, wanted)
        except CallError as exc:
            raise UpgradeRefused(exc.status, str(exc)) from None
        return Admission(joining.take)

    return admit
