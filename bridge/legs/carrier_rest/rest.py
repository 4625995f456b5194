"""One request to a carrier's REST API, bounded: what all carriers' clients have in common.

An API may be slow, send without end or compress its answers though it is asked not to: each answer has a deadline that
its bytes do not move, and a bound. The carrier's own words come into the sentence of an error, but no number, address,
id or secret that they may quote.
"""

import asyncio
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NoReturn, TypeAlias
from urllib.parse import quote

import httpx

from bridge.errors import BridgeError
from bridge.http_faults import HTTP_FAULTS
from bridge.legs.phone_line import CarrierApiError
from bridge.wire.strict_json import JsonLimits, decode

ANSWER_S: Final = 5.0
"""From a request to the last byte of its answer, a second attempt included."""
PAUSE_S: Final = 0.25
"""Before a second attempt."""
ANSWER_LIMITS: Final = JsonLimits(max_bytes=64 * 1024, max_nodes=2_000)
LONGEST_QUOTE: Final = 300
LONGEST_ID: Final = 512
_BUSY: Final = frozenset({429, 502, 503, 504})
_WORDS: Final = ("message", "Message", "detail", "error", "title")
# What carriers quote: addresses and URLs, ids, and numbers with what people put between their digits.
_PRIVATE: Final = re.compile(r"(?<!\S)\S*(?:@|://)\S*|\w{20,}|\+?\d(?:[ ().\-]{0,2}\d){4,}")

JsonDict: TypeAlias = dict[str, object]
Form: TypeAlias = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Said:
    """What the API answered."""

    status: int
    body: JsonDict = field(default_factory=dict)
    """Empty unless it is a JSON object that can be read."""
    flaw: str = ""
    """Why the body cannot be read, if it cannot."""

    @property
    def ok(self) -> bool:
        """Whether the request was granted."""
        return 200 <= self.status < 300

    @property
    def words(self) -> str:
        """The carrier's own sentence about what went wrong; empty if there is none."""
        errors = self.body.get("errors")
        first = errors[0] if isinstance(errors, list) and errors else None
        for place in (self.body, first, self.body.get("RestException"), self.body.get("error")):
            if isinstance(place, dict):
                for key in _WORDS:
                    if isinstance(words := place.get(key), str) and words:
                        return words
        return ""


class CarrierRest:
    """A carrier's API as one account may use it.

    Args:
        http: with the API's base URL.
        carrier: its name, for sentences.
        headers: of every request, the account's credentials among them.
        secrets: what must never be read in a sentence.
    """

    def __init__(
        self,
        http: httpx.AsyncClient,
        carrier: str,
        headers: Mapping[str, str],
        secrets: Sequence[str] = (),
    ) -> None:
        self._http = http
        self._carrier = carrier
        self._headers = {**headers, "Accept-Encoding": "identity"}
        credentials = headers.get("Authorization", "").rpartition(" ")[2]
        self._secrets = tuple(secret for secret in (credentials, *secrets) if secret)

    async def ask(
        self,
        purpose: str,
        method: str,
        path: str,
        *,
        form: Form | None = None,
        json: Mapping[str, object] | None = None,
        repeatable: bool = False,
    ) -> Said:
        """Ask once; a second time if nothing was sent, or, where asking twice does no harm, if it failed at once.

        Args:
            purpose: for sentences: what is asked of the carrier, "hang up".
            method: of HTTP.
            path: below the base URL, quoted.
            form: fields of a form, or
            json: a JSON body.
            repeatable: whether asking twice is the same as asking once.

        Raises: CarrierApiError if no answer comes. A refusal is an answer.
        """
        request: dict[str, object] = {"method": method, "url": path, "data": form, "json": json}
        try:
            async with asyncio.timeout(ANSWER_S):
                return await self._try_twice(request, repeatable=repeatable)
        except (TimeoutError, httpx.TimeoutException):
            sentence = f"{self._carrier} did not answer in time when asked to {purpose}"
        except HTTP_FAULTS as exc:
            why = self.quoted(str(exc)) or type(exc).__name__
            sentence = f"{self._carrier} cannot be reached to {purpose}: {why}"
        raise CarrierApiError(sentence)

    def refuse(self, purpose: str, said: Said) -> NoReturn:
        """The carrier refused. Raises: CarrierApiError."""
        sentence = f"{self._carrier} refused to {purpose} ({said.status})"
        words = self.quoted(said.words)
        raise CarrierApiError(f"{sentence}: {words}" if words else sentence, said.status)

    def id_in(self, said: Said, key: str, *path: str) -> str:
        """The id in the answer at the end of these keys. Raises: CarrierApiError."""
        value: object = said.body
        for part in (key, *path):
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
            why = f": {said.flaw}" if said.flaw else ""
            sentence = f"{self._carrier}'s answer has no {'.'.join((key, *path))}{why}"
            raise CarrierApiError(sentence, said.status)
        return value

    def quoted(self, text: str) -> str:
        """Foreign words for a sentence of ours: bounded, on one line, with nothing private in them."""
        text = text[: 4 * LONGEST_QUOTE]
        for secret in self._secrets:
            text = text.replace(secret, "…")
        text = "".join(char if char.isprintable() else " " for char in text)
        return _PRIVATE.sub("…", text)[:LONGEST_QUOTE].strip()

    async def _try_twice(self, request: dict[str, object], *, repeatable: bool) -> Said:
        try:
            said = await self._try(request)
        except httpx.TransportError as exc:
            if not repeatable and not isinstance(exc, httpx.ConnectError):
                raise
        else:
            if not repeatable or said.status not in _BUSY:
                return said
        await asyncio.sleep(PAUSE_S)
        return await self._try(request)

    async def _try(self, request: dict[str, object]) -> Said:
        async with self._http.stream(
            **request,  # type: ignore[arg-type]
            headers=self._headers,
            follow_redirects=False,
        ) as response:
            return await _read(response)


def path_of(call_id: str) -> str:
    """A call's id as one segment of a path. Raises: CarrierApiError for one that would leave its place.

    An empty segment can mean all calls of the account (Plivo), dots the account itself.
    """
    if not call_id.strip("."):
        raise CarrierApiError("the call has no id at its carrier")
    return quote(call_id, safe="")


def basic_auth(user: str, password: str) -> dict[str, str]:
    """The header of HTTP Basic authentication."""
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def forbid(more: Mapping[str, object], *ours: str) -> None:
    """Keep a caller's own fields from taking the place of ours. Raises: CarrierApiError."""
    own = {name.lower() for name in ours}
    for name in more:
        if name.lower() in own:
            raise CarrierApiError(f"additional parameters cannot set {', '.join(ours)}")


def as_form(fields: Mapping[str, object]) -> Form:
    """Plain values as fields of a form; a list is a field that comes several times."""
    return {
        name: [_plain(item) for item in value] if isinstance(value, list) else _plain(value)
        for name, value in fields.items()
        if value is not None
    }


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, int, float)):
        return str(value)
    raise CarrierApiError("additional parameters are texts, numbers, yes or no, or lists of them")


async def _read(response: httpx.Response) -> Said:
    status = response.status_code
    # A few compressed bytes can be any number of plain ones before the first of them can be counted.
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return Said(status, flaw="it is compressed though that was not asked for")
    content = b""
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > ANSWER_LIMITS.max_bytes:
            return Said(status, flaw=f"it is longer than {ANSWER_LIMITS.max_bytes} bytes")
    try:
        body = decode(content, ANSWER_LIMITS)
    except BridgeError as exc:
        return Said(status, flaw=str(exc))
    return Said(status, body) if isinstance(body, dict) else Said(status, flaw="it is no object")
