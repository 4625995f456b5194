"""One peer connection: descriptions in and out, an ear for the peer's audio, a voice for ours, data channels.

Sources: reference webrtc 2 to 5, reliability 4.10. It serves both roles, the one who offers and the one who answers,
and knows nothing of who is behind it or of how descriptions travel. All sections share one transport. What a peer says
wrong is a `RemoteWireError` in one sentence; the connection is to be closed then.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

from aiortc import (
    RTCBundlePolicy,
    RTCConfiguration,
    RTCIceServer,
    RTCPeerConnection,
)

from bridge.errors import BridgeError
from bridge.legs.webrtc import inside
from bridge.legs.webrtc.channel import Channel
from bridge.legs.webrtc.descriptions import Descriptions
from bridge.legs.webrtc.ear import Ear
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.trickle import Trickle
from bridge.legs.webrtc.voice import Voice
from bridge.legs.webrtc.voice_section import VoiceSection
from bridge_codecs.pcm import Int16

CONNECT_S: Final = 30.0
"""From the second description to a connection that works."""
CLOSE_S: Final = 2.0
MAX_CHANNELS: Final = 16

PeerState: TypeAlias = Literal["new", "connecting", "connected", "failed", "closed"]


class Answer(NamedTuple):
    """Our answer, and the ``mid`` of the section on which our voice is sent; None if the offer had no place for it."""

    sdp: str
    voice_mid: str | None


class Peer:
    """A connection to one peer; to be closed in any case.

    Args:
        options: how to connect.
        name: for task names and sentences.
    """

    def __init__(self, options: RtcOptions, *, name: str) -> None:
        self.on_state: Callable[[PeerState], None] | None = None
        """Called when the state changes; not after `close`."""
        self.on_channel: Callable[[Channel], None] | None = None
        """Called for each channel that the peer opens, before its first message."""
        self.state: PeerState = "new"
        self.ear: Ear | None = None
        """What hears the peer; None before `hear`."""
        self._options = options
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._connection = RTCPeerConnection(_configuration(options))
        self._connection.on("connectionstatechange", self._changed)
        self._connection.on("datachannel", self._opened)
        self._lock = asyncio.Lock()
        self._trickle = Trickle(self._connection, name)
        self._section = VoiceSection(self._connection)
        self._descriptions = Descriptions(
            self._connection,
            must_live=self._must_live,
            adopt=self._adopt,
            external_address=options.external_address,
        )
        self._deadline: asyncio.TimerHandle | None = None
        self._channels: list[Channel] = []
        self._closing: asyncio.Task[None] | None = None

    # Before the first description, or between two

    def hear(self, sink: Callable[[Int16], None]) -> None:
        """Decode what the peer says: `sink` gets mono int16 at the options' ``ear_hz``, gapless from the first packet.

        However many tracks the peer has or publishes one after the other, it is one stream: that of the track that
        is sent.
        """
        if self.ear is not None:
            self.ear.close()
        self.ear = Ear(sink, self._options.ear_hz)

    def expect_audio(self) -> None:
        """The next `offer` asks for a track of the peer."""
        self._connection.addTransceiver("audio", direction="recvonly")

    def say(self, voice: Voice, msid: tuple[str, str] | None = None) -> None:
        """Send `voice`: it is attached when the connection is up, and detached when it goes.

        `msid` is what the SDP calls its stream and its track. On which section it goes: see `voice_section`.
        """
        self._section.say(voice, msid)

    def speak(self) -> str:
        """The next `offer` has a section for our voice; returns what the SDP calls its track."""
        return self._section.add()

    def open_channel(self, label: str, *, reliable: bool = True) -> Channel:
        """A channel of ours: ordered and reliable, or neither."""
        if reliable:
            channel = self._connection.createDataChannel(label)
        else:
            channel = self._connection.createDataChannel(label, ordered=False, maxRetransmits=0)
        return self._kept(Channel(channel))

    # Descriptions

    async def answer(self, offer_sdp: str, *, needs_audio: bool = False) -> Answer:
        """Take an offer, the first or a later one, and answer it.

        Raises: RemoteWireError for one that cannot be used, or, with `needs_audio`, has none; BridgeError if no socket
            can be opened.
        """
        async with self._lock:
            await self._descriptions.take(offer_sdp, "offer", needs_audio=needs_audio)
            self._described()
            self._section.choose()
            return Answer(await self._descriptions.make("answer"), self._section.mid)

    async def offer(self) -> str:
        """Make an offer, with all that was asked for until now. Raises: BridgeError if no socket can be opened."""
        async with self._lock:
            self._adopt()
            inside.share_transport(self._connection)
            return await self._descriptions.make("offer")

    async def accept(self, answer_sdp: str) -> None:
        """Take the answer to our offer. Raises: RemoteWireError for one that cannot be used."""
        async with self._lock:
            await self._descriptions.take(answer_sdp, "answer")
            self._described()

    def add_candidate(self, init: str | dict[str, Any]) -> None:
        """Take a trickled candidate, as JSON or as an object; never waits, and one of no use is passed over."""
        self._trickle.take(init)

    # The end

    async def close(self) -> None:
        """Give everything back; may be called again, and never fails."""
        if self._closing is None:
            self._closing = self._loop.create_task(self._close(), name=f"{self._name}: closing")
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self.on_state = self.on_channel = None
        self.state = "closed"
        if self._deadline is not None:
            self._deadline.cancel()
        self._section.close()
        if self.ear is not None:
            self.ear.close()
        for channel in self._channels:
            channel.forget()
        self._trickle.stop()
        await asyncio.wait(
            (self._loop.create_task(self._connection.close(), name=f"{self._name}: connection"),),
            timeout=CLOSE_S,
        )

    # Inside

    def _described(self) -> None:
        self._trickle.described()
        if self._deadline is None:
            self._deadline = self._loop.call_later(CONNECT_S, self._too_late)

    def _must_live(self) -> None:
        if self._closing is not None:
            raise BridgeError("the connection is closed")

    def _adopt(self) -> None:
        inside.adopt(self._connection, self._options, self._put, self._section.ready, self._flooded)

    def _put(self, sequence: int, timestamp: int, payload: bytes, ssrc: int) -> None:
        if self.ear is not None:
            self.ear.put(sequence, timestamp, payload, ssrc)

    def _opened(self, channel: Any) -> None:
        if len(self._channels) >= MAX_CHANNELS:
            channel.close()
        elif self.on_channel is not None:
            self.on_channel(self._kept(Channel(channel)))

    def _kept(self, channel: Channel) -> Channel:
        self._channels.append(channel)
        return channel

    def _changed(self) -> None:
        state = cast("PeerState", self._connection.connectionState)
        if state == "connected" and self._deadline is not None:
            self._deadline.cancel()
        self._become(state)

    def _flooded(self) -> None:
        self._become("failed")

    def _too_late(self) -> None:
        if self.state != "connected":
            self._become("failed")

    def _become(self, state: PeerState) -> None:
        if state != self.state and self.state not in ("failed", "closed"):
            self.state = state
            if self.on_state is not None:
                self.on_state(state)


def _configuration(options: RtcOptions) -> RTCConfiguration:
    servers = [
        RTCIceServer(urls=server.url, username=server.username, credential=server.credential)
        for server in options.ice_servers
    ]
    # An empty list, not none at all: without it a public STUN server is asked.
    return RTCConfiguration(iceServers=servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
