"""Our peer connections in somebody else's room: one in v1; in v0 one to speak and write on, one to hear and read on.

v1: the ``publisher`` connection carries everything, and all of it is offered by us. v0: the server offers the
``subscriber`` connection, on which it speaks and opens its own channels (reference webrtc 2.3, 3).
"""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final

from bridge.audio.lane import Lane
from bridge.errors import ConfigError
from bridge.legs.webrtc.channel import Channel
from bridge.legs.webrtc.options import IceServer, RtcOptions
from bridge.legs.webrtc.peer import Peer, PeerState
from bridge.legs.webrtc.peers_user import PeersUser
from bridge.legs.webrtc.voice import Voice
from bridge.wire.livekit import events
from bridge.wire.livekit.data import LOSSY, RELIABLE
from bridge.wire.livekit.events import Target

AHEAD_MS: Final = 1_600.0
"""How far ahead of its time what waited may be sent. libwebrtc's receiver keeps 4 s: of ten seconds that were kept it
plays every 0.15 s of tone with this bound, and drops 3.9 s in one piece without one (measured)."""


class RoomPeers:
    """The connections of one stay; to be closed in any case.

    Args:
        options: of the connections.
        say: what the room hears from us, at its own rate.
        user: the stay.
    """

    def __init__(self, options: RtcOptions, say: Lane, user: PeersUser) -> None:
        self.open: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when data packets get through to the room."""
        self._options = options
        self._voice = Voice(say, bitrate=options.bitrate, ahead_ms=AHEAD_MS)
        self._user = user
        self._peers: dict[Target, Peer] = {}
        self._channel: Channel | None = None

    def use(self, servers: Sequence[events.IceServer]) -> None:
        """The room's STUN and TURN servers, for connections made from now on, unless there are configured ones."""
        if not self._options.ice_servers:
            known = tuple(each for server in servers for each in _ice_servers(server))
            self._options = replace(self._options, ice_servers=known, room_servers=bool(known))

    async def first_offer(self) -> str:
        """An offer to hear the room and to exchange messages (v1). Raises: BridgeError."""
        peer = self._publisher()
        peer.hear(self._user.hear)
        peer.expect_audio()
        return await peer.offer()

    def speak(self) -> str:
        """The next `offer` has our microphone; what it calls the track."""
        peer = self._publisher()
        peer.say(self._voice)
        return peer.speak()

    async def offer(self) -> str:
        """An offer of what we speak and write on. Raises: BridgeError."""
        return await self._publisher().offer()

    async def accept(self, sdp: str) -> None:
        """Take the answer to an offer of ours. Raises: RemoteWireError."""
        await self._publisher().accept(sdp)

    async def answer(self, sdp: str) -> str:
        """Answer the server's offer, the first or a later one (v0). Raises: RemoteWireError, BridgeError."""
        peer = self._peers.get("subscriber")
        if peer is None:
            peer = self._make("subscriber")
            peer.hear(self._user.hear)
        return (await peer.answer(sdp)).sdp

    def add_candidate(self, target: Target, init: str) -> None:
        """Take a candidate of the server's."""
        peer = self._peers.get(target)
        if peer is not None:
            peer.add_candidate(init)

    def send(self, packet: bytes) -> bool:
        """Send a data packet; false if it did not go out."""
        return self._channel is not None and self._channel.send(packet)

    def mute(self, *, muted: bool) -> None:
        """Whether silence goes out instead of what we say; its time passes all the same."""
        self._voice.muted = muted

    async def renew(self) -> None:
        """Close all connections, to begin anew."""
        peers, self._peers, self._channel = list(self._peers.values()), {}, None
        await asyncio.gather(*(peer.close() for peer in peers))

    async def close(self) -> None:
        """Give everything back; may be called again."""
        self._voice.close()
        await self.renew()

    def _publisher(self) -> Peer:
        peer = self._peers.get("publisher")
        if peer is None:
            peer = self._make("publisher")
            channel = self._channel = peer.open_channel(RELIABLE)
            self._read(channel)
            channel.on_open = self._opened
            peer.open_channel(LOSSY, reliable=False)
        return peer

    def _make(self, target: Target) -> Peer:
        peer = self._peers[target] = Peer(self._options, name=f"room {target}")
        peer.on_channel = self._channel_of_theirs
        peer.on_state = self._changed
        return peer

    def _channel_of_theirs(self, channel: Channel) -> None:
        if channel.label == RELIABLE:
            self._read(channel)

    def _read(self, channel: Channel) -> None:
        channel.on_message = self._user.data
        channel.on_too_long = self._user.too_long

    def _opened(self) -> None:
        if not self.open.done():
            self.open.set_result(None)

    def _changed(self, state: PeerState) -> None:
        if state in ("failed", "closed"):
            self._user.broke(f"the media connection to the agent's room is {state}")


def _ice_servers(server: events.IceServer) -> Iterator[IceServer]:
    """Those of its addresses that are of use; a room may name anything."""
    for url in server.urls:
        with suppress(ConfigError):
            yield IceServer(url, server.username or None, server.credential or None)
