"""What a device leg measures."""

from dataclasses import dataclass

from bridge.legs.device.keeper import Keeper
from bridge.legs.device.loudspeaker import Loudspeaker
from bridge.legs.device.microphone import Microphone


@dataclass(frozen=True, slots=True)
class DeviceFigures:
    """One look at a device leg; counts are since its start."""

    microphone: str = ""
    """Name of the device that is open; empty while none is."""
    loudspeaker: str = ""
    microphone_hz: int = 0
    """The rate at which it runs, Hz; 0 while none is open."""
    loudspeaker_hz: int = 0
    underruns: int = 0
    """Holes inside the agent's speech: the loudspeaker wanted audio before it came."""
    overruns: int = 0
    """How often audio of the microphone was lost because nobody fetched it in time."""
    glitches: int = 0
    """How often a device itself reported lost or missing samples."""
    drift_ppm_in: float = 0.0
    """How much faster than the loop's clock the microphone's runs, parts per million."""
    drift_ppm_out: float = 0.0
    latency_in_ms: float = 0.0
    """From the sound at the microphone to the callback, as far as the device can be believed, ms."""
    latency_out_ms: float = 0.0
    """From the callback to the sound of the loudspeaker, ms."""
    buffer_ms: float = 0.0
    """Audio between the lane and the loudspeaker's callback, ms."""
    reopened: int = 0
    """How often a device was opened again or replaced in mid-call."""
    lost_ms: float = 0.0
    """The agent's audio that nobody heard because there was no loudspeaker, ms."""


def measured(microphone: Microphone, loudspeaker: Loudspeaker, keeper: Keeper) -> DeviceFigures:
    """The figures of a leg just now."""
    mic, out = microphone.line, loudspeaker.line
    opened_mic, opened_out = keeper.opened(microphone), keeper.opened(loudspeaker)
    return DeviceFigures(
        microphone="" if opened_mic is None else opened_mic.device.name,
        loudspeaker="" if opened_out is None else opened_out.device.name,
        microphone_hz=0 if mic is None else mic.rate_hz,
        loudspeaker_hz=0 if out is None else out.rate_hz,
        underruns=loudspeaker.underruns.count,
        overruns=keeper.overruns + (0 if mic is None else mic.crossing.overflows),
        glitches=keeper.glitches + sum(line.glitches for line in (mic, out) if line is not None),
        drift_ppm_in=0.0 if mic is None else mic.clock.drift_ppm,
        drift_ppm_out=0.0 if out is None else out.clock.drift_ppm,
        latency_in_ms=0.0 if mic is None else 1000 * mic.latency_s,
        latency_out_ms=1000 * loudspeaker.latency_s,
        buffer_ms=1000 * loudspeaker.buffered_s,
        reopened=keeper.reopened,
        lost_ms=loudspeaker.lost_ms,
    )
