"""A call server used from within its own process: REST through ASGI, join URLs through sockets in memory.

What virtual time uses, and the gateway for its own calls: no port, no copy of the audio through the kernel.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import httpx
from pydantic import SecretStr

from bridge.calls.errors import CallError
from bridge.client import CallApi
from bridge.errors import JoinRefused
from bridge.gateway.join_route import claim, parse_target
from bridge.gateway.server import CallServer
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair

IN_PROCESS_URL: Final = "http://tipring.local"
_JOIN_FOLDER: Final = "/calls/"


@asynccontextmanager
async def in_process(
    server: CallServer, api_key: SecretStr | None = None
) -> AsyncIterator[CallApi]:
    """A client of the call server; `api_key`: one of its own, where it has any."""
    headers = {} if api_key is None else {"X-API-Key": api_key.get_secret_value()}
    transport = httpx.ASGITransport(app=server.app)
    async with httpx.AsyncClient(
        transport=transport, base_url=IN_PROCESS_URL, headers=headers
    ) as http:
        yield CallApi(http, lambda url: join_in_memory(server, url))


async def join_in_memory(server: CallServer, url: str) -> MediaSocket:
    """Join a call of this server by its URL, whatever address the server is reached at. Raises: JoinRefused."""
    target = parse_target(_without_prefix(url))
    if target is None:
        raise JoinRefused(f"there is nothing to join at this address of {IN_PROCESS_URL}")
    if target.kind == "webrtc":
        raise JoinRefused("a call over WebRTC is joined over the network, not in memory")
    try:
        joining = await claim(server.service, target)
    except CallError as exc:
        raise JoinRefused(f"the server refused the join with {exc.status}: {exc}") from None
    ours, theirs = memory_pair(asyncio.get_running_loop())
    joining.take(theirs)
    return ours


def _without_prefix(url: str) -> str:
    """The path that the server itself sees: a proxy's prefix is part of the public address only."""
    try:
        path = urlsplit(url).path
    except ValueError:  # half an IPv6 address
        return ""
    _, folder, rest = path.partition(_JOIN_FOLDER)
    return folder + rest
