"""ASGI middleware: the host policy and the strict framing for each request, pipelined ones included.

The front door reads the head of each request itself, but one that arrives behind another before that is
answered goes to the REST server unread; it is judged here.
"""

import json
from typing import TYPE_CHECKING

from bridge.gateway.host_policy import HostPolicy
from bridge.gateway.request_head import framing_fault

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class HostGuard:
    """Passes on what the policy serves; answers the rest with 403 or 400 and a `detail`."""

    def __init__(self, app: "ASGIApp", policy: HostPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Serve one ASGI scope."""
        refused = self._refusal(scope) if scope["type"] == "http" else None
        if refused is None:
            await self._app(scope, receive, send)
            return
        status, detail = refused
        body = json.dumps({"detail": detail}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _refusal(self, scope: "Scope") -> tuple[int, str] | None:
        def values(wanted: bytes) -> list[str]:
            return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]

        fault = framing_fault(values(b"content-length"), values(b"transfer-encoding"))
        if fault is None and not str(scope["path"]).startswith(("/", "*")):
            fault = "The request target is no path."
        if fault is not None:
            return 400, fault
        # Two Host headers make a name that no policy serves.
        host, origin = (", ".join(values(name)) or None for name in (b"host", b"origin"))
        why = self._policy.refusal(host, origin, secure=scope["scheme"] == "https")
        return None if why is None else (403, why)
