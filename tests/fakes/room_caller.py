"""Our own client in a call over WebRTC on a real server, with what it was told and what it heard."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from bridge.audio.lane import Lane
from bridge.legs.agent import agent_leg
from bridge.legs.base import Ended, Leg, LegEvent, MessageEvent, Port, Warned
from bridge.legs.join_url import announced
from bridge.legs.picows_socket import connect
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.room_choice import RoomClient
from bridge.wire.agent_socket import Rates
from bridge.wire.messages import ClientMessage, State, Transcript
from bridge_codecs.pcm import Int16

RATE_HZ = 16_000
FRAME = RATE_HZ // 50
M = TypeVar("M")


@dataclass
class RoomCaller:
    """The caller: its lanes, and the events of the leg."""

    leg: Leg
    events: list[LegEvent] = field(default_factory=list)
    clears: int = 0
    ended: Ended | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.uplink = Lane(self.leg.sink_hz, 2_000, "drop_oldest")
        self.downlink = Lane(self.leg.source_hz, 60_000, "drop_newest")
        self.downlink.on_ready = self._changed.set

    def emit(self, event: LegEvent) -> None:
        self.events.append(event)
        self._changed.set()

    def say(self, message: ClientMessage) -> None:
        self.leg.receive(MessageEvent(message))

    async def speak(self, samples: Int16) -> None:
        """Say it at its own tempo."""
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        for n, at in enumerate(range(0, samples.size, FRAME), 1):
            self.uplink.push(samples[at : at + FRAME])
            await asyncio.sleep(max(0.0, started_s + n * FRAME / RATE_HZ - loop.time()))

    async def until(self, what: Callable[[], object], within_s: float = 10.0) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(within_s):
            while not what():
                self._changed.clear()
                await self._changed.wait()

    def of(self, kind: type[M]) -> list[M]:
        return [
            event.message
            for event in self.events
            if isinstance(event, MessageEvent) and isinstance(event.message, kind)
        ]

    @property
    def states(self) -> list[str]:
        return [message.state for message in self.of(State)]

    @property
    def finals(self) -> list[tuple[str, str | None]]:
        return [(line.role, line.text) for line in self.of(Transcript) if line.final and line.text]

    @property
    def warnings(self) -> list[str]:
        return [event.type for event in self.events if isinstance(event, Warned)]

    def heard(self) -> Int16:
        """All that the agent said; taken."""
        return self.downlink.pull_padded(self.downlink.depth_samples)


@asynccontextmanager
async def room_caller(
    join_url: str, *, rate_hz: int = RATE_HZ, client: RoomClient = "auto"
) -> AsyncIterator[RoomCaller]:
    """Join a call; hang up at the end, if it is not over."""
    options = RtcOptions(addresses=("127.0.0.1",))
    socket = await connect(announced(join_url))
    leg = await agent_leg(socket, Rates(rate_hz, rate_hz), rtc=options, client=client)
    caller = RoomCaller(leg)

    def clear() -> None:
        caller.clears += 1

    async def run() -> None:
        port = Port(caller.downlink, caller.uplink, caller.emit, clear)
        caller.ended = await leg.run(port)
        caller._changed.set()

    task = asyncio.create_task(run(), name="room caller")
    try:
        yield caller
    finally:
        task.cancel()
        await asyncio.wait((task,))


def audible(samples: Int16) -> int:
    """From the first to the last loud sample."""
    loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > 500)
    return int(loud[-1] - loud[0]) if loud.size else 0
