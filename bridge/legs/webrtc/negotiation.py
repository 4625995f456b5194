"""What a LiveKit client and we settle by signalling: the join, offers, answers, candidates, its track.

Sequences: reference webrtc 2.2 (v1: one connection, the client offers), 2.3 (v0: one each way, we offer the agent's).
Events are worked off one after the other, because an answer takes tens of milliseconds and the next event may need it.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bridge.legs.webrtc.served_peers import ServedPeers
from bridge.wire.livekit.events import (
    AddTrack,
    AnswerReceived,
    Candidate,
    OfferReceived,
    Send,
    ServerEvent,
)
from bridge.wire.livekit.join_request import JoinRequest
from bridge.wire.livekit.server_session import ServerSession

if TYPE_CHECKING:
    from bridge.legs.webrtc.voice import Voice


class Negotiation:
    """That of one connection.

    Args:
        session: the protocol's machine.
        peers: what it is about.
        send: sends a frame.
        note: gets every event that is not about connections, and the client's track when it is taken.
    """

    def __init__(
        self,
        session: ServerSession,
        peers: ServedPeers,
        send: Callable[[bytes], None],
        note: Callable[[ServerEvent], None],
    ) -> None:
        self._session = session
        self._peers = peers
        self._send = send
        self._note = note
        self._events: asyncio.Queue[ServerEvent] = asyncio.Queue()

    def take(self, events: Iterable[ServerEvent]) -> None:
        """These came."""
        for event in events:
            self._events.put_nowait(event)

    async def run(self, request: JoinRequest, voice: "Voice") -> None:
        """Let the client in, then work off what comes, until cancelled. Raises: RemoteWireError, BridgeError."""
        now_s = asyncio.get_running_loop().time()
        join, *events = self._session.begin(request, now_s)
        await self._handle(join)
        await self._present(voice)
        for event in events:
            await self._handle(event)
        while True:
            await self._handle(await self._events.get())

    async def _present(self, voice: "Voice") -> None:
        """Say what the client will hear, and offer it where that is ours to do."""
        participant, track = self._session.names.agent_msid
        self._peers.say(voice, (f"{participant}|{track}", track))
        if self._session.version == "v0":
            self._send(self._session.offer(await self._peers.offer()))

    async def _handle(self, event: ServerEvent) -> None:
        match event:
            case Send(data):
                self._send(data)
            case OfferReceived(id=offer_id, sdp=sdp):
                answer = await self._peers.answer(sdp)
                self._send(self._session.answer(offer_id, answer.sdp, answer.voice_mid))
            case AnswerReceived(sdp=sdp):
                await self._peers.accept(sdp)
            case Candidate(target, init):
                self._peers.add_candidate(target, init)
            case AddTrack():
                self._send(self._session.track_published(event))
                self._note(event)
            case _:
                self._note(event)
