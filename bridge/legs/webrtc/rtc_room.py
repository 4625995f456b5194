"""A stay in a room by our own client: LiveKit signalling over our peer connections, v1 first, v0 where that is unknown.

Sequence (reference webrtc 3). v1: one connection whose first offer rides in the join request; then the microphone is
announced, and offered when it is known. v0: the server offers the connection on which we hear it, we offer the one on
which we speak. A stay cannot be mended: what is lost is begun anew by the leg.
"""

import asyncio
import logging
from typing import Final

from bridge.audio.lane import Lane
from bridge.errors import BridgeError, JoinRefused, RemoteWireError
from bridge.legs.media_socket import Connect
from bridge.legs.webrtc.link import TOO_LONG
from bridge.legs.webrtc.milestones import Milestones
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.room import Access, RoomUser
from bridge.legs.webrtc.room_peers import RoomPeers
from bridge.legs.webrtc.signal_link import SignalLink
from bridge.wire.livekit.client_session import ClientSession
from bridge.wire.livekit.data import PacketReader, user_packet
from bridge.wire.livekit.events import (
    AnswerReceived,
    Candidate,
    ClientEvent,
    Ignored,
    Joined,
    Left,
    Muted,
    OfferReceived,
    Refused,
    SectionsWanted,
    TokenRefreshed,
    TrackPublished,
)
from bridge.wire.livekit.join_url import signal_url
from bridge.wire.livekit.sdp_look import takes_audio
from bridge_codecs.pcm import Int16

log = logging.getLogger(__name__)

JOIN_S: Final = 5.0
ANSWER_S: Final = 5.0
PUBLISH_S: Final = 10.0
OPEN_S: Final = 10.0
"""From the answer to an open data channel: ICE and DTLS."""
NAME: Final = "microphone"
NOT_FOUND: Final = 404
NOT_TAKEN: Final = (
    "the agent's room reads our data messages too slowly, or takes none so long; one is lost"
)


class RtcRoom:
    """See Room.

    Args:
        access: where the room is; the version that it speaks is noted there.
        user: the leg.
        say: the microphone, at its own rate.
        options: of the peer connections.
        connect: opens the signalling socket.
    """

    def __init__(
        self,
        access: Access,
        user: RoomUser,
        say: Lane,
        *,
        options: RtcOptions,
        connect: Connect,
    ) -> None:
        self._access = access
        self._user = user
        self._connect = connect
        self._loop = asyncio.get_running_loop()
        self._heard_s = self._loop.time()
        self._miles = Milestones()
        self._reader = PacketReader()
        self._peers = RoomPeers(options, say, self)
        self._peers.use(access.ice_servers)
        self._link: SignalLink | None = None
        self._session = ClientSession(access.version)
        self._me = Joined("", "", "", (), False, 0, 0, (), False, "")
        self._sid = ""
        """Of our microphone."""
        self._inside = False
        self._answering: set[asyncio.Task[None]] = set()
        self._leaving: asyncio.Task[None] | None = None

    @property
    def heard_s(self) -> float:
        """See Room."""
        return self._heard_s if self._link is None else max(self._heard_s, self._link.heard_s)

    async def join(self) -> None:
        """See Room."""
        try:
            if self._access.version == "v1":
                try:
                    await self._join_v1()
                except JoinRefused as exc:
                    if exc.status != NOT_FOUND:
                        raise
                    self._access.version = "v0"
                    await self._peers.renew()
            if self._access.version == "v0":
                await self._join_v0()
        except JoinRefused:
            raise
        except BridgeError as exc:
            raise JoinRefused(f"the agent's room cannot be used: {exc}") from None
        self._inside = True

    def send(self, payload: bytes) -> None:
        """See Room."""
        if not self._peers.send(user_packet(payload, identity=self._me.identity)):
            self._warn("message_not_sent", NOT_TAKEN)

    def stop(self) -> None:
        """See Room."""
        if self._leaving is None:
            if self._link is not None:
                self._link.close()
            for task in tuple(self._answering):
                task.cancel()
            self._leaving = self._loop.create_task(self._peers.close(), name="room leaving")

    async def closed(self) -> None:
        """See Room."""
        if self._leaving is not None:
            await asyncio.shield(self._leaving)

    # Joining

    async def _join_v1(self) -> None:
        self._session = ClientSession("v1")
        sdp = await self._peers.first_offer()
        answered = self._miles.expect(AnswerReceived)
        await self._enter(
            signal_url(
                self._access.room_url,
                "v1",
                self._access.token,
                self._session.first_offer(sdp),
            )
        )
        answer = await self._miles.wait(answered, "answer", ANSWER_S)
        await self._peers.accept(answer.sdp)
        await self._publish()

    async def _join_v0(self) -> None:
        self._session = ClientSession("v0")
        await self._enter(signal_url(self._access.room_url, "v0", self._access.token))
        await self._publish()

    async def _enter(self, url: str) -> None:
        socket = await self._connect(url)
        joined = self._miles.expect(Joined)
        self._link = SignalLink(self._session, socket, self._take, self.broke)
        self._me = await self._miles.wait(joined, "word of who we are", JOIN_S)
        self._access.ice_servers = self._me.ice_servers
        self._peers.use(self._me.ice_servers)
        if not self._me.can_publish:
            raise JoinRefused("the agent's room does not let us speak")

    async def _publish(self) -> None:
        """Announce the microphone, offer it, and wait until messages get through."""
        assert self._link is not None
        published = self._miles.expect(TrackPublished)
        self._link.send(self._session.add_track(self._peers.speak(), NAME))
        self._sid = (await self._miles.wait(published, "word of our microphone", PUBLISH_S)).sid
        sdp = await self._peers.offer()
        answered = self._miles.expect(AnswerReceived)
        self._link.send(self._session.offer(sdp))
        answer = await self._miles.wait(answered, "answer", ANSWER_S)
        await self._peers.accept(answer.sdp)
        if not takes_audio(answer.sdp):
            raise JoinRefused("the agent's room takes no audio from us")
        await self._miles.wait(self._peers.open, "open data channel", OPEN_S)

    # From the room

    def _take(self, event: ClientEvent) -> None:
        self._miles.reach(event)
        match event:
            case Candidate(target=target, init=init):
                self._peers.add_candidate(target, init)
            case OfferReceived():
                task = self._loop.create_task(self._answer(event), name="room answer")
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
            case Refused(sentence=sentence):
                self.broke(sentence) if not self._inside else self._warn("room", sentence)
            case Left(action="disconnect", reason=reason):
                self._miles.break_off(f"the agent's room has sent us away: {reason}")
                self._user.sent_away(self, reason)
            case Left(reason=reason):
                self.broke(f"the room wants us to join anew: {reason}")
            case TokenRefreshed(token=token):
                self._access.token = token
            case Muted(sid=sid, muted=muted) if sid == self._sid:
                self._peers.mute(muted=muted)
            case SectionsWanted(audios=audios):
                self._warn("room", f"the room has {audios} more audio tracks; one is heard")
            case Ignored(what=what, sentence=sentence):
                self._warn(f"ignored: {what}", sentence)
            case _:
                pass

    async def _answer(self, offer: OfferReceived) -> None:
        """Take the server's offer of the connection on which we hear it (v0)."""
        assert self._link is not None
        try:
            sdp = await self._peers.answer(offer.sdp)
        except BridgeError as exc:
            self.broke(f"the room's offer cannot be used: {exc}")
        else:
            self._link.send(self._session.answer(offer.id, sdp))

    # A PeersUser

    def hear(self, samples: Int16) -> None:
        """Audio of the agent."""
        self._heard_s = self._loop.time()
        self._user.hear(self, samples)

    def data(self, packet: bytes | str) -> None:
        """A data packet."""
        self._heard_s = self._loop.time()
        try:
            read = self._reader.read(packet if isinstance(packet, bytes) else packet.encode())
        except RemoteWireError as exc:
            self._warn("ignored: bad message", str(exc))
        else:
            if read is not None:
                self._user.take(self, read.payload)

    def too_long(self) -> None:
        """A message that is too long to be looked at."""
        self._heard_s = self._loop.time()
        self._warn("ignored: bad message", TOO_LONG)

    def broke(self, why: str) -> None:
        """The stay cannot go on."""
        self._miles.break_off(why)
        if self._inside and self._leaving is None:
            self._user.lost(self, why)

    def _warn(self, type_: str, sentence: str) -> None:
        if self._leaving is None:
            self._user.warn(self, type_, sentence)
