"""The peer connections of one client in a room of ours: one in v1, in v0 one for each direction.

v1: the client's one connection carries its microphone, its data channels and the agent. v0: its ``publisher``
connection carries the microphone and what it sends; on the ``subscriber`` connection, which we offer, the agent speaks
and writes (reference webrtc 2.2, 2.3).
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import Answer, Peer, PeerState
from bridge.legs.webrtc.peers_user import PeersUser
from bridge.wire.livekit.data import LOSSY, RELIABLE
from bridge.wire.livekit.events import Target, Version
from bridge.wire.livekit.sdp_look import sends_audio

if TYPE_CHECKING:
    from bridge.legs.webrtc.channel import Channel
    from bridge.legs.webrtc.ear import EarFigures
    from bridge.legs.webrtc.voice import Voice

MakePeer: TypeAlias = Callable[[RtcOptions, str], Peer]
_NAMES: Final[dict[Target, str]] = {
    "publisher": "the client's connection",
    "subscriber": "the agent's connection",
}


def make_peer(options: RtcOptions, name: str) -> Peer:
    """A connection of aiortc's."""
    return Peer(options, name=name)


class ServedPeersUser(PeersUser, Protocol):
    """The link."""

    def changed(self) -> None:
        """Something is up that was not before."""
        ...


class ServedPeers:
    """See above.

    Args:
        user: the link.
        version: of its signalling.
        options: of the connections.
        make: makes one.
    """

    def __init__(
        self,
        user: ServedPeersUser,
        version: Version,
        options: RtcOptions,
        make: MakePeer = make_peer,
    ) -> None:
        self.hears = False
        """Whether the client sends a microphone."""
        self._user = user
        self._version: Version = version
        self._channel: Channel | None = None
        targets: tuple[Target, ...] = ("publisher",)
        if version == "v0":
            targets = ("publisher", "subscriber")
        self._peers = {target: make(options, _NAMES[target]) for target in targets}
        for peer in self._peers.values():
            peer.on_state = self._became
        publisher = self._peers["publisher"]
        publisher.hear(user.hear)
        publisher.on_channel = self._opened

    @property
    def open(self) -> bool:
        """Whether messages reach the client."""
        return self._channel is not None and self._channel.open

    @property
    def heard_s(self) -> float:
        """When audio of the client last came, loop time; 0 before."""
        ear = self._peers["publisher"].ear
        return 0.0 if ear is None else ear.came_s

    @property
    def heard(self) -> "EarFigures | None":
        """What was counted of the client's audio; None before there is an ear."""
        ear = self._peers["publisher"].ear
        return None if ear is None else ear.figures

    def say(self, voice: "Voice", msid: tuple[str, str]) -> None:
        """What the client hears, and what the SDP calls its stream and track; before the first answer or offer."""
        self._peers["subscriber" if self._version == "v0" else "publisher"].say(voice, msid)

    async def offer(self) -> str:
        """The agent's connection (v0), with its channels. Raises: BridgeError."""
        peer = self._peers["subscriber"]
        self._use(peer.open_channel(RELIABLE))
        peer.open_channel(LOSSY, reliable=False).on_message = self._user.data
        peer.speak()
        return await peer.offer()

    async def answer(self, sdp: str) -> Answer:
        """Answer an offer of the client's. Raises: RemoteWireError, BridgeError."""
        answer = await self._peers["publisher"].answer(sdp)
        if sends_audio(sdp) and not self.hears:
            self.hears = True
            self._user.changed()
        return answer

    async def accept(self, sdp: str) -> None:
        """Take the answer to our offer. Raises: RemoteWireError."""
        await self._peers["subscriber"].accept(sdp)

    def add_candidate(self, target: Target, init: str) -> None:
        """A way to reach the client."""
        peer = self._peers.get(target)
        if peer is not None:
            peer.add_candidate(init)

    def send(self, packet: bytes) -> bool:
        """Send a data packet; whether it could be."""
        return self._channel is not None and self._channel.send(packet)

    async def close(self) -> None:
        """Give everything back."""
        for peer in self._peers.values():
            await peer.close()

    def _opened(self, channel: "Channel") -> None:
        if channel.label in (RELIABLE, LOSSY):
            channel.on_message = self._user.data
            channel.on_too_long = self._user.too_long
        if channel.label == RELIABLE and self._version == "v1":
            self._use(channel)

    def _use(self, channel: "Channel") -> None:
        """Write to the client on this one; the newest counts."""
        self._channel = channel
        channel.on_message = self._user.data
        channel.on_too_long = self._user.too_long
        channel.on_open = self._user.changed
        if channel.open:
            self._user.changed()

    def _became(self, state: PeerState) -> None:
        if state in ("failed", "closed"):
            self._user.broke(f"the media connection {state}")
