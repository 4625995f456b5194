"""Ending a phone call, which closing its socket alone does not do (reference telephony 0.2).

Each carrier has its way: its REST API, a message on the socket, or the close itself. A call that the carrier has ended,
or that was sent elsewhere, is not ours to end: then the socket is closed and nothing else. A carrier that was asked to
send the caller elsewhere ends the stream itself: what stands behind it in its document would be done if we came first.
"""

import asyncio
import logging
from typing import Final

from bridge.legs.carrier.phone_tools import PhoneTools
from bridge.legs.media_socket import MediaSocket, send_message
from bridge.legs.phone_line import CarrierApiError, PhoneLine
from bridge.wire.carriers.base import CarrierWire
from bridge.wire.close_codes import NORMAL

log = logging.getLogger(__name__)

NO_API: Final = "there are no credentials for the API of the carrier: its document ends the call"
STOP_LIMIT_S: Final = 2.0
"""How long the carrier may take to end the stream after it was told to on the socket."""


class HangUp:
    """The end of one phone call.

    Args:
        socket: the carrier's.
        wire: its protocol.
        line: the phone call at the carrier's API, if there are credentials.
        tools: a transfer under way is waited for.

    Attributes:
        gone: the carrier's stream is over, or its socket.
        ended_by_carrier: it was the carrier that ended the call.
        failure: why the carrier's API did not hang up, in a sentence; empty if it did, or if that is not its part.
    """

    def __init__(
        self, socket: MediaSocket, wire: CarrierWire, line: PhoneLine | None, tools: PhoneTools
    ) -> None:
        self.gone = asyncio.Event()
        self.ended_by_carrier = False
        self.failure = ""
        self._socket = socket
        self._wire = wire
        self._line = line
        self._tools = tools
        self._task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """End the call; it is done once, and whoever comes later waits for it. Goes on though a waiter is cancelled."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._end(), name="hang-up")
        await asyncio.shield(self._task)

    async def _end(self) -> None:
        try:
            await self._tools.finish()
            if self._tools.transferred:
                await self._let_go()
            elif not self.ended_by_carrier:
                await self._end_phone_call()
        finally:
            self._socket.close(NORMAL)

    async def _let_go(self) -> None:
        """Wait until the carrier has taken the caller off the stream."""
        if not self._tools.closes:
            await self._carrier_stops()

    async def _end_phone_call(self) -> None:
        by = self._wire.traits.ends_by
        if by == "message" and not self.gone.is_set() and await self._end_by_message():
            return
        if by == "rest" and self._line is None:
            self.failure = NO_API
        elif by != "close" and self._line is not None:
            try:
                await self._line.hang_up()
            except CarrierApiError as exc:
                self.failure = str(exc)
                log.warning("! a carrier did not hang up: %s", exc)

    async def _end_by_message(self) -> bool:
        """Whether the carrier has ended the stream as it was told."""
        for message in self._wire.hang_up():
            send_message(self._socket, message)
        return await self._carrier_stops()

    async def _carrier_stops(self) -> bool:
        """Whether the carrier ends the stream in time."""
        try:
            async with asyncio.timeout(STOP_LIMIT_S):
                await self.gone.wait()
        except TimeoutError:
            return False
        return True
