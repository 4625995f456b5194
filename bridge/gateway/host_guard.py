"""ASGI middleware: host policy, strict framing and trusted proxies for each request, pipelined ones included.

The front door reads the head of each request itself, but one that arrives behind another before that is
answered goes to the REST server unread; it is judged here.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

from bridge.gateway.host_policy import HostPolicy
from bridge.gateway.proxies import NO_PROXIES, TrustedProxies
from bridge.gateway.request_head import framing_fault

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send


class HostGuard:
    """Passes on what the policy serves; answers the rest with 403 or 400 and a `detail`."""

    def __init__(
        self, app: "ASGIApp", policy: HostPolicy, proxies: TrustedProxies = NO_PROXIES
    ) -> None:
        self._app = app
        self._policy = policy
        self._proxies = proxies

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

        self._believe_proxy(scope, values)
        fault = framing_fault(values(b"content-length"), values(b"transfer-encoding"))
        if fault is None and not str(scope["path"]).startswith(("/", "*")):
            fault = "The request target is no path."
        if fault is not None:
            return 400, fault
        # Two Host headers make a name that no policy serves.
        host, origin = (", ".join(values(name)) or None for name in (b"host", b"origin"))
        why = self._policy.refusal(host, origin, secure=scope["scheme"] == "https")
        return None if why is None else (403, why)

    def _believe_proxy(self, scope: "Scope", values: Callable[[bytes], list[str]]) -> None:
        """Put who the client is, and whether it came over TLS, where the application looks for it."""
        host, port = scope.get("client") or ("", 0)
        if not self._proxies.trusts(host):
            return
        source = self._proxies.source(host, ", ".join(values(b"x-forwarded-for")))
        proto = ", ".join(values(b"x-forwarded-proto"))
        secure = self._proxies.secure(host, proto, scope["scheme"] == "https")
        scope["client"] = (source, port if source == host else 0)
        scope["scheme"] = "https" if secure else "http"
