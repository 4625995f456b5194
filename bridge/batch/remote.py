"""Somebody else's API (or just a join URL), in real time. Nothing of our own server is loaded for it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
from pydantic import SecretStr

from bridge.client import CallApi
from bridge.errors import UsageError
from bridge.legs.picows_socket import connect

HTTP_TIMEOUT_S: Final = 30.0


@asynccontextmanager
async def remote_api(api_url: str | None, api_key: SecretStr | None) -> AsyncIterator[CallApi]:
    """A client of an API; without an address it can only join.

    Raises: UsageError if the environment names a proxy or certificates that cannot be used.
    """
    async with _client(api_url, api_key) as http:
        yield CallApi(http, connect)


def _client(api_url: str | None, api_key: SecretStr | None) -> httpx.AsyncClient:
    headers = {} if api_key is None else {"X-API-Key": api_key.get_secret_value()}
    try:
        return httpx.AsyncClient(base_url=api_url or "", headers=headers, timeout=HTTP_TIMEOUT_S)
    except (ValueError, ImportError, OSError, httpx.InvalidURL) as exc:
        raise UsageError(f"the environment's proxy or certificates cannot be used: {exc}") from None
