"""Somebody at a desk: a device leg on fake devices, in virtual time, and what went through it and when."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from bridge.audio.lane import Lane
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port, Warned
from bridge.legs.device.choice import DeviceChoice
from bridge.legs.device.leg import DeviceLeg
from bridge.wire.messages import State
from bridge_codecs.pcm import Int16
from tests.fakes.fake_host import FakeDevice, FakeHost

SOURCE_HZ: Final = 16_000
SINK_HZ: Final = 24_000
FRAME_S: Final = 0.02
FRAME: Final = round(SINK_HZ * FRAME_S)


@dataclass
class Played:
    """What a loudspeaker played: for each block its instant and its largest and smallest magnitude."""

    rate_hz: int = 48_000
    blocks: list[tuple[float, Int16]] = field(default_factory=list)

    def heard(self, at_s: float, samples: Int16) -> None:
        self.blocks.append((at_s, samples))

    def between(self, begin_s: float, end_s: float) -> Int16:
        """All that was played in whole blocks from ``begin_s`` to ``end_s``."""
        inside = [samples for at_s, samples in self.blocks if begin_s <= at_s < end_s]
        return np.concatenate(inside) if inside else np.empty(0, np.int16)

    def first_sound_s(self, since_s: float = 0.0, level: int = 500) -> float:
        """The instant of the first sample above ``level`` that was played after ``since_s``."""
        return min(self._sounds(since_s, level))

    def last_sound_s(self, since_s: float = 0.0, level: int = 500) -> float:
        return max(self._sounds(since_s, level))

    def _sounds(self, since_s: float, level: int) -> list[float]:
        found = []
        for at_s, samples in self.blocks:
            loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > level)
            instants = [at_s + at / self.rate_hz for at in (loud[:1].tolist() + loud[-1:].tolist())]
            found += [instant for instant in instants if instant >= since_s]
        return found


@dataclass
class Desk:
    """A running leg."""

    leg: DeviceLeg
    host: FakeHost
    uplink: Lane
    downlink: Lane
    played: Played
    events: list[LegEvent]
    task: "asyncio.Task[Ended]"
    loop: asyncio.AbstractEventLoop
    uplink_s: list[tuple[float, Int16]] = field(default_factory=list)
    """All that came into the uplink, and when."""

    @property
    def warnings(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Warned)]

    def say(self, seconds: float, level: int = 8_000) -> None:
        """The agent sends a burst of a square-ish level at once."""
        self.downlink.push(np.full(round(seconds * SINK_HZ), level, np.int16))

    async def say_in_step(self, seconds: float, level: int = 8_000) -> None:
        """The agent sends 20 ms every 20 ms."""
        begin_s = self.loop.time()
        for k in range(round(seconds / FRAME_S)):
            await asyncio.sleep(max(0.0, begin_s + k * FRAME_S - self.loop.time()))
            self.downlink.push(np.full(FRAME, level, np.int16))

    def clear(self) -> None:
        """As the relay clears."""
        self.downlink.clear()
        self.leg.clear()
        self.downlink.ledger.flush(self.loop.time())

    def speaking(self, *, on: bool) -> None:
        self.leg.receive(MessageEvent(State(state="speaking" if on else "listening")))

    def heard(self) -> Int16:
        """All that came into the uplink."""
        return np.concatenate([samples for _, samples in self.uplink_s])


def pair(**both: Any) -> tuple[FakeDevice, FakeDevice]:
    """A microphone and a loudspeaker with the same faults."""
    return FakeDevice("Mic", n_inputs=1, **both), FakeDevice("Speaker", n_outputs=2, **both)


@asynccontextmanager
async def desk(
    *devices: FakeDevice, choice: DeviceChoice | None = None, **options: Any
) -> AsyncIterator[Desk]:
    """A leg with these devices (a good pair if there are none), running for 50 ms already."""
    loop = asyncio.get_running_loop()
    host = FakeHost(*(devices or pair()))
    played = Played()
    for device in host.there:
        if device.n_outputs:
            device.heard = played.heard
    leg = DeviceLeg(host, choice, **options)
    uplink = Lane(leg.source_hz, 2_000, "drop_oldest")
    downlink = Lane(leg.sink_hz, 32_000, "drop_newest")
    events: list[LegEvent] = []
    await leg.open()
    task = loop.create_task(leg.run(Port(uplink, downlink, events.append, lambda: None)))
    made = Desk(leg, host, uplink, downlink, played, events, task, loop)
    uplink.on_ready = _collector(made)
    await asyncio.sleep(0.05)
    try:
        yield made
    finally:
        leg.hang_up()
        await task
        await host.close()


def _collector(made: Desk) -> Callable[[], None]:
    def collect() -> None:
        samples = made.uplink.pull(made.uplink.depth_samples)
        made.uplink_s.append((made.loop.time(), samples))

    return collect
