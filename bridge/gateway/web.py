"""The softphone page: static files that are served at `/`, and what the page is told of this server's agents.

The files lie in `bridge/web` and are read once, before the service listens. They need no API key and hold no secret;
the page asks for a key where the API does. A content security policy keeps the page to this server: no script, style,
font or connection from elsewhere, no frame around it. Every other path stays the API's, its 404 too.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

from fastapi import Depends, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bridge.api.auth import require_key
from bridge.brains.registry import script_files
from bridge.brains.script.load import load_script
from bridge.brains.script.tools import canned_answers, selected_tools
from bridge.errors import ConfigError

Agents: TypeAlias = list[dict[str, Any]]

_FOLDER: Final = Path(__file__).parents[1] / "web"
_INDEX: Final = "index.html"
_TYPES: Final[Mapping[str, str]] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY: Final = (
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'"
)
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    # Asked about each time, answered with 304: a page is never older than its server.
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class _File:
    """One file of the page."""

    body: bytes
    headers: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> "_File":
        """Read it, and make its headers."""
        body = path.read_bytes()
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return cls(body, {**_HEADERS, "Content-Type": _TYPES[path.suffix], "ETag": tag})


def add_page(app: FastAPI, scripts_dir: Path | None = None) -> None:
    """Add the page to the REST application, whose keys it shares; reads files, so not on the event loop.

    Args:
        app: gets routes for each file of the page, for `/`, and for `/agents.json`.
        scripts_dir: further scripts beside the shipped ones.

    Raises: ConfigError if the folder of scripts cannot be read.
    """
    for path in sorted(_FOLDER.iterdir()):
        if path.suffix in _TYPES:
            place = "/" if path.name == _INDEX else f"/{path.name}"
            methods = ["GET", "HEAD"]
            app.add_route(place, _served(_File.read(path)), methods, include_in_schema=False)
    agents = agents_of(script_files(scripts_dir))

    async def listed() -> JSONResponse:
        return JSONResponse(agents, headers={"Cache-Control": "no-store"})

    app.add_api_route(
        "/agents.json", listed, dependencies=[Depends(require_key)], include_in_schema=False
    )


def agents_of(files: Mapping[str, Path]) -> Agents:
    """What callers should know of each model that follows a script.

    A list of `{"model", "description", "tools", "answers"}`: `tools` as `selectedTools` of the request that makes the
    call, `answers` what the script itself would answer for a tool. A script that is wrong is left out: whoever calls it
    is told.
    """
    told = {path: _told(path) for path in set(files.values())}
    return [{"model": model, **told[path]} for model, path in files.items() if told[path]]


def _told(path: Path) -> dict[str, Any]:
    try:
        script = load_script(path)
    except ConfigError:
        return {}
    return {
        "description": script.description,
        "tools": selected_tools(script),
        "answers": canned_answers(script),
    }


def _served(file: _File) -> Callable[[Request], Awaitable[Response]]:
    async def serve(request: Request) -> Response:
        known = request.headers.get("if-none-match", "")
        if file.headers["ETag"] in (tag.strip().removeprefix("W/") for tag in known.split(",")):
            return Response(status_code=304, headers=dict(file.headers))
        return Response(file.body, headers=dict(file.headers))

    return serve
