"""Opens AI calls: at the embedded call server in this process, or at an API elsewhere; the same client for both."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from bridge.client import CallApi
from bridge.errors import BridgeError
from bridge.gateway.phone.ai_call import AiCall
from bridge.gateway.phone.record import without_private
from bridge.legs.agent import agent_leg
from bridge.legs.agent_socket import AgentSocketLeg
from bridge.legs.base import Leg
from bridge.legs.carrier.figures import CarrierFigures
from bridge.legs.join_refusals import without_parts_of
from bridge.legs.join_url import announced
from bridge.legs.media_socket import MediaSocket
from bridge.legs.webrtc.options import RtcOptions
from bridge.log import whereabouts
from bridge.wire.close_codes import NORMAL

log = logging.getLogger(__name__)


class AiFailed(BridgeError):  # noqa: N818 - reads as what happened
    """There is no AI call; the sentence says why, without its join URL and with nothing private in it."""


class _Uplink(Protocol):
    """What lies between the caller and a room (`bridge.legs.webrtc.uplink`)."""

    @property
    def lost_ms(self) -> float: ...

    @property
    def pauses_left_out_ms(self) -> float: ...


@runtime_checkable
class _CatchesUp(Protocol):
    """A leg whose far end takes the caller's audio in real time only."""

    @property
    def uplink(self) -> _Uplink: ...


@dataclass(frozen=True, slots=True)
class JoinedAi:
    """An AI call that we have joined."""

    leg: Leg
    call_id: str
    join_url: str
    socket: MediaSocket

    def leave(self) -> None:
        """Close the call's socket, whether the leg has ever run or not."""
        self.socket.close(NORMAL)

    def count(self, figures: CarrierFigures) -> None:
        """Add what the AI side did not get of the caller; once, when the call is over."""
        if isinstance(self.leg, _CatchesUp):
            figures.caller_audio_lost_ms += self.leg.uplink.lost_ms
            figures.caller_pauses_left_out_ms += self.leg.uplink.pauses_left_out_ms

    def clean(self, text: str) -> str:
        """What the far end says, less what it repeats of the join URL and of who is on the phone."""
        return without_private(without_parts_of(self.join_url, text))


class AiSide:
    """Makes AI calls and joins them.

    Args:
        api: who serves them.
        limit_s: how long creating and joining may take together.
        rtc: how AI calls over WebRTC are joined.
        ours: they are served in this process.
    """

    def __init__(
        self, api: CallApi, limit_s: float, rtc: RtcOptions | None = None, *, ours: bool = False
    ) -> None:
        self.ours = ours
        self._api = api
        self._limit_s = limit_s
        self._rtc = rtc

    async def open(self, call: AiCall, on_created: Callable[[str], None]) -> JoinedAi:
        """Make a call and join it; `on_created` is told its id in between.

        Raises: AiFailed.
        """
        try:
            async with asyncio.timeout(self._limit_s):
                return await self._open(call, on_created)
        except TimeoutError:
            raise AiFailed(f"the AI call was not there within {self._limit_s:g} s") from None
        except AiFailed:
            raise
        except Exception as exc:  # noqa: BLE001 - the border of the AI side: its bug is no reason to leave a caller alone
            log.error("! an AI call could not be opened: %s", whereabouts(exc))  # noqa: TRY400 - no words of it
            raise AiFailed("the AI call failed inside while it was opened") from None

    async def _open(self, call: AiCall, on_created: Callable[[str], None]) -> JoinedAi:
        try:
            created = await self._api.create(call.body, agent=call.agent)
        except BridgeError as exc:
            # An API that refuses what it was told tells it again: numbers of the caller, say.
            said = without_private(str(exc))
            raise AiFailed(f"the AI call was not created: {said}") from None
        call_id, join_url = str(created["callId"]), str(created["joinUrl"])
        on_created(call_id)
        try:
            socket = await self._api.join(announced(join_url) if call.webrtc else join_url)
            leg = await self._leg(socket, call)
        except BridgeError as exc:
            said = without_private(without_parts_of(join_url, str(exc)))
            raise AiFailed(f"the AI call could not be joined: {said}") from None
        return JoinedAi(leg, call_id, join_url, socket)

    async def _leg(self, socket: MediaSocket, call: AiCall) -> Leg:
        if call.webrtc:
            return await agent_leg(socket, call.rates, rtc=self._rtc, may_go_away=False)
        return AgentSocketLeg(socket, call.rates, may_go_away=False)
