"""A room for our client: signalling by the server's session over memory sockets, media over real peer connections.

What a test wants it to do wrong is said by `flaws`.
"""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import numpy as np

from bridge.audio.lane import Lane
from bridge.errors import JoinRefused
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.legs.webrtc.channel import Channel
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import Peer
from bridge.legs.webrtc.voice import Voice
from bridge.wire.livekit.data import RELIABLE, PacketReader, user_packet
from bridge.wire.livekit.events import (
    AddTrack,
    AnswerReceived,
    Candidate,
    Left,
    OfferReceived,
    Send,
    ServerEvent,
    Target,
    Version,
)
from bridge.wire.livekit.join_request import JoinRequest, read_join
from bridge.wire.livekit.names import room_names
from bridge.wire.livekit.server_session import ServerSession
from bridge_codecs.pcm import Int16

RATE_HZ = 16_000
OPTIONS = RtcOptions(ear_hz=RATE_HZ, voice_hz=RATE_HZ, addresses=("127.0.0.1",))
FRAME = RATE_HZ // 50


@dataclass
class HostedRoom:
    """Takes clients, one after the other; each gets a `Guest`."""

    versions: tuple[Version, ...] = ("v0", "v1")
    flaws: frozenset[str] = frozenset()
    guests: list["Guest"] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def connect(self, url: str) -> MediaSocket:
        """What a client uses instead of the network."""
        parts = urlsplit(url)
        version: Version = "v1" if parts.path.endswith("/rtc/v1") else "v0"
        self.asked.append(version)
        if version not in self.versions:
            raise JoinRefused("the room knows no such call (HTTP 404)", status=404)
        if "busy" in self.flaws:
            raise JoinRefused("the room takes no more calls now (HTTP 503)", status=503)
        request = read_join(version, dict(parse_qsl(parts.query)))
        assert isinstance(request, JoinRequest)
        client, server = memory_pair(asyncio.get_running_loop())
        guest = Guest(server, request, self)
        self.guests.append(guest)
        server.start(guest)
        return client

    @property
    def guest(self) -> "Guest":
        return self.guests[-1]

    async def until(self, what: Any, within_s: float = 5.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(within_s):
            while not what():
                self.changed.clear()
                await self.changed.wait()


class Guest:
    """One client's stay, from the room's side."""

    def __init__(self, socket: MediaSocket, request: JoinRequest, room: HostedRoom) -> None:
        source = random.Random(3)
        self.socket = socket
        self.request = request
        self.room = room
        self.session = ServerSession(request.version, room_names("call", source), source)
        self.heard: list[Int16] = []
        self.messages: list[Any] = []
        self.left: Left | None = None
        self.closed: tuple[int, str] | None = None
        self.speech = Lane(RATE_HZ, 10_000, "drop_newest")
        self._voice = Voice(self.speech)
        self._reader = PacketReader("user")
        self._peers: dict[Target, Peer] = {"publisher": self._peer("publisher")}
        self._channel: Channel | None = None
        self._events: asyncio.Queue[ServerEvent] = asyncio.Queue()
        self._task = asyncio.create_task(self._work(), name="guest")

    @property
    def samples(self) -> Int16:
        return np.concatenate(self.heard) if self.heard else np.zeros(0, np.int16)

    def tell(self, **message: object) -> None:
        """A data message of the agent's side."""
        assert self._channel is not None
        self._channel.send(user_packet(json.dumps(message).encode(), identity="agent"))

    def tell_raw(self, packet: bytes | str) -> None:
        assert self._channel is not None
        self._channel.send(packet)

    @property
    def open(self) -> bool:
        return self._channel is not None and self._channel.open

    def drop(self) -> None:
        """Lose the signalling without a word."""
        self.socket.abort()  # type: ignore[attr-defined] # a memory socket

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.wait((self._task,))
        self._voice.close()
        for peer in self._peers.values():
            await peer.close()
        self.socket.close()

    # A SocketReceiver

    def on_text(self, text: str) -> None:
        raise AssertionError(text)

    def on_bytes(self, data: bytes) -> None:
        for event in self.session.receive(data, asyncio.get_running_loop().time()):
            self._events.put_nowait(event)

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)
        self.room.changed.set()

    # Inside

    def _peer(self, target: Target) -> Peer:
        peer = Peer(OPTIONS, name=f"guest {target}")
        peer.hear(self._hear)
        peer.on_channel = self._opened
        return peer

    def _hear(self, samples: Int16) -> None:
        self.heard.append(samples)
        self.room.changed.set()

    def _opened(self, channel: Channel) -> None:
        if channel.label == RELIABLE:
            channel.on_message = self._data
            if self.request.version == "v1":
                self._channel = channel
            self.room.changed.set()

    def _data(self, packet: bytes | str) -> None:
        assert isinstance(packet, bytes)
        came = self._reader.read(packet)
        if came is not None:
            self.messages.append(json.loads(came.payload))
        self.room.changed.set()

    async def _work(self) -> None:
        if "silent" in self.room.flaws:
            return
        for event in self.session.begin(self.request, 0.0):
            await self._handle(event)
        speaking: Target = "publisher"
        if self.request.version == "v0":
            speaking = "subscriber"
            peer = self._peers["subscriber"] = self._peer("subscriber")
            self._channel = peer.open_channel(RELIABLE)
            peer.say(self._voice, self.session.names.agent_msid)
            peer.speak()
            self.socket.send_bytes(self.session.offer(await peer.offer(), "0"))
        assert speaking in self._peers
        while True:
            await self._handle(await self._events.get())
            self.room.changed.set()

    async def _handle(self, event: ServerEvent) -> None:
        match event:
            case Send(data=data):
                self.socket.send_bytes(data)
            case OfferReceived(id=offer_id, sdp=sdp):
                await self._answer(offer_id, sdp)
            case AnswerReceived(sdp=sdp):
                await self._peers["subscriber"].accept(sdp)
            case Candidate(target=target, init=init):
                self._peers[target].add_candidate(init)
            case AddTrack() if "no track" not in self.room.flaws:
                self.socket.send_bytes(self.session.track_published(event))
            case Left():
                self.left = event
            case _:
                pass

    async def _answer(self, offer_id: int, sdp: str) -> None:
        flaws = self.room.flaws
        if "no answer" in flaws:
            return
        if "garbage" in flaws:
            self.socket.send_bytes(self.session.answer(offer_id, "v=0\r\nm=garbage\r\n"))
            return
        peer = self._peers["publisher"]
        if self.request.version == "v1":
            peer.say(self._voice, self.session.names.agent_msid)
        answer = await peer.answer(sdp)
        text = answer.sdp.replace("a=recvonly", "a=inactive") if "deaf" in flaws else answer.sdp
        self.socket.send_bytes(self.session.answer(offer_id, text, answer.voice_mid))


@asynccontextmanager
async def hosted_room(
    *flaws: str, versions: tuple[Version, ...] = ("v0", "v1")
) -> AsyncIterator[HostedRoom]:
    """A room for the time of the context; nothing of it is left afterwards."""
    room = HostedRoom(versions, frozenset(flaws))
    try:
        yield room
    finally:
        for guest in room.guests:
            await guest.close()
