"""A call service in virtual time, and a client that knows nothing of ours but the socket's interface.

The client speaks JSON by hand, streams the caller's audio in frames of 20 ms and writes down what comes, with instants.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bridge.brains.base import Act, Brain, Cue, HistoryItem, SpeechChunk, UserTurn
from bridge.brains.tone import ToneBrain
from bridge.calls.call import Parts
from bridge.calls.paging import Window
from bridge.calls.queries import EventQuery, MessageQuery
from bridge.calls.records import CallRecord, EventRecord, MessageRecord
from bridge.calls.service import CallService
from bridge.calls.settings import CallSettings, ServerSocketMedium
from bridge.calls.store import MemoryStore
from bridge.clock import VirtualClock
from bridge.ids import Ids
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge_codecs.pcm import Int16

RATE_HZ = 8_000
FRAME_MS = 20
FRAME = RATE_HZ * FRAME_MS // 1000
MEDIUM = ServerSocketMedium(input_hz=RATE_HZ, output_hz=RATE_HZ)


class LoudVad:
    """Speech is what is loud: a detector whose answer a test can know."""

    heavy = False

    def probabilities(self, samples: Int16) -> list[float]:
        chunks = np.abs(samples.astype(np.int32)).reshape(-1, 512).max(axis=1)
        return [float(peak > 1_000) for peak in chunks]

    def close(self) -> None:
        """Nothing is held."""


class ActingBrain:
    """A brain that answers each cue with the acts a test gave for it; speaks in tones."""

    live = False

    def __init__(self, reply: Callable[[Cue], Sequence[Act]], heard: str = "hello") -> None:
        self._tone = ToneBrain()
        self.speech_hz = self._tone.speech_hz
        self.cues: list[Cue] = []
        self.closed = False
        self._reply = reply
        self._heard = heard

    def listen(self, samples: Int16) -> Int16 | None:
        return None

    async def hear(self, turn: UserTurn) -> str:
        return self._heard

    async def reply(self, cue: Cue, history: Sequence[HistoryItem]) -> AsyncIterator[Act]:
        self.cues.append(cue)
        for act in self._reply(cue):
            yield act

    def speak(self, text: str) -> AsyncIterator[SpeechChunk]:
        return self._tone.speak(text)

    async def close(self) -> None:
        self.closed = True


class OneBrain:
    """A registry with a single brain."""

    def __init__(self, brain: Brain | None = None) -> None:
        self.brain = brain or ToneBrain()

    def names(self) -> Sequence[str]:
        return ("ultravox-v0.7",)

    def make(self, model: str, *, seed: str, live_hz: int) -> Brain:
        return self.brain

    def vad(self) -> LoudVad:
        return LoudVad()


@dataclass
class Client:
    """The far end of a join socket: a list of what came, and when."""

    socket: MediaSocket
    now: Callable[[], float]
    messages: list[tuple[float, dict[str, object]]] = field(default_factory=list)
    audio: list[tuple[float, bytes]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    closed: tuple[int, str] | None = None

    def on_text(self, text: str) -> None:
        message = json.loads(text)
        self.order.append(message["type"])
        self.messages.append((self.now(), message))

    def on_bytes(self, data: bytes) -> None:
        self.order.append("audio")
        self.audio.append((self.now(), data))

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed = (code, reason)

    def send(self, **message: object) -> None:
        self.socket.send_text(json.dumps(message))

    async def speak(self, seconds: float, level: int = 8_000) -> None:
        """Stream a tone (level 0: silence) at real tempo."""
        n_frames = round(seconds * 1000 / FRAME_MS)
        tone = level * np.sin(2 * np.pi * 300 * np.arange(FRAME) / RATE_HZ)
        frame = tone.astype("<i2").tobytes()
        for _ in range(n_frames):
            self.socket.send_bytes(frame)
            await asyncio.sleep(FRAME_MS / 1000)

    async def quiet(self, seconds: float) -> None:
        await self.speak(seconds, 0)

    def of(self, type_: str) -> list[dict[str, object]]:
        return [message for _, message in self.messages if message["type"] == type_]

    def at(self, type_: str, **fields: object) -> float:
        """The instant of the first message of that type with those fields."""
        return next(
            at
            for at, message in self.messages
            if message["type"] == type_ and fields.items() <= message.items()
        )

    @property
    def states(self) -> list[object]:
        return [message["state"] for message in self.of("state")]

    @property
    def finals(self) -> list[tuple[object, object]]:
        return [
            (message["role"], message["text"])
            for message in self.of("transcript")
            if message["final"]
        ]

    @property
    def audio_s(self) -> float:
        return sum(len(data) for _, data in self.audio) / 2 / RATE_HZ


@dataclass
class CallWorld:
    """A service and its parts."""

    service: CallService
    store: MemoryStore

    async def join(self, settings: CallSettings) -> tuple[CallRecord, Client]:
        """Create a call and join it."""
        record = await self.service.create(settings)
        return record, await self.join_again(record)

    async def join_again(self, record: CallRecord) -> Client:
        loop = asyncio.get_running_loop()
        await self.service.claim(record.call_id, record.join_token)
        ours, theirs = memory_pair(loop)
        client = Client(ours, loop.time)
        ours.start(client)
        self.service.start(record.call_id, theirs)
        return client

    async def ended(self, record: CallRecord) -> CallRecord:
        """Wait for the end of a call."""
        while record.ended is None:  # noqa: ASYNC110 - a record tells nobody
            await asyncio.sleep(0.01)
        return record

    async def messages(self, record: CallRecord) -> Sequence[MessageRecord]:
        page = await self.store.messages(record.call_id, MessageQuery("in_call"), Window(1_000))
        return page.items

    async def events(self, record: CallRecord) -> Sequence[EventRecord]:
        page = await self.store.events(record.call_id, EventQuery("debug"), Window(1_000))
        return page.items


@asynccontextmanager
async def call_world(
    brain: Brain | None = None, recordings: Path | None = None
) -> AsyncIterator[CallWorld]:
    """A service with one brain, for the time of the context; nothing of it is left afterwards."""
    store = MemoryStore()
    loop = asyncio.get_running_loop()
    parts = Parts(store, Ids("test"), VirtualClock(loop), recordings)
    service = CallService(parts, OneBrain(brain))
    try:
        yield CallWorld(service, store)
    finally:
        await service.close()
