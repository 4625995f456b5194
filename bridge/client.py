"""Client of a call API: the hosted one, another server's, or our own in the same process.

Source: the vendor's REST reference (``X-API-Key``, cursor pages, ``{"detail": …}`` error bodies). Errors become one
sentence; the API's own words are kept, secrets are not repeated.
"""

from collections.abc import Mapping
from typing import Final

import httpx

from bridge.errors import BridgeError
from bridge.legs.media_socket import Connect, MediaSocket
from bridge.wire.strict_json import BODY, decode

JsonDict = dict[str, object]
MAX_PAGES: Final = 1_000
PAGE_SIZE: Final = 100


class ApiError(BridgeError):
    """The API refused or could not be reached; ``status`` is its HTTP status, 0 if there was none."""

    def __init__(self, sentence: str, status: int = 0) -> None:
        super().__init__(sentence)
        self.status = status


class CallApi:
    """Creates calls, joins them and reads what is recorded of them.

    Args:
        http: with base URL, timeouts and the key's header set.
        connect: opens a media socket to a join URL.
    """

    def __init__(self, http: httpx.AsyncClient, connect: Connect) -> None:
        self._http = http
        self._connect = connect

    async def create(self, body: Mapping[str, object], *, agent: str | None = None) -> JsonDict:
        """Create a call (of a stored agent, if one is named); returns the Call object.

        Raises: ApiError.
        """
        path = "/api/calls" if agent is None else f"/api/agents/{agent}/calls"
        return await self._ask("POST", path, json=dict(body))

    async def join(self, join_url: str) -> MediaSocket:
        """Open the call's media socket.

        Raises: JoinRefused.
        """
        return await self._connect(join_url)

    async def call(self, call_id: str) -> JsonDict:
        """The Call object."""
        return await self._ask("GET", f"/api/calls/{call_id}")

    async def messages(self, call_id: str) -> list[JsonDict]:
        """All messages of the call's last stage."""
        return await self._all(f"/api/calls/{call_id}/messages")

    async def events(self, call_id: str) -> list[JsonDict]:
        """All events of the call, debug ones left out."""
        return await self._all(f"/api/calls/{call_id}/events")

    async def _all(self, path: str) -> list[JsonDict]:
        url: str | None = f"{path}?pageSize={PAGE_SIZE}"
        items: list[JsonDict] = []
        for _ in range(MAX_PAGES):
            if url is None:
                break
            page = await self._ask("GET", url)
            results = page.get("results")
            items += (
                [item for item in results if isinstance(item, dict)]
                if isinstance(results, list)
                else []
            )
            following = page.get("next")
            url = following if isinstance(following, str) else None
        return items

    async def _ask(self, method: str, url: str, json: JsonDict | None = None) -> JsonDict:
        try:
            response = await self._http.request(method, url, json=json)
        except httpx.TimeoutException:
            raise ApiError(f"the API did not answer {method} {_path(url)} in time") from None
        except httpx.HTTPError as exc:
            raise ApiError(f"the API cannot be reached: {exc or type(exc).__name__}") from None
        if response.is_error or response.is_redirect:
            raise ApiError(_refusal(method, url, response), response.status_code)
        try:
            body = decode(response.content, BODY)
        except BridgeError as exc:
            raise ApiError(
                f"the API answered {method} {_path(url)} with no valid JSON: {exc}"
            ) from None
        if not isinstance(body, dict):
            raise ApiError(f"the API answered {method} {_path(url)} with no JSON object")
        return body


def _path(url: str) -> str:
    return httpx.URL(url).path


def _refusal(method: str, url: str, response: httpx.Response) -> str:
    said = _detail(response)
    return f"the API answered {method} {_path(url)} with {response.status_code}{': ' if said else ''}{said}"


def _detail(response: httpx.Response) -> str:
    """The sentence of a DRF-style body, bounded."""
    try:
        body = decode(response.content, BODY)
    except BridgeError:
        return ""
    if isinstance(body, dict) and isinstance(body.get("detail"), str):
        return str(body["detail"])[:500]
    return response.text[:500] if isinstance(body, dict) else ""
