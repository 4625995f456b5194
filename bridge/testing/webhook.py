"""Requests of a carrier to the application: one deadline, bounded answers, errors in a sentence."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import httpx

from bridge.http_faults import HTTP_FAULTS
from bridge.testing.network import Network

MAX_ANSWER_BYTES: Final = 1024 * 1024


class WebhookFailed(Exception):  # noqa: N818 - reads as what happened
    """The application gave no usable answer; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One request."""

    url: str
    method: str = "POST"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WebhookAnswer:
    """What came back."""

    status: int
    content_type: str
    """Without parameters, lower case."""
    body: bytes


async def ask(network: Network, webhook: Webhook, timeout_s: float) -> WebhookAnswer:
    """Send it and read the answer. Raises: WebhookFailed."""
    parts = urlsplit(webhook.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WebhookFailed("the URL is no http address")
    client = network.http(f"{parts.scheme}://{parts.netloc}")
    try:
        async with (
            asyncio.timeout(timeout_s),
            client.stream(
                webhook.method,
                webhook.url,
                content=webhook.body or None,
                headers=dict(webhook.headers),
                timeout=timeout_s,
            ) as response,
        ):
            body = await _bounded(response)
    except (TimeoutError, httpx.TimeoutException):
        raise WebhookFailed(f"it did not answer within {timeout_s:g} s") from None
    except HTTP_FAULTS as error:
        raise WebhookFailed(
            f"it cannot be reached ({str(error) or type(error).__name__})"
        ) from None
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return WebhookAnswer(response.status_code, content_type, body)


async def _bounded(response: httpx.Response) -> bytes:
    body = b""
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER_BYTES:
            raise WebhookFailed(f"its answer is larger than {MAX_ANSWER_BYTES} bytes")
    return body
