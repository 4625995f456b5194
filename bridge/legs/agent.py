"""The AI side behind any join URL, whatever the call's medium is: the first message on the socket tells.

A WebRTC call's socket begins with ``room_info`` (reference ultravox 3.1); any other begins with something else, or says
nothing until it is spoken to.
"""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bridge.errors import JoinRefused, MissingExtra, RemoteWireError
from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.base import Leg
from bridge.legs.media_socket import MediaSocket
from bridge.legs.peeked_socket import PeekedSocket
from bridge.legs.webrtc.installed import missing_webrtc
from bridge.legs.webrtc.options import OPUS_HZ, RtcOptions
from bridge.wire.agent_socket import Rates
from bridge.wire.messages import RoomInfo, parse_server_message

if TYPE_CHECKING:
    from bridge.legs.webrtc.room_choice import RoomClient
    from bridge.legs.webrtc.room_leg import RoomLeg

FIRST_S: Final = 10.0
"""How long a server may take to say where its room is; one that says nothing has none, and is soon given up."""
ROOM_INFO: Final = "room_info"


async def agent_leg(
    socket: MediaSocket,
    rates: Rates,
    *,
    rtc: RtcOptions | None = None,
    client: "RoomClient" = "auto",
    may_go_away: bool = True,
) -> Leg:
    """The leg for a call whose join URL `socket` is connected to; over WebRTC it has joined the room already.

    Args:
        socket: not started; it is the leg's from now on, and closed with it, or if there will be none.
        rates: of the audio to the agent and from it, Hz. Over WebRTC they are ours to choose: the leg has the next
            rate that Opus has.
        rtc: how to join a call over WebRTC; the defaults when left out. Its rates are those of `rates`.
        client: who joins a room for us (see `bridge.legs.webrtc.room_choice`).
        may_go_away: whether an agent whose server goes away (1001) has ended the call, or is lost.

    Raises: JoinRefused; MissingExtra where the parts for WebRTC are not installed.
    """
    peeked, began_s = PeekedSocket(socket), asyncio.get_running_loop().time()
    try:
        info = _room_info(await peeked.first_text(FIRST_S))
        if info is None:
            waited_s = asyncio.get_running_loop().time() - began_s
            return AgentSocketLeg(peeked, rates, may_go_away=may_go_away, silent_s=waited_s)
        leg = _room_leg(peeked, info, rates, rtc, client, may_go_away=may_go_away)
        await leg.join()
    except BaseException:
        peeked.close()
        raise
    return leg


def load_webrtc() -> None:
    """Load what `agent_leg` needs for calls over WebRTC, where it is installed: half a second that no call waits for.

    For a thread, before there are calls.
    """
    if missing_webrtc() is None:
        import bridge.legs.webrtc.room_leg  # noqa: PLC0415 - optional
        import bridge.legs.webrtc.rtc_room  # noqa: F401, PLC0415


def _room_info(first: str | None) -> RoomInfo | None:
    try:
        message = None if first is None else parse_server_message(first)
    except RemoteWireError as exc:
        if str(exc).startswith(ROOM_INFO):
            raise JoinRefused(f"the agent's side does not say where its room is: {exc}") from None
        return None  # the leg will say what is wrong with it
    return message if isinstance(message, RoomInfo) else None


def _room_leg(
    socket: MediaSocket,
    info: RoomInfo,
    rates: Rates,
    rtc: RtcOptions | None,
    client: "RoomClient",
    *,
    may_go_away: bool,
) -> "RoomLeg":
    # Slow to load and partly optional: only for who needs it.
    from bridge.legs.webrtc.room_choice import room_maker  # noqa: PLC0415
    from bridge.legs.webrtc.room_leg import RoomLeg  # noqa: PLC0415

    near = Rates(_opus_hz(rates.input_hz), _opus_hz(rates.output_hz))
    options = replace(rtc or RtcOptions(), ear_hz=near.output_hz, voice_hz=near.input_hz).to_join()
    make_room = room_maker(client, info, socket.peer, options)
    if isinstance(make_room, str):
        raise MissingExtra(make_room)
    return RoomLeg(socket, info, near, make_room, may_go_away=may_go_away)


def _opus_hz(rate_hz: int) -> int:
    return next((each for each in OPUS_HZ if each >= rate_hz), OPUS_HZ[-1])
