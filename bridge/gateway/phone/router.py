"""REST of the phone desk: what carriers ask and tell, and what is known of the calls."""

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from bridge.api.auth import require_key
from bridge.api.refusal import detail
from bridge.gateway.phone.audiosocket import AudioSocketDoor
from bridge.gateway.phone.carriers.base import PhoneNumbers
from bridge.gateway.phone.carriers.reading import WebhookUnclear, events_of, said
from bridge.gateway.phone.desk import PhoneDesk
from bridge.gateway.phone.record import MAX_KEPT, shown
from bridge.gateway.phone.webhooks import Asked, Refusal, Webhooks
from bridge.wire.answers.answer import Answer
from bridge.wire.signatures.request import MAX_BODY_BYTES, SignedRequest

_NO_STORE: Final = {"Cache-Control": "no-store"}
_Limit = Annotated[int, Query(ge=1, le=MAX_KEPT)]


def phone_router(
    desk: PhoneDesk, webhooks: Webhooks, audiosocket: AudioSocketDoor | None = None
) -> APIRouter:
    """The routes below ``/carriers``."""
    router = APIRouter(prefix="/carriers", include_in_schema=False)
    _add_calls(router, desk)
    if audiosocket is not None:
        _add_audiosocket(router, audiosocket)
    for path, about_new_calls in (("answer", True), ("status", False)):
        router.add_api_route(
            f"/{{carrier}}/{path}",
            _asked(webhooks, about_new_calls=about_new_calls),
            methods=["GET", "POST"],
            response_model=None,
        )
    router.add_api_route(
        "/{carrier}/answer/{call_id}/{token}",
        _asked_about_placed(webhooks),
        methods=["GET", "POST"],
        response_model=None,
    )
    return router


def _add_calls(router: APIRouter, desk: PhoneDesk) -> None:
    @router.get("/calls", dependencies=[Depends(require_key)])
    async def list_calls(limit: _Limit = 100) -> JSONResponse:
        calls = islice(desk.history.newest_first(), limit)
        return JSONResponse({"results": [shown(call) for call in calls]}, headers=_NO_STORE)

    @router.get("/calls/{call_id}", dependencies=[Depends(require_key)])
    async def get_call(call_id: str) -> JSONResponse:
        call = desk.history.get(call_id)
        if call is None:
            raise detail(404, "There is no such phone call")
        return JSONResponse(shown(call), headers=_NO_STORE)


def _add_audiosocket(router: APIRouter, door: AudioSocketDoor) -> None:
    @router.post("/audiosocket/answer", dependencies=[Depends(require_key)], response_model=None)
    async def announce(request: Request) -> Response:
        """Ask for the UUID of a call: a dialplan sends ``from`` and ``to``, as form, JSON or query."""
        try:
            fields = {**request.query_params, **events_of(await _signed(request))}
        except WebhookUnclear as exc:
            raise detail(400, f"This announces no call: {exc}") from None
        expected = door.expect(PhoneNumbers(said(fields, "from"), said(fields, "to")))
        if isinstance(expected, tuple):
            raise detail(*expected)
        return PlainTextResponse(expected, headers=_NO_STORE)


def _asked(webhooks: Webhooks, *, about_new_calls: bool) -> Callable[..., object]:
    async def endpoint(carrier: str, request: Request) -> Response:
        asked = await _asked_by(carrier, request, about_new_calls=about_new_calls)
        return _answered(webhooks.answer(asked))

    return endpoint


def _asked_about_placed(webhooks: Webhooks) -> Callable[..., object]:
    async def endpoint(carrier: str, call_id: str, token: str, request: Request) -> Response:
        asked = await _asked_by(carrier, request, about_new_calls=False)
        return _answered(webhooks.answer(replace(asked, dialled=(call_id, token))))

    return endpoint


async def _asked_by(carrier: str, request: Request, *, about_new_calls: bool) -> Asked:
    signed = await _signed(request)
    secure = request.url.scheme == "https"
    return Asked(carrier, signed, signed.headers.get("host", ""), secure, about_new_calls)


def _answered(answer: Answer | Refusal) -> Response:
    if isinstance(answer, Refusal):
        wait_s = answer.retry_after_s
        later = {} if wait_s is None else {"Retry-After": str(wait_s)}
        return JSONResponse({"detail": answer.detail}, answer.status, later)
    return Response(answer.body, media_type=answer.content_type, headers=_NO_STORE)


async def _signed(request: Request) -> SignedRequest:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return SignedRequest(request.method, _target(request), headers, await _body(request))


def _target(request: Request) -> str:
    """Path and query as they came: that is what is signed."""
    path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    return (path.partition(b"?")[0] + (b"?" + query if query else b"")).decode("latin-1")


async def _body(request: Request) -> bytes:
    """The body as far as a signature can cover it. Raises: Refused with 413."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            text = f"The body is longer than {MAX_BODY_BYTES} bytes"
            raise detail(413, text, {"Connection": "close"})
    return bytes(body)
