"""Opening one device as it is: its own rate and channels where they do, what it takes instead where they do not."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from bridge.legs.device.choice import Direction, find, is_default, usable
from bridge.legs.device.host import Callback, Device, DeviceError, HostApi, Stream, StreamAsk
from bridge.legs.device.line import InputLine, OutputLine
from bridge.legs.device.loudspeaker import Loudspeaker
from bridge.legs.device.microphone import Microphone
from bridge_codecs.filterbank import RATES_HZ

Side: TypeAlias = Microphone | Loudspeaker
Called = TypeVar("Called", bound=Callback)

BLOCK_S: Final = 0.01
"""A loudspeaker's, because what the device has taken cannot be cleared."""
SERVED_BLOCK_S: Final = 0.015
"""The same where there is a sound server behind ALSA's plug-in, which makes some twenty calls of the system for each
block: a tenth less work of a whole talk for 5 ms more."""
HEARD_BLOCK_S: Final = 0.02
"""A microphone's: half the work, and no more than a frame towards the agent holds."""
LATENCY_S: Final = 0.02
"""What a device is asked to hold: two blocks …"""
HEARD_LATENCY_S: Final = 0.04
"""… of each kind."""
OPEN_LIMIT_S: Final = 10.0
_FALLBACK_HZ: Final = (48_000, 44_100, 32_000, 24_000, 16_000, 22_050, 12_000, 11_025, 8_000)
_RATE_SLACK: Final = 0.005
_GUESSED: Final = "ALSA"
"""The part of PortAudio that says 44,100 Hz of whatever can do that; the sound servers behind it run at 48,000."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A device that is open for one side."""

    device: Device
    stream: Stream
    line: InputLine | OutputLine


async def open_side(host: HostApi, side: Side, candidates: Sequence[Device]) -> Opened:
    """Open the first of these devices that can be had.

    Raises: DeviceError of the first one if none can.
    """
    first: DeviceError | None = None
    prepare: Callable[[StreamAsk], InputLine | OutputLine] = side.prepare
    for device in candidates:
        try:
            stream, line = await open_stream(host, device, side.direction, prepare)
        except DeviceError as error:
            first = first or error
        else:
            return Opened(device, stream, line)
    assert first is not None
    raise first


async def open_stream(
    host: HostApi, device: Device, direction: Direction, prepare: Callable[[StreamAsk], Called]
) -> tuple[Stream, Called]:
    """Open and start a device in the first way that it takes.

    Args:
        host: the sound system.
        device: one of its list.
        direction: which side of it.
        prepare: makes what a stream that is asked for like this calls.

    Returns: the stream, and what it calls.

    Raises: DeviceError if it cannot be had, does not answer, or takes no rate and channels that we know.
    """
    try:
        async with asyncio.timeout(OPEN_LIMIT_S):
            return await _open(host, device, direction, prepare)
    except TimeoutError:
        sentence = f"{device.name} does not answer: unplug it and plug it in again"
        raise DeviceError(sentence, "broken") from None


def candidates_for(
    devices: Sequence[Device], side: Side, asked: str | int | None, *, others: bool
) -> list[Device]:
    """Which devices to try, in order: the one that was asked for, and with ``others`` the default and the rest.

    Raises: DeviceError if there is none to try.
    """
    rest = usable(devices, side.direction)
    rest.sort(key=lambda device: not is_default(device, side.direction))
    try:
        first = [find(devices, asked, side.direction)]
    except DeviceError:
        if not others or not rest:
            raise
        first = []
    if others or asked is None:
        return first + [device for device in rest if device not in first]
    return first


async def _open(
    host: HostApi, device: Device, direction: Direction, prepare: Callable[[StreamAsk], Called]
) -> tuple[Stream, Called]:
    refusal: DeviceError | None = None
    open_ = host.open_input if direction == "microphone" else host.open_output
    for rate_hz, channels in _formats(device, direction):
        block_s, latency_s = _pieces(device, direction)
        ask = StreamAsk(device, rate_hz, channels, round(rate_hz * block_s), latency_s)
        called = prepare(ask)
        try:
            stream = await open_(ask, called)
        except DeviceError as error:
            if error.trouble != "format":
                raise
            refusal = refusal or error
            continue
        if abs(stream.rate_hz - rate_hz) > _RATE_SLACK * rate_hz:
            await stream.close()
            sentence = f"{device.name} runs at {stream.rate_hz} Hz when it is asked for {rate_hz}"
            refusal = refusal or DeviceError(sentence, "format")
            continue
        return stream, called
    assert refusal is not None
    raise refusal


def _pieces(device: Device, direction: Direction) -> tuple[float, float]:
    """How long a block is to be, and how much the device itself is to hold, s."""
    if direction == "microphone":
        return HEARD_BLOCK_S, HEARD_LATENCY_S
    return (SERVED_BLOCK_S if device.system == _GUESSED else BLOCK_S), LATENCY_S


def _formats(device: Device, direction: Direction) -> Iterator[tuple[int, int]]:
    """Rates and channels to try, the device's own first."""
    hears = direction == "microphone"
    n = device.n_inputs if hears else device.n_outputs
    # One channel of a loudspeaker may be its left one alone.
    few = (1, 2, n) if hears else (2, n, 1)
    tells = device.rate_hz in RATES_HZ and device.system != _GUESSED
    own = (device.rate_hz,) if tells else ()
    for rate_hz in dict.fromkeys(own + _FALLBACK_HZ):
        for channels in dict.fromkeys(few):
            if channels <= n:
                yield rate_hz, channels
