"""ASGI middleware: a request that would make a new call is asked about before anything is spent on it.

What goes on in calls that are up, and joining a call that exists, are nobody's affair here. Carriers' answer URLs are
not either: there a call is refused in the carrier's own words.
"""

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from bridge.gateway.admission import RETRY_AFTER_S

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

_MAKES_A_CALL: Final = re.compile(r"/api/(?:agents/[^/]+/)?calls/?")


class Gate:
    """Passes requests on; answers those for new calls with 503 and Retry-After when none are taken.

    Args:
        app: what is passed on to.
        may_take: why no call is taken now, in a sentence; None if one is.
    """

    def __init__(self, app: "ASGIApp", may_take: Callable[[], str | None]) -> None:
        self._app = app
        self._may_take = may_take

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one ASGI scope."""
        why = self._may_take() if _makes_a_call(scope) else None
        if why is None:
            await self._app(scope, receive, send)
            return
        body = json.dumps({"detail": why}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"retry-after", str(RETRY_AFTER_S).encode()),
        ]
        await send({"type": "http.response.start", "status": 503, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def _makes_a_call(scope: "Scope") -> bool:
    return (
        scope["type"] == "http"
        and scope["method"] == "POST"
        and _MAKES_A_CALL.fullmatch(scope["path"]) is not None
    )
