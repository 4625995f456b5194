"""The rooms of calls over WebRTC at the front door: LiveKit signalling, and the addresses that explain a refusal.

``{base}/rooms/{room}/rtc`` is signalling with two peer connections (v0), ``…/rtc/v1`` with one; the token comes in the
query or as a bearer's (reference webrtc 2.1). Beside each stands ``…/validate``, which a client asks over HTTP after a
refused upgrade; pages from anywhere may ask. A refusal is no 404 where signalling is spoken: that would send clients to
the other version.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bridge.calls.errors import CallError, TooManyJoins
from bridge.calls.rooms import Room, Rooms
from bridge.gateway.media_route import Admission, Admit, Knock, MediaRoute, UpgradeRefused
from bridge.legs.media_socket import SocketLimits
from bridge.legs.webrtc.installed import missing_webrtc

if TYPE_CHECKING:
    from bridge.gateway.server import CallServer
    from bridge.legs.media_socket import MediaSocket
    from bridge.legs.webrtc.options import RtcOptions
    from bridge.wire.livekit.join_request import JoinRequest

ROOM_PATH: Final = re.compile(r"/rooms/(?P<room>[0-9a-f-]{36})/rtc(?P<v1>/v1)?", re.ASCII)
ANYWHERE: Final = {"Access-Control-Allow-Origin": "*"}
SIGNAL_LIMITS: Final = SocketLimits(max_message_bytes=96 * 1024)
"""Of one signalling socket; a browser's first offer has 18 KiB."""
MAX_PARAMETERS: Final = 64


def room_routes(server: "CallServer") -> list[MediaRoute]:
    """The media routes of the signalling sockets; none where no call over WebRTC is made."""
    if server.rooms is None or server.rtc is None or missing_webrtc() is not None:
        return []
    return [MediaRoute(ROOM_PATH, _admit(server.rooms, server.rtc), SIGNAL_LIMITS)]


def room_router(rooms: Rooms) -> APIRouter:
    """The REST routes that say whether a token opens a room."""
    router = APIRouter(prefix="/rooms", include_in_schema=False)

    async def validate(room: str, request: Request) -> Response:
        try:
            rooms.check(room, _token(dict(request.query_params), request.headers))
        except CallError as exc:
            return JSONResponse({"detail": str(exc)}, exc.status, ANYWHERE)
        return PlainTextResponse("success", headers=ANYWHERE)

    async def preflight() -> Response:
        allowed = {"Access-Control-Allow-Headers": "authorization"}
        return Response(status_code=204, headers={**ANYWHERE, **allowed})

    for path in ("/{room}/rtc/validate", "/{room}/rtc/v1/validate"):
        router.add_api_route(path, validate, methods=["GET"], response_model=None)
        router.add_api_route(path, preflight, methods=["OPTIONS"], response_model=None)
    return router


def _admit(rooms: Rooms, options: "RtcOptions") -> Admit:
    async def admit(knock: Knock) -> Admission:
        from bridge.wire.livekit.join_request import Refusal, read_join  # noqa: PLC0415 - optional

        parts = urlsplit(knock.target)
        match = ROOM_PATH.fullmatch(parts.path)
        if match is None:
            raise UpgradeRefused(404, "There is no room at this address.")
        query = _query(parts.query)
        try:
            room = rooms.admit(match["room"], _token(query, knock.headers))
        except TooManyJoins as exc:
            wait_s = exc.retry_after_s
            raise UpgradeRefused(exc.status, str(exc), retry_after_s=wait_s) from None
        except CallError as exc:
            raise UpgradeRefused(exc.status, str(exc)) from None
        request = read_join("v1" if match["v1"] else "v0", query)
        if isinstance(request, Refusal):
            sentence = f"{request.sentence[0].upper()}{request.sentence[1:]}."
            raise UpgradeRefused(request.status, sentence)
        return Admission(_Joining(rooms, room, options, request).take)

    return admit


class _Joining:
    """A client that was let into its room and waits for its socket."""

    def __init__(
        self, rooms: Rooms, room: Room, options: "RtcOptions", request: "JoinRequest"
    ) -> None:
        self._rooms = rooms
        self._room = room
        self._options = options
        self._request = request

    def take(self, socket: "MediaSocket") -> None:
        """Join the client, or have it join anew if it wants to resume what cannot be resumed."""
        from bridge.legs.webrtc.resume import send_away  # noqa: PLC0415 - optional parts
        from bridge.legs.webrtc.room_link import RoomLink  # noqa: PLC0415
        from bridge.wire.livekit.names import room_names  # noqa: PLC0415

        if self._request.reconnect:
            send_away(socket, self._request, asyncio.get_running_loop())
            return
        room = self._room
        names = room_names(room.name, self._rooms.chance, room_sid=room.sid)
        link = RoomLink(
            socket, self._request, names, options=self._options, chance=self._rooms.chance
        )
        room.leg.attach(link)


def _query(text: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_PARAMETERS))
    except ValueError:
        raise UpgradeRefused(400, "The query has too many parameters.") from None


def _token(query: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    from bridge.wire.livekit.join_request import token_of  # noqa: PLC0415 - optional parts

    return token_of(query, headers.get("authorization"))
