"""Plays the chirps on one device, records them on another, and measures.

The streams call from any thread: their callbacks only copy. All instants are the event loop's.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from bridge.legs.device.choice import DeviceChoice, find
from bridge.legs.device.device_clock import DeviceClock
from bridge.legs.device.host import Device, DeviceError, HostApi, Stream
from bridge.legs.device.opening import open_stream
from bridge.talk.doctor.chirps import ChirpTrain, chirp_train, sound
from bridge.talk.doctor.measuring import Measured, measure
from bridge_codecs.pcm import Int16

START_S: Final = 5.0
"""A device that has not called by then does not work."""
SPARE_S: Final = 3.0
"""Devices may be this much slower than the sound is long."""
POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What was found out about a pair.

    Attributes:
        microphone_hz: The rate at which it ran.
        measured: From the recording; its delay is from the call for the first sample to the call that brought it back.
        claimed_ms: What the devices themselves say of that delay.
        glitches: How often a device reported lost or missing samples after the start.
        complete: Whether the whole sound was played and recorded.
    """

    microphone: Device
    loudspeaker: Device
    microphone_hz: int
    loudspeaker_hz: int
    measured: Measured
    claimed_ms: float
    glitches: int
    complete: bool


async def examine(
    host: HostApi,
    choice: DeviceChoice,
    *,
    train: ChirpTrain | None = None,
    on_progress: Callable[[float], None] = lambda _part: None,
) -> Examination:
    """Play and record for about ten seconds.

    Args:
        host: the sound system.
        choice: which two devices.
        train: what to play, if not the usual.
        on_progress: told the part that is done, 0 to 1.

    Raises: DeviceError if one of the devices cannot be had, never calls, or runs at another rate than it says.
    """
    train = train or chirp_train()
    loop = asyncio.get_running_loop()
    devices = await host.devices()
    microphone = find(devices, choice.microphone, "microphone")
    loudspeaker = find(devices, choice.loudspeaker, "loudspeaker")
    hearing, ear = await open_stream(host, microphone, "microphone", lambda _ask: _Ear())
    try:
        await _until(lambda: bool(ear.blocks), START_S)
        if not ear.blocks:
            raise DeviceError(f"{microphone.name} delivers nothing: choose another microphone")
        speaking, mouth = await open_stream(host, loudspeaker, "loudspeaker", lambda _ask: _Mouth())
        try:
            mouth.begin(await loop.run_in_executor(None, sound, train, speaking.rate_hz))
            await _play(mouth, hearing, speaking, train, on_progress)
        finally:
            await speaking.close()
    finally:
        await hearing.close()
    pair = _Pair(microphone, hearing.rate_hz, ear, loudspeaker, speaking.rate_hz, mouth)
    return await loop.run_in_executor(None, _judged, pair, train)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both devices, their rates (Hz), and what came of them."""

    microphone: Device
    microphone_hz: int
    ear: "_Ear"
    loudspeaker: Device
    loudspeaker_hz: int
    mouth: "_Mouth"


def _judged(pair: _Pair, train: ChirpTrain) -> Examination:
    """Measure what was heard: fifty milliseconds of arithmetic, more than a loop is held up for."""
    ear, mouth = pair.ear, pair.mouth
    if not mouth.calls:
        raise DeviceError(f"{pair.loudspeaker.name} takes nothing: choose another loudspeaker")
    _check_rate(pair.microphone, pair.microphone_hz, ear.calls)
    _check_rate(pair.loudspeaker, pair.loudspeaker_hz, [call[:2] for call in mouth.calls])
    recorded = ear.recording(mouth.first_asked_s(pair.loudspeaker_hz), pair.microphone_hz)
    return Examination(
        microphone=pair.microphone,
        loudspeaker=pair.loudspeaker,
        microphone_hz=pair.microphone_hz,
        loudspeaker_hz=pair.loudspeaker_hz,
        measured=measure(recorded, train, pair.microphone_hz),
        claimed_ms=1000 * (mouth.latency_s() + ear.latency_s(pair.microphone_hz)),
        glitches=ear.glitches + mouth.glitches,
        complete=mouth.is_over,
    )


async def _play(
    mouth: "_Mouth",
    hearing: Stream,
    speaking: Stream,
    train: ChirpTrain,
    on_progress: Callable[[float], None],
) -> None:
    def is_over() -> bool:
        on_progress(mouth.part)
        return mouth.is_over or not (hearing.active and speaking.active)

    await _until(is_over, train.duration_s + SPARE_S)


async def _until(is_so: Callable[[], bool], within_s: float) -> None:
    loop = asyncio.get_running_loop()
    deadline_s = loop.time() + within_s
    while not is_so() and loop.time() < deadline_s:  # noqa: ASYNC110 - callbacks wake nobody
        await asyncio.sleep(POLL_S)


def _check_rate(device: Device, rate_hz: int, calls: Sequence[tuple[int, float]]) -> None:
    """Raise a DeviceError if the calls, of positions and instants, come at another rate than the device says."""
    clock = DeviceClock(rate_hz)
    for position, now_s in calls:
        clock.saw(position, now_s)
    if clock.other_rate:
        (first, first_s), (last, last_s) = calls[0], calls[-1]
        real_hz = (last - first) / (last_s - first_s)
        raise DeviceError(
            f"{device.name} says {rate_hz} Hz and runs at about {100 * round(real_hz / 100)}: give it another rate in "
            "the sound settings of this system, or choose another device",
            "format",
        )


@dataclass(frozen=True, slots=True)
class _Block:
    samples: Int16
    now_s: float
    at_s: float


class _Ear:
    """Keeps what the microphone gives: its first channel."""

    def __init__(self) -> None:
        self.blocks: list[_Block] = []
        self.glitches = 0

    def __call__(self, block: Int16, now_s: float, at_s: float, glitch: bool) -> None:
        self.glitches += glitch and bool(self.blocks)
        self.blocks.append(_Block(block[:, 0].copy(), now_s, at_s))

    @property
    def calls(self) -> Sequence[tuple[int, float]]:
        """Position of the first sample behind each block, and instant of the call that brought it."""
        ends = np.cumsum([block.samples.size for block in self.blocks]).tolist()
        return [(end, block.now_s) for end, block in zip(ends, self.blocks, strict=True)]

    def recording(self, from_s: float, rate_hz: int) -> Int16:
        """From the sample on that was delivered at an instant."""
        ends = np.cumsum([block.samples.size for block in self.blocks])
        first_s = median(
            block.now_s - end / rate_hz for block, end in zip(self.blocks, ends, strict=True)
        )
        whole = np.concatenate([block.samples for block in self.blocks])
        begin = round((from_s - first_s) * rate_hz)
        return whole[max(0, begin) :]

    def latency_s(self, rate_hz: int) -> float:
        """From the sound of the last sample of a block to the call that brought it, as the device says."""
        return median(
            block.now_s - block.at_s - block.samples.size / rate_hz for block in self.blocks
        )


class _Mouth:
    """Fills the loudspeaker's blocks, on all channels."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, float, float]] = []
        """Position of the block's first sample, instant of the call, instant of the sound."""
        self.glitches = 0
        self._sound: Int16 = np.zeros(0, np.int16)
        self._position = 0

    def begin(self, samples: Int16) -> None:
        """Play these from the next call on."""
        self._sound = samples

    @property
    def part(self) -> float:
        """How much is played, 0 to 1."""
        return min(1.0, self._position / self._sound.size) if self._sound.size else 0.0

    @property
    def is_over(self) -> bool:
        """Whether all is played."""
        return bool(self._sound.size) and self._position >= self._sound.size

    def __call__(self, block: Int16, now_s: float, at_s: float, glitch: bool) -> None:
        block[:] = 0
        if not self._sound.size:
            return
        self.glitches += glitch and bool(self.calls)
        piece = self._sound[self._position : self._position + len(block)]
        block[: piece.size] = piece[:, np.newaxis]
        self.calls.append((self._position, now_s, at_s))
        self._position += len(block)

    def first_asked_s(self, rate_hz: int) -> float:
        """When the first sample was called for, by all calls together: each has its jitter."""
        return median(now_s - position / rate_hz for position, now_s, _at_s in self.calls)

    def latency_s(self) -> float:
        """From a call to the sound, as the device says."""
        return median(at_s - now_s for _position, now_s, at_s in self.calls)
