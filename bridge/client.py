"""Client of a call API: the hosted one, another server's, or our own in the same process.

Source: the vendor's REST reference (``X-API-Key``, cursor pages, ``{"detail": …}`` error bodies). Errors become one
sentence; the API's own words are kept, secrets are not repeated. An API may be slow or send without end: each answer
has a deadline that its bytes do not move, is taken uncompressed only, and is bounded, and so is a list of many pages.
"""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

import httpx

from bridge.errors import BridgeError
from bridge.http_faults import HTTP_FAULTS
from bridge.legs.media_socket import Connect, MediaSocket
from bridge.legs.network_faults import innermost, network_fault
from bridge.wire.strict_json import BODY, decode

JsonDict = dict[str, object]
MAX_PAGES: Final = 1_000
MAX_LIST_BYTES: Final = 16 * 1024 * 1024
PAGE_SIZE: Final = 100
ANSWER_S: Final = 30.0
"""From a request to the last byte of its answer."""
LIST_S: Final = 60.0
"""For all pages of a list."""
LONGEST_SENTENCE: Final = 500
_UNCOMPRESSED: Final = {"Accept-Encoding": "identity"}


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
        key_header: which of the headers is the key's: what it says is never repeated.
    """

    def __init__(
        self, http: httpx.AsyncClient, connect: Connect, *, key_header: str = "X-API-Key"
    ) -> None:
        self._http = http
        self._connect = connect
        self._key_header = key_header

    async def create(
        self, body: Mapping[str, object], *, agent: str | None = None, joinable: bool = True
    ) -> JsonDict:
        """Create a call (of a stored agent, if one is named); returns the Call object.

        `joinable`: it must have a join URL; a call that is dialled has none.

        Raises: ApiError.
        """
        path = "/api/calls" if agent is None else f"/api/agents/{quote(agent, safe='')}/calls"
        call = await self._ask("POST", path, json=dict(body))
        needed = ("callId", "joinUrl") if joinable else ("callId",)
        if not all(isinstance(call.get(key), str) for key in needed):
            raise ApiError(f"the API's answer has no {' or no '.join(needed)}")
        return call

    async def join(self, join_url: str) -> MediaSocket:
        """Open the call's media socket.

        Raises: JoinRefused.
        """
        return await self._connect(join_url)

    async def call(self, call_id: str) -> JsonDict:
        """The Call object."""
        return await self._ask("GET", _call_path(call_id))

    async def messages(self, call_id: str) -> list[JsonDict]:
        """All messages of the call's last stage."""
        return await self._all(f"{_call_path(call_id)}/messages")

    async def events(self, call_id: str) -> list[JsonDict]:
        """All events of the call, debug ones left out."""
        return await self._all(f"{_call_path(call_id)}/events")

    async def _all(self, path: str) -> list[JsonDict]:
        try:
            async with asyncio.timeout(LIST_S):
                return await self._pages(path)
        except TimeoutError:
            raise ApiError(f"the API at {self._where} did not answer GET {path} in time") from None

    async def _pages(self, path: str) -> list[JsonDict]:
        query: str | None = f"pageSize={PAGE_SIZE}"
        seen: set[str] = set()
        items: list[JsonDict] = []
        n_bytes = 0
        while query is not None and query not in seen and len(seen) < MAX_PAGES:
            seen.add(query)
            content = await self._fetch("GET", f"{path}?{query}")
            n_bytes += len(content)
            if n_bytes > MAX_LIST_BYTES:
                raise ApiError(f"the API answered GET {path} with over {MAX_LIST_BYTES} bytes")
            page = _object(f"GET {path}", content)
            results = page.get("results")
            if isinstance(results, list):
                items += [item for item in results if isinstance(item, dict)]
            query = _following(page)
        return items

    async def _ask(self, method: str, url: str, json: JsonDict | None = None) -> JsonDict:
        return _object(f"{method} {url}", await self._fetch(method, url, json))

    async def _fetch(self, method: str, url: str, json: JsonDict | None = None) -> bytes:
        what = f"{method} {url.partition('?')[0]}"
        try:
            async with (
                asyncio.timeout(ANSWER_S),
                self._http.stream(method, url, json=json, headers=_UNCOMPRESSED) as response,
            ):
                content = await _content(response)
        except (TimeoutError, httpx.TimeoutException):
            raise ApiError(f"the API at {self._where} did not answer {what} in time") from None
        except HTTP_FAULTS as exc:
            raise ApiError(f"the API at {self._where} {self._unreached(exc)}") from None
        if not response.is_success:
            said = self._quoted(_detail(content))
            sentence = f"the API answered {what} with {response.status_code}"
            raise ApiError(f"{sentence}: {said}" if said else sentence, response.status_code)
        return content

    @property
    def _where(self) -> str:
        """Host and port, and no more: the address may have a password in it."""
        return self._http.base_url.netloc.decode()

    def _unreached(self, error: Exception) -> str:
        cause = innermost(error)
        if cause is not None and cause.errno is not None:
            return self._quoted(network_fault(cause, ANSWER_S))
        return f"cannot be reached: {self._quoted(str(error)) or type(error).__name__}"

    def _quoted(self, text: str) -> str:
        """Foreign text for a sentence of ours: bounded, on one line, the key taken out."""
        key = self._http.headers.get(self._key_header, "")
        for secret in (
            key,
            key.rpartition(" ")[2],
        ):  # "Bearer …" may be repeated without its first word
            text = text.replace(secret, "…") if secret else text
        return "".join(char if char.isprintable() else " " for char in text[:LONGEST_SENTENCE])


async def _content(response: httpx.Response) -> bytes:
    """The body, or as much of it as shows that it is too long.

    A few compressed bytes can be any number of plain ones before the first of them can be counted.
    """
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise ApiError("the API compresses its answers though it is asked not to")
    content = b""
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > BODY.max_bytes:
            break
    return content


def _object(what: str, content: bytes) -> JsonDict:
    try:
        body = decode(content, BODY)
    except BridgeError as exc:
        raise ApiError(f"the API answered {what} with no valid JSON: {exc}") from None
    if not isinstance(body, dict):
        raise ApiError(f"the API answered {what} with no JSON object")
    return body


def _call_path(call_id: str) -> str:
    return f"/api/calls/{quote(call_id, safe='')}"


def _following(page: JsonDict) -> str | None:
    """The query of the next page. Where it lies is known: a key is sent nowhere else."""
    following = page.get("next")
    if not isinstance(following, str):
        return None
    try:
        return urlsplit(following).query or None
    except ValueError:
        return None


def _detail(content: bytes) -> str:
    """The sentences of a DRF-style body, or the body itself where it is an object of another form."""
    try:
        body = decode(content, BODY)
    except BridgeError:
        return ""
    if not isinstance(body, dict):
        return ""
    detail = body.get("detail")
    if isinstance(detail, str):
        return detail
    sentences = [_of_field(field, said) for field, said in body.items()]
    readable = sentences and all(sentences)
    return " ".join(sentences) if readable else content.decode(errors="replace")


def _of_field(field: str, said: object) -> str:
    """`field: What is wrong with it.`; empty if it is not said as a list of sentences."""
    if not isinstance(said, list) or not said or not all(isinstance(each, str) for each in said):
        return ""
    return f"{field}: {' '.join(said)}"
