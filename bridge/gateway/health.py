"""What machines ask of the service, `/readyz` and `/metrics`; `/healthz` is the REST application's own.

`/readyz` says whether new calls should be sent here: 200, or 503 from the moment the service drains. It needs no key
and tells nothing else; a service that is full or late stays ready, because the sockets of calls that it has let in
must still find it. `/metrics` is read by whoever has an API key: in `X-API-Key`, as everywhere, or as
`Authorization: Bearer`, which is what Prometheus sends. Where no key is set, only this machine is served at all, and
the page is open as REST is. An address alone opens nothing: behind a proxy on the same machine everybody would seem
to come from it.
"""

from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bridge.api.auth import KeyRing
from bridge.gateway.drain import Drain
from bridge.gateway.metrics import Metrics

_BEARER: Final = "bearer "
_NO_STORE: Final = {"Cache-Control": "no-store"}


def add_health(app: FastAPI, *, drain: Drain, metrics: Metrics) -> None:
    """Add the routes to the REST application, whose keys they share."""

    async def ready(_: Request) -> Response:
        if drain.begun:
            return JSONResponse({"status": "draining"}, 503, _NO_STORE)
        return JSONResponse({"status": "ready"}, 200, _NO_STORE)

    async def page(request: Request) -> Response:
        keys: KeyRing = request.app.state.keys
        if not keys.opens(_given(request)):
            detail = "A valid API key is needed, in X-API-Key or as a bearer token."
            return JSONResponse({"detail": detail}, 401, {"WWW-Authenticate": "Bearer"})
        body, content_type = metrics.page(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type, **_NO_STORE})

    app.add_route("/readyz", ready, methods=["GET"], include_in_schema=False)
    app.add_route("/metrics", page, methods=["GET"], include_in_schema=False)


def _given(request: Request) -> list[str]:
    given = [request.headers[name] for name in ("x-api-key",) if name in request.headers]
    authorization = request.headers.get("authorization", "")
    if authorization.lower().startswith(_BEARER):
        given.append(authorization[len(_BEARER) :].strip())
    return given
