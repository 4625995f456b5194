"""A call over WebRTC without LiveKit: one offer in, one answer out (WHIP, RFC 9725), at ``/calls/{callId}/whip``.

``POST`` with the join token as a bearer's and the whole offer as ``application/sdp`` joins the call: 201, the answer,
and in ``Location`` what ``DELETE`` ends. A page from anywhere may do so, as with the other ways to join: the token is
what counts. The offer is looked at before the call is claimed, so that a bad one leaves the call to be joined. Who
comes while somebody is there gets 409; the client itself may come back once its connection is lost, or nothing has
come on it for a while. The STUN and TURN servers that clients shall use stand in ``Link``, in what answers the offer,
or an ``OPTIONS`` with the token.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from bridge.calls.errors import AlreadyJoined, CallError, TokenUnknown
from bridge.calls.rooms import Rooms
from bridge.calls.service import CallService
from bridge.errors import BridgeError, RemoteWireError
from bridge.legs.webrtc.entrance import Entrance

if TYPE_CHECKING:
    from bridge.legs.webrtc.leg import WebRtcLeg
    from bridge.legs.webrtc.options import IceServer, RtcOptions
    from bridge.legs.webrtc.whip_link import WhipLink

MAX_OFFER: Final = 64 * 1024
ANSWER_S: Final = 10.0
"""How long the answer may take: a server for STUN or TURN that cannot be reached holds it up."""
QUIET_S: Final = 6.0
"""A client that is there is heard more often than this: after so long it may come anew."""
SDP: Final = "application/sdp"
CLIENT: Final = "whip"
_MAX_CLIENT_VERSION: Final = 100
_CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, Link",
    "Cache-Control": "no-store",
}
_PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "POST, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "authorization, content-type",
    "Access-Control-Max-Age": "86400",
    "Accept-Post": SDP,
}
_NOBODY: Final = "The call's join token is needed, as a bearer token."
_WRONG: Final = "This token opens no call."
_TOO_LATE: Final = "the server took too long to answer the offer"


class _RefusedError(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def whip_router(service: CallService, rooms: Rooms, options: "RtcOptions") -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/calls/{call_id}/whip", include_in_schema=False)
    desk = _Desk(service, rooms, options)
    servers = _links(options)

    @router.post("", response_model=None)
    async def join(call_id: str, request: Request) -> Response:
        try:
            answer = await desk.join(call_id, request)
        except (_RefusedError, CallError) as exc:
            return _refused(exc)
        headers = {**_CORS, **servers, "Location": request.url.path}
        return Response(answer, 201, headers, media_type=SDP)

    @router.delete("", response_model=None)
    async def leave(call_id: str, request: Request) -> Response:
        try:
            await desk.leave(call_id, request)
        except (_RefusedError, CallError) as exc:
            return _refused(exc)
        return Response(status_code=200, headers=_CORS)

    @router.options("", response_model=None)
    async def ask(call_id: str, request: Request) -> Response:
        headers = {**_CORS, **_PREFLIGHT}
        if "authorization" in request.headers:  # a browser's own question has none
            try:
                await desk.check(call_id, request)
            except (_RefusedError, CallError) as exc:
                return _refused(exc)
            headers |= servers
        return Response(status_code=204, headers=headers)

    return router


class _Desk:
    """Takes offers."""

    def __init__(self, service: CallService, rooms: Rooms, options: "RtcOptions") -> None:
        self._service = service
        self._rooms = rooms
        self._options = options

    async def join(self, call_id: str, request: Request) -> str:
        """The answer. Raises: _RefusedError, CallError."""
        from bridge.legs.webrtc.whip_link import WhipLink  # noqa: PLC0415 - optional parts

        token = _bearer(request.headers)
        joined = await self._may_join(call_id, token)
        offer = await _offer(request)
        try:
            link = WhipLink(offer, self._options)
        except RemoteWireError as exc:
            raise _RefusedError(400, _sentence(exc)) from None
        if joined:
            self._come_back(call_id, link)
        else:
            await self._service.claim(call_id, token, kind="webrtc")
            version = request.query_params.get("clientVersion", CLIENT)[:_MAX_CLIENT_VERSION]
            self._service.start(call_id, Entrance(link=link), version)
        return await self._answer(call_id, link)

    async def check(self, call_id: str, request: Request) -> None:
        """Whether somebody may join. Raises: _RefusedError, CallError."""
        await self._may_join(call_id, _bearer(request.headers))

    async def leave(self, call_id: str, request: Request) -> None:
        """End the call. Raises: _RefusedError, CallError."""
        token = _bearer(request.headers)
        await self._may_join(call_id, token)
        room = self._rooms.room(call_id)
        if room is None or not room.leg.running:
            raise _RefusedError(404, "Nobody has joined this call.")
        room.leg.hang_up()

    async def _may_join(self, call_id: str, token: str) -> bool:
        """Whether somebody has joined already. Raises: _RefusedError, CallOver."""
        try:
            return await self._service.check_token(call_id, token, kind="webrtc")
        except TokenUnknown:
            raise _RefusedError(401, _WRONG) from None

    async def _answer(self, call_id: str, link: "WhipLink") -> str:
        try:
            async with asyncio.timeout(ANSWER_S):
                return await link.answered()
        except RemoteWireError as exc:
            raise _RefusedError(400, _sentence(exc)) from None
        except BridgeError as exc:
            raise _RefusedError(503, _sentence(exc)) from None
        except TimeoutError:
            room = self._rooms.room(call_id)
            if room is not None:  # the client may come anew at once
                room.leg.lost(link, _TOO_LATE)
            link.stop("over")
            raise _RefusedError(503, f"{_TOO_LATE.capitalize()}.") from None

    def _come_back(self, call_id: str, link: "WhipLink") -> None:
        room = self._rooms.room(call_id)
        if room is None or not room.leg.running or not (room.leg.away or _quiet(room.leg)):
            raise AlreadyJoined("Somebody has joined this call already.")
        self._rooms.count_join(room)
        room.leg.attach(link)


def _quiet(leg: "WebRtcLeg") -> bool:
    return asyncio.get_running_loop().time() - leg.heard_s > QUIET_S


async def _offer(request: Request) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != SDP:
        raise _RefusedError(415, f"The offer is sent as {SDP}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_OFFER:
            raise _RefusedError(413, f"The offer is longer than {MAX_OFFER} bytes.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise _RefusedError(400, "The offer is not UTF-8.") from None


def _links(options: "RtcOptions") -> dict[str, str]:
    """The servers that clients shall use, as RFC 9725 writes them (4.6)."""
    links = [_link(each) for each in options.ice_servers]
    return {"Link": ", ".join(links)} if links else {}


def _link(server: "IceServer") -> str:
    link = f'<{server.url}>; rel="ice-server"'
    if server.username is not None and server.credential is not None:
        link += f"; username={_quoted(server.username)}; credential={_quoted(server.credential)}"
        link += '; credential-type="password"'
    return link


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip().isascii():
        raise _RefusedError(401, _NOBODY)
    return token.strip()


def _refused(exc: _RefusedError | CallError) -> Response:
    headers = dict(_CORS)
    if exc.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    elif exc.status == 413:
        headers["Connection"] = "close"
    return JSONResponse({"detail": str(exc)}, exc.status, headers)


def _sentence(exc: BridgeError) -> str:
    text = str(exc)
    return f"{text[:1].upper()}{text[1:]}."
