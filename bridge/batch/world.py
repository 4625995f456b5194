"""Where a call takes place: in process on the virtual clock, on loopback sockets, or at somebody else's API."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx

from bridge.batch.plan import CallPlan
from bridge.brains.registry import Brains
from bridge.client import CallApi
from bridge.errors import UsageError
from bridge.gateway.in_process import in_process
from bridge.gateway.listener import listening
from bridge.gateway.server import call_server
from bridge.legs.picows_socket import connect

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
            async with in_process(server) as api:
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
