"""What lies between a carrier and the application: HTTP and media sockets, real or in virtual time."""

import asyncio
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

import httpx

from bridge.errors import JoinRefused
from bridge.gateway.media_route import Knock, MediaRoute, UpgradeRefused
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.legs.picows_socket import connect
from bridge.testing.tcp_socket import connect_tcp

if TYPE_CHECKING:
    from starlette.types import ASGIApp

CARRIER_ADDRESS: Final = "198.51.100.7"
"""Where the emulated carrier's connections seem to come from in virtual time (RFC 5737)."""
_WEB_SCHEMES: Final = {"ws": "http", "wss": "https"}


class Network(Protocol):
    """The carrier's way to the application."""

    async def connect(
        self, url: str, headers: Mapping[str, str], subprotocols: Sequence[str] = ()
    ) -> MediaSocket:
        """Open a media socket. Raises: JoinRefused with one sentence."""
        ...

    def http(self, base_url: str) -> httpx.AsyncClient:
        """A client for this scheme, host and port; it stays the network's."""
        ...

    async def close(self) -> None:
        """Give back what was opened."""
        ...


class _Clients:
    """One HTTP client for each base URL."""

    def __init__(self) -> None:
        self._clients: dict[str, httpx.AsyncClient] = {}

    def http(self, base_url: str) -> httpx.AsyncClient:
        """See Network."""
        if base_url not in self._clients:
            self._clients[base_url] = self._make(base_url)
        return self._clients[base_url]

    async def close(self) -> None:
        """See Network."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    def _make(self, base_url: str) -> httpx.AsyncClient:
        trusted = ssl.create_default_context()  # as for media sockets: SSL_CERT_FILE counts
        return httpx.AsyncClient(base_url=base_url, trust_env=False, verify=trusted)


class RealNetwork(_Clients):
    """Real sockets. A proxy of the environment is no carrier's way, so it is not taken."""

    async def connect(
        self, url: str, headers: Mapping[str, str], subprotocols: Sequence[str] = ()
    ) -> MediaSocket:
        """See Network."""
        if url.startswith("tcp://"):
            return await connect_tcp(url)
        return await connect(url, headers=headers, subprotocols=subprotocols)


@dataclass(frozen=True, slots=True)
class Site:
    """One application in virtual time: an ASGI application and media routes, as behind a front door."""

    app: "ASGIApp | None" = None
    routes: Sequence[MediaRoute] = ()
    take: Callable[[MediaSocket], None] | None = None
    """Gets connections, where it listens for bare TCP (``tcp://bridge.example:9092``): bytes without messages."""


class VirtualNetwork(_Clients):
    """Applications in this process, by their base URL (``https://bridge.example``)."""

    def __init__(self, sites: Mapping[str, Site] | None = None) -> None:
        super().__init__()
        self.sites = dict(sites or {})

    async def connect(
        self, url: str, headers: Mapping[str, str], subprotocols: Sequence[str] = ()
    ) -> MediaSocket:
        """See Network; the route's `admit` is asked, and gets its end of a pair in memory."""
        parts = urlsplit(url)
        if parts.scheme == "tcp":
            return self._join(f"tcp://{parts.netloc}")
        base = f"{_WEB_SCHEMES.get(parts.scheme, '')}://{parts.netloc}"
        route = self._route(base, parts.path)
        sent = {name.lower(): value for name, value in headers.items()}
        sent |= {"host": parts.netloc, "upgrade": "websocket"}
        if subprotocols:
            sent["sec-websocket-protocol"] = ", ".join(subprotocols)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        knock = Knock(target, sent, CARRIER_ADDRESS, parts.scheme == "wss")
        try:
            admission = await route.admit(knock)
        except UpgradeRefused as refused:
            raise JoinRefused(
                f"{parts.netloc} refused the upgrade with {refused.status}: {refused.detail}"
            ) from None
        ours, theirs = memory_pair(asyncio.get_running_loop(), server_limits=route.limits)
        admission.take(theirs)
        return ours

    def _join(self, base: str) -> MediaSocket:
        site = self.sites.get(base)
        if site is None or site.take is None:
            raise JoinRefused(f"there is nobody at {base}")
        ours, theirs = memory_pair(asyncio.get_running_loop())
        site.take(theirs)
        return ours

    def _route(self, base: str, path: str) -> MediaRoute:
        site = self.sites.get(base)
        if site is None:
            raise JoinRefused(f"there is nobody at {base}")
        for route in site.routes:
            if route.path.fullmatch(path):
                return route
        raise JoinRefused(f"{base} refused the upgrade with 404")

    def _make(self, base_url: str) -> httpx.AsyncClient:
        site = self.sites.get(base_url.rstrip("/"))
        if site is None or site.app is None:
            return httpx.AsyncClient(base_url=base_url, transport=_Nobody())
        transport = httpx.ASGITransport(app=site.app, client=(CARRIER_ADDRESS, 40_000))
        return httpx.AsyncClient(base_url=base_url, transport=transport)


class _Nobody(httpx.AsyncBaseTransport):
    """An address where nobody listens."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("there is nobody at this address", request=request)
