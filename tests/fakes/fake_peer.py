"""A peer connection without a network, which a test moves; and a room link that is made of such."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from bridge.errors import RemoteWireError
from bridge.legs.webrtc.ear import EarFigures
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import Answer, Peer, PeerState
from bridge_codecs.pcm import Int16

MICROPHONE = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=sendonly\r\n"
NO_MICROPHONE = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=recvonly\r\n"
BAD = "v=0\r\nbad"


@dataclass
class FakeChannel:
    """A data channel."""

    label: str
    open: bool = True
    takes: bool = True
    sent: list[bytes | str] = field(default_factory=list)
    on_open: Callable[[], None] | None = None
    on_message: Callable[[bytes | str], None] | None = None
    on_close: Callable[[], None] | None = None
    on_too_long: Callable[[], None] | None = None

    def send(self, message: bytes | str) -> bool:
        if self.open and self.takes:
            self.sent.append(message)
        return self.open and self.takes

    def come_up(self) -> None:
        self.open = True
        if self.on_open is not None:
            self.on_open()


@dataclass
class _Ear:
    came_s: float = 0.0
    figures: EarFigures = field(default_factory=EarFigures)


class FakePeer:
    """A peer connection whose answers take 30 ms."""

    def __init__(self, options: RtcOptions, name: str) -> None:
        self.name = name
        self.state: PeerState = "new"
        self.on_state: Callable[[PeerState], None] | None = None
        self.on_channel: Callable[[Any], None] | None = None
        self.ear = _Ear()
        self.sink: Callable[[Int16], None] | None = None
        self.said: list[object] = []
        self.answered: list[str] = []
        self.accepted: list[str] = []
        self.candidates: list[object] = []
        self.channels: list[FakeChannel] = []
        self.closed = False

    def hear(self, sink: Callable[[Int16], None]) -> None:
        self.sink = sink

    def say(self, voice: object, msid: object = None) -> None:
        self.said.append(msid)

    def speak(self) -> str:
        return "track"

    def open_channel(self, label: str, *, reliable: bool = True) -> FakeChannel:
        self.channels.append(FakeChannel(label, open=False))
        return self.channels[-1]

    async def answer(self, sdp: str, *, needs_audio: bool = False) -> Answer:
        await asyncio.sleep(0.03)
        if sdp == BAD:
            raise RemoteWireError("the offer cannot be used: it is bad")
        self.answered.append(sdp)
        return Answer("v=0\r\nanswer", "0")

    async def offer(self) -> str:
        await asyncio.sleep(0.03)
        return "v=0\r\noffer"

    async def accept(self, sdp: str) -> None:
        await asyncio.sleep(0.03)
        if sdp == BAD:
            raise RemoteWireError("the answer cannot be used: it is bad")
        self.accepted.append(sdp)

    def add_candidate(self, init: object) -> None:
        self.candidates.append(init)

    async def close(self) -> None:
        await asyncio.sleep(0.05)
        self.closed = True

    # What a test does

    def become(self, state: PeerState) -> None:
        self.state = state
        if self.on_state is not None:
            self.on_state(state)

    def channel(self, label: str) -> FakeChannel:
        """The client opens one."""
        channel = FakeChannel(label)
        self.channels.append(channel)
        if self.on_channel is not None:
            self.on_channel(channel)
        return channel


class FakePeers:
    """Makes them, and keeps those that were made."""

    def __init__(self) -> None:
        self.made: list[FakePeer] = []

    def __call__(self, options: RtcOptions, name: str) -> Peer:
        self.made.append(FakePeer(options, name))
        return cast("Peer", self.made[-1])
