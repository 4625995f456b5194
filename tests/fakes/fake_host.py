"""A sound system without sound: devices on the event loop, virtual or not, with all the faults that devices have.

Each device is what a test makes of it, and may be changed while a stream runs: it vanishes, falls silent, calls with
0 frames, runs at another rate, drifts, is busy or exclusive, takes one number of channels only, lies about its
latency. What a loudspeaker really plays, and when, goes to its ``heard``; what a microphone hears comes of ``sound``.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from bridge.legs.device.host import Callback, Device, DeviceError, StreamAsk, Trouble
from bridge_codecs.pcm import Int16

SYSTEM: Final = "Fake"


def silence(_at_s: float, n: int) -> Int16:
    return np.zeros(n, np.int16)


def nobody(_at_s: float, _samples: Int16) -> None:
    """The default listener."""


@dataclass(eq=False)
class FakeDevice:
    """A device. Changes of its attributes take effect at the next block."""

    name: str
    n_inputs: int = 0
    n_outputs: int = 0
    rate_hz: int = 48_000
    rates: tuple[int, ...] | None = None
    """Rates that it takes; None: any."""
    system: str = SYSTEM
    """The part of the sound system that it belongs to."""
    channels: int | None = None
    """The one number of channels that it takes; None: any up to what it has."""
    refuses: Trouble | None = None
    """Opening it fails like this."""
    exclusive: bool = False
    """Open once, it is busy."""
    drift_ppm: float = 0.0
    runs_at: int | None = None
    """The rate at which it really runs, Hz; None: the one it was opened at."""
    block: int | None = None
    """Samples of a block; None: what was asked for."""
    held_blocks: int = 2
    """Blocks that the device takes ahead of time."""
    claims_s: float | None = None
    """The latency it claims; None: the truth."""
    late_s: Callable[[], float] = field(default=lambda: 0.0)
    """How late the next callback comes."""
    skips: bool = False
    """A late callback makes all later ones late: the device has lost that time."""
    plugged: bool = True
    silent: bool = False
    """Calls no more."""
    empty: bool = False
    """Calls with 0 frames."""
    sound: Callable[[float, int], Int16] = silence
    """What a microphone hears from an instant on, so many samples of its own rate."""
    heard: Callable[[float, Int16], None] = nobody
    """Gets what a loudspeaker plays: the instant of its first sample, and the first channel."""
    opened: int = 0
    """Streams that are open."""
    asks: list[StreamAsk] = field(default_factory=list)


class FakeHost:
    """A `HostApi` of such devices.

    Args:
        devices: in the order of their indices; the first of each direction is the default.
    """

    def __init__(self, *devices: FakeDevice) -> None:
        self.there = list(devices)
        self.refreshed = 0
        self.closed = False
        self.open_takes_s = 0.0
        self._listed = list(devices)

    async def devices(self) -> Sequence[Device]:
        if not self._listed:
            raise DeviceError("there is no sound device at all", "none")
        first_in = next((d for d in self._listed if d.n_inputs), None)
        first_out = next((d for d in self._listed if d.n_outputs), None)
        return [
            Device(
                index,
                d.name,
                d.system,
                d.n_inputs,
                d.n_outputs,
                d.rate_hz,
                d is first_in,
                d is first_out,
            )
            for index, d in enumerate(self._listed)
        ]

    async def refresh(self) -> Sequence[Device]:
        assert not any(device.opened for device in self.there), "refreshed with open streams"
        self.refreshed += 1
        self._listed = [device for device in self.there if device.plugged]
        return await self.devices()

    async def open_input(self, ask: StreamAsk, callback: Callback) -> "FakeStream":
        return await self._open(FakeMicrophone, ask, callback)

    async def open_output(self, ask: StreamAsk, callback: Callback) -> "FakeStream":
        return await self._open(FakeLoudspeaker, ask, callback)

    async def close(self) -> None:
        assert not any(device.opened for device in self.there), "closed with open streams"
        self.closed = True

    async def _open(
        self, kind: "type[FakeStream]", ask: StreamAsk, callback: Callback
    ) -> "FakeStream":
        await asyncio.sleep(self.open_takes_s)
        device = self._listed[ask.device.index]
        assert device.name == ask.device.name
        device.asks.append(ask)
        self._check(device, ask)
        stream = kind(device, ask, callback)
        stream.start()
        return stream

    def _check(self, device: FakeDevice, ask: StreamAsk) -> None:
        if not device.plugged:
            raise DeviceError(f"{device.name} is gone", "gone")
        if device.refuses is not None:
            raise DeviceError(f"{device.name} cannot be had: {device.refuses}", device.refuses)
        if device.exclusive and device.opened:
            raise DeviceError(f"{device.name} is busy", "busy")
        if device.rates is not None and ask.rate_hz not in device.rates:
            raise DeviceError(f"{device.name} does not run at {ask.rate_hz} Hz", "format")
        if device.channels not in {None, ask.channels}:
            raise DeviceError(f"{device.name} has {device.channels} channels", "format")


class FakeStream:
    """A stream on the loop: calls back once for each block, at the instants of its own clock."""

    def __init__(self, device: FakeDevice, ask: StreamAsk, callback: Callback) -> None:
        self.rate_hz = ask.rate_hz
        self.channels = ask.channels
        self._device = device
        self._call = callback
        self._loop = asyncio.get_running_loop()
        self._block = device.block or ask.block
        self._memory: Int16 = np.zeros((self._block, ask.channels), np.int16)
        self._due_s = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._open = False

    @property
    def active(self) -> bool:
        return self._open and self._device.plugged

    def start(self) -> None:
        self._open = True
        self._device.opened += 1
        self._begin()
        self._next()

    async def close(self) -> None:
        if self._open:
            self._open = False
            self._device.opened -= 1
        if self._timer is not None:
            self._timer.cancel()

    def _begin(self) -> None:
        """Whatever comes before the first timer."""

    def _pass(self, block: Int16, now_s: float) -> None:
        raise NotImplementedError

    def _next(self) -> None:
        rate_hz = (self._device.runs_at or self.rate_hz) * (1 + self._device.drift_ppm * 1e-6)
        self._due_s += self._block / rate_hz
        late_s = self._device.late_s()
        if self._device.skips:
            self._due_s += late_s
            late_s = 0.0
        self._timer = self._loop.call_at(self._due_s + late_s, self._tick)

    def _tick(self) -> None:
        device = self._device
        if not device.plugged:
            return
        if not device.silent:
            self._pass(self._memory[: 0 if device.empty else None], self._loop.time())
        self._next()


class FakeMicrophone(FakeStream):
    """Its block was heard just before the callback."""

    def _pass(self, block: Int16, now_s: float) -> None:
        began_s = self._due_s - len(block) / self.rate_hz
        block[:] = self._device.sound(began_s, len(block))[:, np.newaxis]
        claimed_s = self._device.claims_s or 0.0
        self._call(block, now_s, began_s - claimed_s, False)


class FakeLoudspeaker(FakeStream):
    """It takes some blocks ahead of time, and one more whenever one has been played."""

    def _begin(self) -> None:
        self._play_s = self._due_s
        for _ in range(self._device.held_blocks):
            self._pass(self._memory, self._due_s)

    def _pass(self, block: Int16, now_s: float) -> None:
        block[:] = 12_345  # what an output block holds before it is filled is anybody's
        self._play_s = max(self._play_s, now_s)  # when the device ran dry
        claimed_s = self._device.claims_s
        at_s = self._play_s if claimed_s is None else now_s + claimed_s
        self._call(block, now_s, at_s, False)
        self._device.heard(self._play_s, block[:, 0].copy())
        assert not block[:, 2:].any()
        rate_hz = (self._device.runs_at or self.rate_hz) * (1 + self._device.drift_ppm * 1e-6)
        self._play_s += len(block) / rate_hz
