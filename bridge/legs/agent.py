"""The AI side behind any join URL, whatever its medium is."""

from typing import TYPE_CHECKING

from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.base import Leg
from bridge.legs.media_socket import MediaSocket
from bridge.wire.agent_socket import Rates

if TYPE_CHECKING:
    from bridge.legs.webrtc.options import RtcOptions


async def agent_leg(
    socket: MediaSocket,
    rates: Rates,
    *,
    rtc: "RtcOptions | None" = None,  # noqa: ARG001 - for calls over WebRTC
    may_go_away: bool = True,
) -> Leg:
    """The leg for a call whose join URL `socket` is connected to; the socket is not started yet.

    Args:
        socket: it is the leg's from now on, and closed by it.
        rates: of the audio to the agent and from it, Hz.
        rtc: how to join a call over WebRTC; the defaults when left out.
        may_go_away: whether an agent whose server goes away (1001) has ended the call, or is lost.
    """
    return AgentSocketLeg(socket, rates, may_go_away=may_go_away)
