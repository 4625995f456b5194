"""A room with one loudspeaker and one microphone on the event loop: what is played comes back, late and weaker.

A sound system for the device leg and the device doctor, in virtual time or real. The two devices have clocks of their
own; what they say of their latency can be a lie.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bridge.legs.device.host import Callback, Device, DeviceError, Stream, StreamAsk
from bridge_codecs.pcm import Int16
from tests.fakes.echo_path import EchoPath

AIR_S: Final = 4
"""How much of the past and the future the air holds."""


@dataclass
class Room:
    """How the room and its devices are.

    Attributes:
        name: what both devices are called by.
        rate_hz: of the air and the loudspeaker.
        microphone_hz: the microphone's own.
        says_hz: what the list says that this is; None: the truth.
        runs_at_hz: the rate at which the microphone really runs, whatever it says; None: the one it was opened at.
        echo_db: how much weaker the loudspeaker comes back; None: headphones.
        delay_ms: from the loudspeaker's sound to the microphone's: the air, and what devices do not tell.
        drift_ppm: how much faster the microphone's clock runs; the loudspeaker's is the loop's.
        gain_db: of the microphone, which clips.
        out_ms: from the loudspeaker's callback to the sound, and said so.
        in_ms: from the sound to the microphone's callback, and said so.
        loses_at_s: the microphone loses 10 ms then.
        stops_at_s: the loudspeaker stops then.
        dead: the microphone gives zeros.
        takes_mono: a stream must have one channel; if not, it must have more.
        voices: people who speak in the room; `say` adds one.
    """

    name: str = "Room"
    rate_hz: int = 16_000
    microphone_hz: int = 16_000
    says_hz: int | None = None
    runs_at_hz: int | None = None
    echo_db: float | None = -10.0
    delay_ms: float = 40.0
    drift_ppm: float = 0.0
    gain_db: float = 0.0
    noise_dbfs: float = -65.0
    out_ms: float = 20.0
    in_ms: float = 10.0
    loses_at_s: float | None = None
    stops_at_s: float | None = None
    dead: bool = False
    takes_mono: bool = True
    voices: list[tuple[float, Int16]] = field(default_factory=list)

    def say(self, at_s: float, samples: Int16) -> None:
        """Somebody speaks at this instant of the loop's clock; samples at the microphone's rate."""
        self.voices.append((at_s, samples))


class RoomHost:
    """The sound system of a room, a `HostApi`."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._air = _Air(room)
        self.open: list[_RoomStream] = []

    async def devices(self) -> Sequence[Device]:
        room = self.room
        return [
            Device(
                0,
                f"{room.name} Microphone",
                "Room",
                2,
                0,
                room.says_hz or room.microphone_hz,
                is_default_input=True,
            ),
            Device(
                1, f"{room.name} Loudspeaker", "Room", 0, 2, room.rate_hz, is_default_output=True
            ),
        ]

    async def refresh(self) -> Sequence[Device]:
        return await self.devices()

    async def open_input(self, ask: StreamAsk, callback: Callback) -> Stream:
        real = (self.room.runs_at_hz or ask.rate_hz) / ask.rate_hz
        own_hz = self.room.microphone_hz
        return self._opened(
            ask, callback, self._hear, own_hz, real * (1 + self.room.drift_ppm * 1e-6)
        )

    async def open_output(self, ask: StreamAsk, callback: Callback) -> Stream:
        return self._opened(ask, callback, self._play, self.room.rate_hz, 1.0)

    async def close(self) -> None:
        assert not any(stream.active for stream in self.open)

    def _opened(
        self, ask: StreamAsk, callback: Callback, tick: "Tick", own_hz: int, speed: float
    ) -> "_RoomStream":
        if (ask.channels == 1) != self.room.takes_mono or ask.rate_hz != own_hz:
            raise DeviceError(f"{ask.device.name} does not take this", "format")
        stream = _RoomStream(ask, callback, tick, speed)
        self.open.append(stream)
        return stream

    def _play(self, stream: "_RoomStream", now_s: float) -> None:
        room = self.room
        if room.stops_at_s is not None and now_s >= room.stops_at_s:
            stream.stop()
            return
        block: Int16 = np.zeros((stream.block, stream.channels), np.int16)
        at_s = now_s + room.out_ms / 1000
        stream.callback(block, now_s, at_s, False)
        self._air.play(at_s, block[:, 0])

    def _hear(self, stream: "_RoomStream", now_s: float) -> None:
        room = self.room
        begin_s = now_s - room.in_ms / 1000 - stream.block / stream.rate_hz
        heard = self._air.hear(begin_s, stream.block, stream.rate_hz * stream.speed)
        for at_s, samples in room.voices:
            _mix(heard, round((at_s - begin_s) * room.microphone_hz), samples)
        if room.loses_at_s is not None and now_s >= room.loses_at_s:
            room.loses_at_s = None
            return
        heard *= 10 ** (room.gain_db / 20)
        rounded = np.clip(np.rint(heard), -32_768, 32_767).astype(np.int16)
        if room.dead:
            rounded[:] = 0
        block: Int16 = np.repeat(rounded[:, np.newaxis], stream.channels, axis=1)
        stream.callback(block, now_s, begin_s, False)


class _RoomStream:
    """Calls a tick for each block, by absolute deadlines of its own clock."""

    def __init__(self, ask: StreamAsk, callback: Callback, tick: "Tick", speed: float) -> None:
        self.rate_hz = ask.rate_hz
        self.channels = ask.channels
        self.block = ask.block
        self.callback = callback
        self.speed = speed
        self._tick = tick
        self._loop = asyncio.get_running_loop()
        self._started_s = self._loop.time()
        self._n_blocks = 0
        self._timer: asyncio.TimerHandle | None = None
        self._next()

    @property
    def active(self) -> bool:
        return self._timer is not None

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None

    async def close(self) -> None:
        self.stop()

    def _next(self) -> None:
        self._n_blocks += 1
        lasts_s = self.block / self.rate_hz / self.speed
        self._timer = self._loop.call_at(self._started_s + self._n_blocks * lasts_s, self._run)

    def _run(self) -> None:
        self._tick(self, self._loop.time())
        if self._timer is not None:
            self._next()


Tick = Callable[[_RoomStream, float], None]


class _Air:
    """What sounds at each instant at the microphone, at the room's rate; made in order as it is asked for."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._rate_hz = room.rate_hz
        self._size = AIR_S * room.rate_hz
        self._played: Int16 = np.zeros(self._size, np.int16)
        self._heard: NDArray[np.float64] = np.zeros(self._size)
        self._path = EchoPath(
            room.rate_hz,
            level_db=-200.0 if room.echo_db is None else room.echo_db,
            delay_ms=room.delay_ms,
        )
        self._noise = np.random.default_rng(11)
        self._made: int | None = None

    def play(self, at_s: float, samples: Int16) -> None:
        begin = round(at_s * self._rate_hz)
        self._played[np.arange(begin, begin + samples.size) % self._size] = samples

    def hear(self, begin_s: float, n: int, rate_hz: float) -> NDArray[np.float64]:
        """``n`` samples of a clock with this rate."""
        at = begin_s * self._rate_hz + np.arange(n) * (self._rate_hz / rate_hz)
        first, last = int(np.floor(at[0])), int(np.ceil(at[-1])) + 1
        self._make(last + 1)
        places = np.arange(first, last + 1)
        heard: NDArray[np.float64] = np.interp(at, places, self._heard[places % self._size])
        return heard

    def _make(self, until: int) -> None:
        begin = until - self._rate_hz // 10 if self._made is None else self._made
        if until <= begin:
            return
        places = np.arange(begin, until) % self._size
        noise = self._noise.normal(size=places.size)
        self._heard[places] = self._path.push(self._played[places])
        self._heard[places] += noise * 32_768 * 10 ** (self._room.noise_dbfs / 20)
        self._played[places] = 0
        self._made = until


def _mix(heard: NDArray[np.float64], begin: int, samples: Int16) -> None:
    """Add samples that begin at this sample of a block, which may lie before or behind it."""
    first, last = max(0, begin), min(heard.size, begin + samples.size)
    if first < last:
        heard[first:last] += samples[first - begin : last - begin]
