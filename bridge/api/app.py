"""The REST application over a call service.

Everything in it is `async def`: a plain function would run in a worker thread that the event loop
does not know of, and a loop whose clock jumps would jump past it.
"""

from collections.abc import Sequence
from functools import partial

from fastapi import APIRouter, Depends, FastAPI
from pydantic import SecretStr

from bridge.api import answers
from bridge.api.auth import KeyRing, require_key
from bridge.api.deps import answers as documented
from bridge.api.openapi import add_document, describe
from bridge.api.ports import Calls, JoinUrl
from bridge.api.routers import calls, models, parts
from bridge.api.schemas.call import Health


def create_app(
    service: Calls, *, api_keys: Sequence[SecretStr], join_url: JoinUrl, version: str = "0"
) -> FastAPI:
    """The application.

    Without `api_keys` everybody is let in: whoever leaves them out sees to it that nobody else
    reaches the server. Raises: ConfigError for an empty key.
    """
    app = FastAPI(
        title="Tipring",
        version=version,
        docs_url=None,  # these pages load scripts from elsewhere
        redoc_url=None,
        openapi_url=None,  # it would write the document anew for each request
        redirect_slashes=False,
    )
    app.state.calls, app.state.join_url = service, join_url
    app.state.keys = KeyRing(api_keys)
    api = APIRouter(prefix="/api", dependencies=[Depends(require_key)], responses=documented(401))
    for part in (calls, parts, models):
        api.include_router(part.router)
    app.include_router(api, responses=documented(405))
    app.add_api_route("/healthz", _health, methods=["GET"], responses=documented(405))
    add_document(app)
    answers.install(app)
    app.openapi = partial(describe, app)  # type: ignore[method-assign]
    return app


async def _health() -> Health:
    """That the server is up."""
    return Health(status="ok")
