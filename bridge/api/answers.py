"""Answers that are no success: every error that leaves a route becomes a JSON body here.

Bodies follow Django REST framework: `{field: [sentences]}` for a request that does not fit,
`{"detail": sentence}` for everything else.
"""

import logging
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from bridge.api.problems import from_validation
from bridge.api.refusal import Refused, sentence
from bridge.calls.errors import CallError, InvalidSettings, NoCapacity, TooManyToday
from bridge.errors import UsageError

log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Have the application answer all its errors in this form."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(CallError, _call_error)
    app.add_exception_handler(UsageError, _usage_error)
    app.add_exception_handler(RequestValidationError, _misfit)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _broken)


async def _refused(_: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, Refused)
    return JSONResponse(exc.body, exc.status, exc.headers)


async def _call_error(_: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, CallError)
    if isinstance(exc, InvalidSettings):
        return JSONResponse({exc.field: [sentence(str(exc))]}, exc.status)
    headers = {}
    if isinstance(exc, NoCapacity | TooManyToday):
        headers["Retry-After"] = str(exc.retry_after_s)
    return JSONResponse({"detail": sentence(str(exc))}, exc.status, headers)


async def _usage_error(_: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": sentence(str(exc))}, 400)


async def _misfit(_: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, RequestValidationError)
    # The first part of each place says "query" or "path".
    return JSONResponse(from_validation([dict(error) for error in exc.errors()], skip=1), 400)


async def _http_error(_: Request, exc: Exception) -> JSONResponse:
    assert isinstance(exc, HTTPException)
    text = exc.detail if isinstance(exc.detail, str) else HTTPStatus(exc.status_code).phrase
    return JSONResponse({"detail": sentence(text)}, exc.status_code, exc.headers)


async def _gone(_: Request, __: Exception) -> JSONResponse:
    return JSONResponse({"detail": "The client left before its request was complete."}, 400)


async def _broken(request: Request, exc: Exception) -> JSONResponse:
    log.error("! %s failed: %s", request.scope.get("endpoint"), type(exc).__name__)
    return JSONResponse({"detail": "The server failed on this request."}, 500)
