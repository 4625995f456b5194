"""The front door: one listener, REST and media sockets on one port.

It owns what neither side may decide alone: who may connect, how slowly a request may come, which hosts are
served, what is refused before an upgrade, and how the service ends. Signals are the caller's affair.
"""

import asyncio
import os
import ssl as tls
from collections import Counter
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING, Any, Final

from bridge.clock import Clock, wall_clock
from bridge.errors import UsageError
from bridge.gateway.door import MAX_REFUSALS, DoorLimits, Visitor
from bridge.gateway.host_guard import HostGuard
from bridge.gateway.host_policy import HostPolicy
from bridge.gateway.media_route import MediaRoute
from bridge.gateway.proxies import NO_PROXIES, TrustedProxies
from bridge.gateway.rest import RestServer
from bridge.gateway.visit import Visit

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_BACKLOG: Final = 512


class FrontDoor:
    """Serves an ASGI application and media routes until it is closed.

    Args:
        app: answers everything that is no media socket.
        media_routes: where upgrade requests go; the first whose path matches.
        policy: which Host and Origin are served.
        ssl: serve https and wss with this context.
        limits: what clients may do.
        proxies: whose word about clients is taken.
        clock: stamps the Date header.
    """

    def __init__(  # noqa: PLR0913 - each is a seam of its own
        self,
        app: "ASGIApp",
        media_routes: Sequence[MediaRoute],
        policy: HostPolicy,
        ssl: tls.SSLContext | None = None,
        *,
        limits: DoorLimits | None = None,
        proxies: TrustedProxies = NO_PROXIES,
        clock: Clock = wall_clock,
    ) -> None:
        self.policy = policy
        self.limits = limits or DoorLimits()
        self.secure = ssl is not None
        self.proxies = proxies
        self.rest = RestServer(HostGuard(app, policy, proxies), clock, self.limits.head.max_bytes)
        self._routes = tuple(media_routes)
        self._ssl = ssl
        self._server: asyncio.Server | None = None
        self._visits: set[Visitor] = set()
        self._waiting: dict[Visitor, None] = {}
        """Those that owe a request, the one that has owed longest first."""
        self._sources: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()
        self._empty = asyncio.Event()

    @property
    def n_connections(self) -> int:
        """How many connections are open."""
        return len(self._visits)

    async def start(self, host: str, port: int) -> int:
        """Listen; the port it is, which port 0 leaves to the system.

        Raises: UsageError if the address cannot be had; BridgeError if the application does not start.
        """
        loop = asyncio.get_running_loop()
        await self.rest.start()
        try:
            self._server = await loop.create_server(
                lambda: Visit(self),
                host,
                port,
                ssl=self._ssl,
                backlog=_BACKLOG,
                ssl_handshake_timeout=self.limits.request_s if self._ssl else None,
            )
        except OSError as error:
            await self.rest.stop()
            raise UsageError(f"cannot listen on {host} port {port}: {_why(error)}") from error
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self, grace_s: float = 10.0) -> None:
        """Take nobody in any more, let running requests finish, close media sockets with 1001.

        What has not come to its end after the grace is cut off.
        """
        if self._server is None:
            return
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        for visit in list(self._visits):
            visit.end()
        await self._wait_until_empty(grace_s)
        for visit in list(self._visits):
            visit.abort()
        await self._wait_until_empty(grace_s)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.rest.stop()
        await self._server.wait_closed()
        self._server = None

    # What a visit needs

    def enter(self, visit: Visitor) -> tuple[int, str] | None:
        """See Door."""
        self._visits.add(visit)
        self._empty.clear()
        self._sources[_network(visit.source)] += 1
        if len(self._visits) > self.limits.max_connections:
            return 503, "Too many connections are open."
        return self._judge(visit.source)

    def overrun(self) -> bool:
        """See Door."""
        return len(self._visits) > self.limits.max_connections + MAX_REFUSALS

    def recount(self, visit: Visitor, source: str) -> tuple[int, str] | None:
        """See Door."""
        self._forget_source(visit)
        visit.source = source
        self._sources[_network(source)] += 1
        return self._judge(source)

    def wait(self, visit: Visitor) -> None:
        """See Door. Half-sent requests must not take the places of those that come whole (reliability section 5)."""
        self._waiting.pop(visit, None)
        self._waiting[visit] = None
        if len(self._waiting) > self.limits.max_waiting:
            oldest = next(iter(self._waiting))
            self.received(oldest)
            oldest.give_way()

    def received(self, visit: Visitor) -> None:
        """See Door."""
        self._waiting.pop(visit, None)

    def settle(self, visit: Visitor) -> None:
        """See Door. A media socket counts no more for its source: carriers call from a few addresses."""
        self._forget_source(visit)

    def leave(self, visit: Visitor) -> None:
        """See Door."""
        self._visits.discard(visit)
        self.received(visit)
        self._forget_source(visit)
        if not self._visits:
            self._empty.set()

    def route(self, path: str) -> MediaRoute | None:
        """See Door."""
        return next((route for route in self._routes if route.path.fullmatch(path)), None)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """See Door."""
        loop = asyncio.get_running_loop()
        task = loop.create_task(work, name="admit a media socket")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _judge(self, source: str) -> tuple[int, str] | None:
        if self._sources[_network(source)] > self.limits.max_per_source and self._counts(source):
            return 429, "Too many connections are open from your address."
        return None

    def _counts(self, source: str) -> bool:
        if self.proxies.trusts(source):
            return False
        with suppress(ValueError):
            return self.limits.count_loopback or not ip_address(source).is_loopback
        return True

    def _forget_source(self, visit: Visitor) -> None:
        source, visit.source = _network(visit.source), ""
        self._sources[source] -= 1
        if not self._sources[source] > 0:
            del self._sources[source]

    async def _wait_until_empty(self, grace_s: float) -> None:
        if self._visits:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), grace_s)


def _network(source: str) -> str:
    """What an address is counted as: IPv6 gives everybody 2**64 of them."""
    if ":" not in source:
        return source
    try:
        address = IPv6Address(source)
    except ValueError:
        return source
    inside = address.ipv4_mapped
    return str(IPv6Network((int(address), 64), strict=False)) if inside is None else str(inside)


def _why(error: OSError) -> str:
    """The system's own words; asyncio wraps them into a sentence that says the address again."""
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)
