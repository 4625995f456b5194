"""Calls over WebRTC in virtual time: a link that a test holds in its hand, and a voice without codec and network."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import numpy as np

from bridge.audio.lane import Lane
from bridge.brains.base import Brain
from bridge.calls.call import Parts
from bridge.calls.records import CallRecord
from bridge.calls.rooms import Rooms
from bridge.calls.service import CallService
from bridge.calls.settings import CallSettings
from bridge.calls.store import MemoryStore
from bridge.clock import VirtualClock
from bridge.ids import Ids
from bridge.legs.memory_socket import memory_pair
from bridge.legs.recorder import Recorder
from bridge.legs.webrtc.ear import EarFigures
from bridge.legs.webrtc.entrance import Entrance
from bridge.legs.webrtc.figures import LinkFigures, Transport
from bridge.legs.webrtc.leg import WebRtcLeg
from bridge.legs.webrtc.link import LinkUser, Parting
from bridge.legs.webrtc.voice import VoiceFigures
from bridge_codecs.pcm import Int16
from tests.fakes.call_world import CallWorld, Client, OneBrain

if TYPE_CHECKING:
    from bridge.legs.webrtc.voice import Voice

EAR_HZ = 16_000
VOICE_HZ = 24_000
FRAME_MS = 20
FRAME = VOICE_HZ * FRAME_MS // 1000
BASE = "ws://tipring.test"


class FakeVoice:
    """Pulls a frame every 20 ms while it is not held."""

    def __init__(self, lane: Lane, recorder: Recorder | None = None) -> None:
        self.muted = False
        self.held = False
        self.figures = VoiceFigures()
        self.cleared = 0
        self.closed = False
        self.played: list[tuple[float, Int16]] = []
        self.recorder = recorder
        self._lane = lane
        self._loop = asyncio.get_running_loop()
        self._next_s = self._loop.time()
        self._timer = self._loop.call_at(self._next_s, self._tick)

    def clear(self) -> None:
        self.cleared += 1

    def close(self) -> None:
        self.closed = True
        self._timer.cancel()

    def _tick(self) -> None:
        if not self.held and (frame := self._lane.pull(FRAME)).size:
            now_s = self._loop.time()
            self._lane.ledger.sent(frame.size, now_s)
            if self.figures.first_s is None:
                self.figures.first_s = now_s
            self.played.append((now_s, frame))
            if self.recorder is not None:
                self.recorder.sent(frame, plays_in_s=0.0)
        self._next_s += FRAME_MS / 1000
        self._timer = self._loop.call_at(self._next_s, self._tick)


class FakeLink:
    """A client's connection, moved by a test."""

    def __init__(self) -> None:
        self.heard_s = asyncio.get_running_loop().time()
        self.ear = EarFigures()
        self.transport: Transport = "v1"
        self.client = "js 2.0"
        self.user: LinkUser | None = None
        self.voice: FakeVoice | None = None
        self.texts: list[str] = []
        self.partings: list[Parting] = []
        self.let_go = asyncio.Event()
        self.let_go.set()

    @property
    def stopped(self) -> bool:
        return bool(self.partings)

    @property
    def figures(self) -> LinkFigures:
        return LinkFigures(self.transport, self.client, self.ear)

    def start(self, user: LinkUser, voice: "Voice") -> None:
        self.user = user
        self.voice = cast("FakeVoice", voice)

    def send(self, text: str) -> None:
        self.texts.append(text)

    def stop(self, parting: Parting) -> None:
        self.partings.append(parting)

    async def closed(self) -> None:
        await self.let_go.wait()

    # What a test does with it

    def ready(self) -> None:
        assert self.user is not None
        self._sign_of_life()
        self.user.ready(self)

    def say(self, **message: object) -> None:
        self.say_raw(json.dumps(message).encode())

    def say_raw(self, payload: bytes | str) -> None:
        assert self.user is not None
        self._sign_of_life()
        self.user.take(self, payload)

    def hear(self, samples: Int16) -> None:
        assert self.user is not None
        self._sign_of_life()
        self.user.hear(self, samples)

    def lose(self, why: str = "the network is gone", *, left: bool = False) -> None:
        assert self.user is not None
        self.user.lost(self, why, left=left)

    async def speak(self, seconds: float, level: int = 8_000) -> None:
        """A tone at real tempo; level 0: silence."""
        n = EAR_HZ * FRAME_MS // 1000
        frame = (level * np.sin(2 * np.pi * 300 * np.arange(n) / EAR_HZ)).astype(np.int16)
        for _ in range(round(seconds * 1000 / FRAME_MS)):
            self.hear(frame)
            await asyncio.sleep(FRAME_MS / 1000)

    @property
    def messages(self) -> list[dict[str, object]]:
        return [json.loads(text) for text in self.texts]

    @property
    def order(self) -> list[object]:
        return [message["type"] for message in self.messages]

    def of(self, type_: str) -> list[dict[str, object]]:
        return [message for message in self.messages if message["type"] == type_]

    def _sign_of_life(self) -> None:
        self.heard_s = asyncio.get_running_loop().time()


@dataclass
class RtcWorld(CallWorld):
    """A service with rooms."""

    rooms: Rooms
    voices: list[FakeVoice] = field(default_factory=list)

    async def enter(
        self, settings: CallSettings | None = None, wanted: tuple[str, ...] = ()
    ) -> tuple[CallRecord, Client]:
        """Create a call and open its join socket."""
        record = await self.service.create(settings or CallSettings())
        await self.service.claim(record.call_id, record.join_token, kind="webrtc")
        loop = asyncio.get_running_loop()
        ours, theirs = memory_pair(loop)
        client = Client(ours, loop.time)
        ours.start(client)
        self.service.start(record.call_id, Entrance(theirs, BASE, wanted), "web_0.5.0")
        await asyncio.sleep(0.01)
        return record, client

    async def whip(self, settings: CallSettings | None = None) -> tuple[CallRecord, FakeLink]:
        """Create a call and come with a link."""
        record = await self.service.create(settings or CallSettings())
        await self.service.claim(record.call_id, record.join_token, kind="webrtc")
        link = FakeLink()
        self.service.start(record.call_id, Entrance(link=link))
        await asyncio.sleep(0.01)
        return record, link

    def leg(self, record: CallRecord) -> WebRtcLeg:
        room = self.rooms.room(record.call_id)
        assert room is not None
        return room.leg

    def link(self, record: CallRecord, *, ready: bool = True) -> FakeLink:
        """Have the client join its room."""
        link = FakeLink()
        self.leg(record).attach(link)
        if ready:
            link.ready()
        return link


@asynccontextmanager
async def rtc_world(brain: Brain | None = None) -> AsyncIterator[RtcWorld]:
    """A service whose calls over WebRTC have fake links, for the time of the context."""
    store = MemoryStore()
    loop = asyncio.get_running_loop()
    voices: list[FakeVoice] = []

    def make_voice(lane: Lane, recorder: Recorder | None) -> "Voice":
        voices.append(FakeVoice(lane, recorder))
        return cast("Voice", voices[-1])

    clock = VirtualClock(loop)
    rooms = Rooms(clock, make_voice, ids=Ids("rooms"), missing=lambda: None)
    service = CallService(Parts(store, Ids("test"), clock, None), OneBrain(brain), rooms=rooms)
    try:
        yield RtcWorld(service, store, rooms, voices)
    finally:
        await service.close()
