"""The caller's leg of a talk: a sound device, or nothing but a keyboard."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from bridge.errors import UsageError
from bridge.talk.caller_end import CallerEnd
from bridge.talk.program_leg import ProgramLeg
from bridge.talk.sound import Sound
from bridge.wire.agent_socket import Rates

if TYPE_CHECKING:
    from bridge.legs.device.figures import DeviceFigures
    from bridge.legs.device.host import HostApi
    from bridge.legs.device.leg import DeviceLeg
    from bridge.legs.device.processing import EchoProcessor


class DeviceEnd(Protocol):
    """What is asked of the caller's leg where it is a sound device."""

    @property
    def levels(self) -> tuple[float, float]:
        """Of microphone and loudspeaker, dBFS."""
        ...

    @property
    def figures(self) -> "DeviceFigures":
        """What the device measures."""
        ...

    def push_to_talk(self, held: bool | None) -> None:
        """The microphone is open while held; None: always, unless it is muted."""
        ...


async def _nothing() -> None:
    """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The leg, and what else there is to know of it.

    Attributes:
        leg: takes the caller's side of the call.
        device: its sound device; None where the user types.
        notes: sentences that the user should read.
        close: gives back what the leg does not give back itself; also after a call that never came to be.
    """

    leg: CallerEnd
    device: DeviceEnd | None = None
    notes: Sequence[str] = ()
    close: Callable[[], Awaitable[None]] = _nothing


async def make_caller(
    sound: Sound, rates: Rates, host: "Callable[[], HostApi] | None" = None
) -> Caller:
    """The leg for this sound, with its devices open.

    Args:
        sound: what the user wants.
        rates: of the call.
        host: makes the sound system; PortAudio by default.

    Raises: MissingExtra; UsageError (a DeviceError) with one sentence that says what to do.
    """
    if sound.typed:
        return Caller(ProgramLeg(source_hz=rates.input_hz, sink_hz=rates.output_hz))
    loop = asyncio.get_running_loop()
    # Loading the parts takes longer than a loop may be held up.
    parts = await loop.run_in_executor(None, _DeviceParts, sound, host)
    system = parts.host()
    try:
        leg = parts.leg(system, sound, rates)
        await leg.open()
    except BaseException as exc:
        await system.close()
        if getattr(exc, "trouble", "") == "none":
            raise UsageError(f"{exc}; or type instead: --text") from None
        raise

    async def close() -> None:
        await leg.close()
        await system.close()

    return Caller(leg, leg, parts.notes, close)


class _DeviceParts:
    """What a device leg is made of, loaded when one is needed."""

    def __init__(self, sound: Sound, host: "Callable[[], HostApi] | None") -> None:
        from bridge.legs.device import apm, leg  # noqa: PLC0415 - a typed conversation needs none of it
        from bridge.legs.device.choice import DeviceChoice  # noqa: PLC0415
        from bridge.legs.device.portaudio import PortAudioHost  # noqa: PLC0415

        self.notes: list[str] = []
        self._leg, self._choice = leg.DeviceLeg, DeviceChoice
        self.host = host or PortAudioHost
        self._processing: Callable[[], EchoProcessor] | None = None
        if sound.aec and not sound.half_duplex:
            if apm.is_installed():
                with contextlib.suppress(ImportError):  # the module itself says it better
                    import_module("livekit.rtc.apm")  # here, because the loop is not held up
                self._processing = apm.Apm
            elif not sound.push_to_talk:
                self.notes.append(apm.WHAT_IS_LEFT)

    def leg(self, system: "HostApi", sound: Sound, rates: Rates) -> "DeviceLeg":
        return self._leg(
            system,
            self._choice(sound.microphone, sound.loudspeaker),
            source_hz=rates.input_hz,
            sink_hz=rates.output_hz,
            processing=self._processing,
            half_duplex=sound.half_duplex,
        )
