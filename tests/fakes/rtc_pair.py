"""Two peers of ours on loopback: one offers, one answers, each hears what the other says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bridge.audio.lane import Lane
from bridge.legs.webrtc.channel import Channel
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import Peer, PeerState
from bridge.legs.webrtc.voice import Voice
from bridge_codecs.pcm import Int16

LOOPBACK: Final = RtcOptions(addresses=("127.0.0.1",))
CONNECT_S: Final = 5.0
_NOTHING: Final = np.zeros(0, np.int16)


@dataclass
class Side:
    """One peer, what it says and what it hears."""

    peer: Peer
    lane: Lane
    voice: Voice
    states: list[PeerState] = field(default_factory=list)
    heard: list[Int16] = field(default_factory=list)
    channels: list[Channel] = field(default_factory=list)
    messages: list[bytes | str] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def audio(self) -> Int16:
        """All that was heard."""
        return np.concatenate([_NOTHING, *self.heard])

    def changed(self, state: PeerState) -> None:
        self.states.append(state)
        if state == "connected":
            self.connected.set()

    def opened(self, channel: Channel) -> None:
        self.channels.append(channel)
        channel.on_message = self.messages.append

    async def close(self) -> None:
        self.voice.close()
        await self.peer.close()


def make_side(name: str, options: RtcOptions = LOOPBACK) -> Side:
    """A peer that is connected to nobody."""
    lane = Lane(options.voice_hz, 20_000, "drop_oldest")
    side = Side(Peer(options, name=name), lane, Voice(lane))
    side.peer.on_state = side.changed
    side.peer.on_channel = side.opened
    side.peer.hear(side.heard.append)
    side.peer.say(side.voice)
    return side


async def an_offer() -> str:
    """What a client offers that wants to talk."""
    side = make_side("offering")
    side.peer.expect_audio()
    side.peer.speak()
    try:
        return await side.peer.offer()
    finally:
        await side.close()


async def connect(caller: Side, answerer: Side, *, channel: bool = True) -> Channel | None:
    """Offer, answer, and wait until both are connected."""
    opened = None
    if channel:
        opened = caller.peer.open_channel("tipring")
        opened.on_message = caller.messages.append
    caller.peer.expect_audio()
    caller.peer.speak()
    answer = await answerer.peer.answer(await caller.peer.offer(), needs_audio=True)
    await caller.peer.accept(answer.sdp)
    async with asyncio.timeout(CONNECT_S):
        await caller.connected.wait()
        await answerer.connected.wait()
    return opened


@asynccontextmanager
async def sides(options: RtcOptions = LOOPBACK) -> AsyncIterator[tuple[Side, Side]]:
    """Two sides, closed in any case."""
    caller, answerer = make_side("caller", options), make_side("answerer", options)
    try:
        yield caller, answerer
    finally:
        await caller.close()
        await answerer.close()


def tone(seconds: float, hz: float = 440.0, rate_hz: int = LOOPBACK.voice_hz) -> Int16:
    """A sine at a quarter of full scale."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (8_000 * np.sin(2 * np.pi * hz * at)).astype(np.int16)


async def until(condition: Callable[[], object], within_s: float = CONNECT_S) -> None:
    """Wait for a callable to be true."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110 - any condition
            await asyncio.sleep(0.005)
