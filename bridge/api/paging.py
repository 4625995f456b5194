"""Cursor pages: query parameters to a window, a page to its body.

A cursor is opaque to clients. It names an item's place and the list it belongs to; one that was
made for another list or filter, or by hand, is refused. It gives no access that its reader does not
have anyway, so it is not signed.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Depends, Query, Request
from pydantic import BaseModel

from bridge.api.refusal import Refused
from bridge.api.schemas.base import Shown
from bridge.calls.paging import Page, Window

T = TypeVar("T")
ShownT = TypeVar("ShownT", bound=Shown)

DEFAULT_PAGE_SIZE: Final = 10
MAX_PAGE_SIZE: Final = 100
_LONGEST_CURSOR: Final = 256
_PAGING: Final = ("cursor", "pageSize")


async def _window(
    request: Request,
    cursor: Annotated[str | None, Query(description="From `next` or `previous`.")] = None,
    page_size: Annotated[
        int, Query(alias="pageSize", ge=1, description="At most 100; more is taken as 100.")
    ] = DEFAULT_PAGE_SIZE,
) -> Window:
    size = min(page_size, MAX_PAGE_SIZE)
    if cursor is None:
        return Window(size)
    return _read_cursor(cursor, size, _list_name(request))


AskedWindow = Annotated[Window, Depends(_window)]


def body_of(
    model: type[ShownT], request: Request, page: Page[T], show: Callable[[T], BaseModel]
) -> ShownT:
    """The body that shows a page of records."""
    return model.model_validate(
        {
            "next": _address(request, page.next),
            "previous": _address(request, page.previous),
            "results": [show(item) for item in page.items],
            "total": page.total,
        }
    )


def _address(request: Request, window: Window | None) -> str | None:
    if window is None:
        return None
    cursor = _write_cursor(window, _list_name(request))
    query = [*_query(request, without=("cursor",)), ("cursor", cursor)]
    # Put together by hand: a Host header that is no host would make a URL parser raise.
    host = request.headers.get("host", "")
    path = quote(request.scope["path"])
    return f"{request.scope['scheme']}://{quote(host, safe=':[]')}{path}?{urlencode(query)}"


def _query(request: Request, without: tuple[str, ...]) -> list[tuple[str, str]]:
    text = request.scope["query_string"].decode("latin-1")
    pairs = parse_qsl(text, keep_blank_values=True)
    return [(name, value) for name, value in pairs if name not in without]


def _list_name(request: Request) -> str:
    """A short name of the list that a request asks for: its path and its filters."""
    text = json.dumps([request.scope["path"], sorted(_query(request, without=_PAGING))])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _write_cursor(window: Window, list_name: str) -> str:
    side, key = ("b", window.before) if window.before is not None else ("a", window.after)
    assert key is not None
    return base64.urlsafe_b64encode(json.dumps([list_name, side, *key]).encode()).decode()


def _read_cursor(cursor: str, size: int, list_name: str) -> Window:
    try:
        parts: Any = json.loads(base64.urlsafe_b64decode(cursor[:_LONGEST_CURSOR].encode("ascii")))
    except (ValueError, RecursionError):
        parts = None
    match parts:
        case [str(name), "a", int(number), str(text)] if name == list_name:
            return Window(size, after=(number, text))
        case [str(name), "b", int(number), str(text)] if name == list_name:
            return Window(size, before=(number, text))
    sentence = "Not a cursor of this list: follow the addresses in next and previous."
    raise Refused(400, {"cursor": [sentence]})
