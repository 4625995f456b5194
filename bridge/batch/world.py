"""Where a call takes place: in process on the virtual clock, on loopback sockets, or at somebody else's API."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from bridge.batch.plan import CallPlan
from bridge.brains.registry import Brains
from bridge.calls.errors import CallError
from bridge.client import CallApi
from bridge.errors import JoinRefused, UsageError
from bridge.gateway.join_route import claim, parse_target
from bridge.gateway.listener import listening
from bridge.gateway.server import CallServer, call_server
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.legs.picows_socket import connect

IN_PROCESS_URL: Final = "http://tipring.local"
HTTP_TIMEOUT_S: Final = 30.0


@asynccontextmanager
async def remote_world(plan: CallPlan) -> AsyncIterator[CallApi]:
    """Somebody else's API (or just a join URL), in real time."""
    async with _remote_client(plan) as http:
        yield CallApi(http, connect)


def _remote_client(plan: CallPlan) -> httpx.AsyncClient:
    """A client that takes the environment's proxy, where there is one.

    Raises: UsageError if the environment names one that cannot be used.
    """
    headers = {} if plan.api_key is None else {"X-API-Key": plan.api_key.get_secret_value()}
    try:
        return httpx.AsyncClient(
            base_url=plan.api_url or "", headers=headers, timeout=HTTP_TIMEOUT_S
        )
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as exc:
        raise UsageError(f"the environment's proxy or certificates cannot be used: {exc}") from None


@asynccontextmanager
async def embedded_world(
    brains: Brains, *, virtual: bool, seed: str, recordings: Path | None = None
) -> AsyncIterator[CallApi]:
    """A call server of our own for the time of the context.

    In virtual time REST goes through ASGI in process and sockets are in-memory pairs; else both go over a loopback port
    that the system chooses.
    """
    async with call_server(brains, recordings=recordings, seed=seed if virtual else None) as server:
        if virtual:
            async with _in_process(server) as api:
                yield api
        else:
            async with (
                listening(server, host="127.0.0.1", port=0) as port,
                httpx.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}",
                    timeout=HTTP_TIMEOUT_S,
                    trust_env=False,  # a proxy is no way to this process
                ) as http,
            ):
                yield CallApi(http, connect)


@asynccontextmanager
async def _in_process(server: CallServer) -> AsyncIterator[CallApi]:
    transport = httpx.ASGITransport(app=server.app)
    async with httpx.AsyncClient(transport=transport, base_url=IN_PROCESS_URL) as http:
        yield CallApi(http, lambda url: _join_in_memory(server, url))


async def _join_in_memory(server: CallServer, url: str) -> MediaSocket:
    target = parse_target(url)
    if target is None:
        raise JoinRefused(f"there is nothing to join at this address of {IN_PROCESS_URL}")
    try:
        joining = await claim(server.service, target)
    except CallError as exc:
        raise JoinRefused(f"the server refused the join with {exc.status}: {exc}") from None
    ours, theirs = memory_pair(asyncio.get_running_loop())
    joining.take(theirs)
    return ours
