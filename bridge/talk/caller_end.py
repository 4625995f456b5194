"""What a session asks of its caller's leg, beyond being a leg: a sound device and a program's arrays both do it."""

from typing import Protocol

from bridge.legs.base import Leg
from bridge.legs.file import Underruns
from bridge_codecs.pcm import Int16


class CallerEnd(Leg, Protocol):
    """The caller's leg of a session: a leg whose two directions can be muted, and that can play a tone."""

    mic_muted: bool
    """Silence goes to the agent instead of what the microphone hears."""
    speaker_muted: bool
    """Silence is played instead of the agent; its time passes all the same."""

    @property
    def underruns(self) -> Underruns:
        """Holes that the caller heard inside the agent's speech."""
        ...

    def play_tone(self, samples: Int16) -> None:
        """Play mono int16 at `sink_hz` to the caller alone, over what the agent says."""
        ...
