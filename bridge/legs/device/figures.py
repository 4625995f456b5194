"""What a device leg measures."""

from dataclasses import dataclass


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
