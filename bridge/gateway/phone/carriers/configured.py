"""The carriers of a configuration for as long as a service runs, with the clients of their APIs."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final, TypeAlias

import httpx

from bridge.clock import Clock, wall_clock
from bridge.config import Config
from bridge.gateway.phone.carriers.base import Carrier
from bridge.gateway.phone.carriers.make import CarrierMaker, HttpFactory
from bridge.gateway.public_url import PublicUrl
from bridge.ids import Ids
from bridge.wire.carriers.base import CarrierName

HTTP_TIMEOUT_S: Final = 30.0
Carriers: TypeAlias = Mapping[CarrierName, Carrier]


def real_http(base_url: str) -> httpx.AsyncClient:
    """A client on real sockets. A carrier's API is no place to be reached by a proxy that the environment names."""
    return httpx.AsyncClient(base_url=base_url, timeout=HTTP_TIMEOUT_S, trust_env=False)


class Clients:
    """One HTTP client for each address.

    Args:
        make: makes them.
        stack: closes them.
    """

    def __init__(self, make: HttpFactory, stack: AsyncExitStack) -> None:
        self._make = make
        self._stack = stack
        self._made: dict[str, httpx.AsyncClient] = {}

    def __call__(self, base_url: str) -> httpx.AsyncClient:
        """See HttpFactory."""
        if base_url not in self._made:
            self._made[base_url] = client = self._make(base_url)
            self._stack.push_async_callback(client.aclose)
        return self._made[base_url]


@asynccontextmanager
async def configured_carriers(
    config: Config,
    *,
    http: HttpFactory = real_http,
    clock: Clock = wall_clock,
    ids: Ids | None = None,
) -> AsyncIterator[Carriers]:
    """The carriers for the time of the context; made off the loop, which key files and clients would hold up.

    Raises: ConfigError.
    """
    public = PublicUrl(config.server.public_url)
    public_url = public.web("", secure=True) if public.configured else ""
    async with AsyncExitStack() as stack:
        maker = CarrierMaker(Clients(http, stack), clock, ids or Ids(), public_url)
        insecure = config.phone.insecure
        make = partial(maker.make, config.carriers, config.audiosocket, insecure=insecure)
        yield await asyncio.get_running_loop().run_in_executor(None, make)
