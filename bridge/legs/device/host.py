"""What the device leg asks of a sound system: a list of devices, and streams that call back with blocks.

Each direction is a stream of its own: a microphone and a loudspeaker are often two devices with two clocks, and one
may vanish without the other. The methods wait for the sound system without holding the event loop up. The callbacks
come in any thread; they get their block in the sound system's own memory and must be done with it when they return.

All instants are seconds of the event loop's clock, ``loop.time()``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bridge.errors import UsageError
from bridge_codecs.pcm import Int16

Trouble = Literal["gone", "busy", "format", "denied", "none", "broken"]
"""It is not there (any more), somebody else has it, it does not take this rate or these channels, we may not have it,
there is none at all, or it fails in some other way."""


class DeviceError(UsageError):
    """A sound device cannot be had; the sentence says what to do.

    Args:
        sentence: for people.
        trouble: what kind of trouble, for the program.
    """

    def __init__(self, sentence: str, trouble: Trouble = "broken") -> None:
        super().__init__(sentence)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Device:
    """One entry of the sound system's list. ``index`` holds until the next `HostApi.refresh`."""

    index: int
    name: str
    system: str
    """The part of the sound system that it belongs to: ``ALSA``, ``Core Audio``, ``Windows WASAPI``."""
    n_inputs: int
    n_outputs: int
    rate_hz: int
    """Its own rate, Hz."""
    is_default_input: bool = False
    is_default_output: bool = False


@dataclass(frozen=True, slots=True)
class StreamAsk:
    """How a stream shall run: int16, ``channels`` interleaved, in blocks of about ``block`` samples per channel."""

    device: Device
    rate_hz: int
    channels: int
    block: int
    latency_s: float | None = None
    """How much the device itself may hold, s; None leaves it to the device."""


class Callback(Protocol):
    """Takes a block of the microphone, or fills one for the loudspeaker. Never blocks, never raises."""

    def __call__(self, block: Int16, now_s: float, at_s: float, glitch: bool) -> None:
        """One block.

        Args:
            block: shape (n, channels) int16; n may differ from block to block, and be 0.
            now_s: the instant of this call.
            at_s: when the first sample was heard, or will be played, as the device says.
            glitch: the device lost samples of the microphone, or had none to play, since the last call.
        """
        ...


class Stream(Protocol):
    """A running stream."""

    @property
    def rate_hz(self) -> int:
        """The rate at which it runs, as the device says, Hz."""
        ...

    @property
    def channels(self) -> int:
        """Channels of each block."""
        ...

    @property
    def active(self) -> bool:
        """Whether the device still calls; false once it was unplugged or has stopped."""
        ...

    async def close(self) -> None:
        """Stop, and give the device back; no call comes afterwards. Never raises."""
        ...


class HostApi(Protocol):
    """A sound system."""

    async def devices(self) -> Sequence[Device]:
        """All devices.

        Raises: DeviceError if there is no sound system.
        """
        ...

    async def refresh(self) -> Sequence[Device]:
        """Look again for devices; the streams must be closed, because the indices change.

        Raises: DeviceError if there is no sound system.
        """
        ...

    async def open_input(self, ask: StreamAsk, callback: Callback) -> Stream:
        """Open and start a microphone.

        Raises: DeviceError if it cannot be had like this.
        """
        ...

    async def open_output(self, ask: StreamAsk, callback: Callback) -> Stream:
        """Open and start a loudspeaker.

        Raises: DeviceError if it cannot be had like this.
        """
        ...

    async def close(self) -> None:
        """Give the sound system back; the streams must be closed."""
        ...
