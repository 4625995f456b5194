"""What the screen and the line mode need of a conversation: a handful of questions and commands.

But for `ready` none of them waits. `bridge.talk.conversation` answers them from a session and its device leg; tests
have a fake.
"""

from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Gauges:
    """What is measured right now.

    Attributes:
        mic_dbfs, speaker_dbfs: levels of the last moment.
        buffer_ms: agent's audio that waits to be heard.
        drops: moments in which audio was lost or missing, on either side, since the call began.
        drift_ppm: how much faster the device runs than the call; None while unknown.
        latency_ms: of the device, in and out together; None without one.
        devices: names of microphone and loudspeaker; empty without.
    """

    mic_dbfs: float = -120.0
    speaker_dbfs: float = -120.0
    buffer_ms: float = 0.0
    drops: int = 0
    drift_ppm: float | None = None
    latency_ms: float | None = None
    devices: tuple[str, str] = ("", "")


class Talk(Protocol):
    """A conversation that can be looked at and steered."""

    @property
    def has_devices(self) -> bool:
        """False for a typed conversation."""
        ...

    @property
    def mic_muted(self) -> bool:
        """Whether the agent hears nothing of the microphone."""
        ...

    @property
    def speaker_muted(self) -> bool:
        """Whether the user hears nothing of the agent."""
        ...

    @property
    def elapsed_s(self) -> float:
        """Since the call began; 0 before."""
        ...

    async def ready(self) -> None:
        """Wait until the agent is there, or the call is over: the one method that waits."""
        ...

    def gauges(self) -> Gauges:
        """What is measured now."""
        ...

    def toggle_mic(self) -> None:
        """Mute or unmute the microphone."""
        ...

    def toggle_speaker(self) -> None:
        """Mute or unmute the loudspeaker."""
        ...

    def push_to_talk(self, held: bool | None) -> None:
        """The microphone is open while the key is held; None: it is open as `mic_muted` says."""
        ...

    def send_text(self, text: str) -> None:
        """Say it as typed text."""
        ...

    def send_dtmf(self, digits: str) -> None:
        """Press telephone keys."""
        ...

    def press_key(self, digit: str) -> None:
        """Press a telephone key that others may follow: they go together after a pause."""
        ...

    def send_pressed_keys(self) -> None:
        """No further key follows: those that wait go now."""
        ...

    def set_output_medium(self, medium: Literal["voice", "text"]) -> None:
        """How the agent shall answer from now on."""
        ...

    def answer_tool(self, invocation_id: str, result: str) -> None:
        """Give a client tool's result by hand."""
        ...

    def hang_up(self) -> None:
        """End the call; the conversation says when it is over."""
        ...
