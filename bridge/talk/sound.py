"""Which sound a talk has: devices, echo, when the microphone is open. From options and preferences to a leg."""

from dataclasses import dataclass, replace

from bridge.errors import UsageError
from bridge.talk_config import TalkConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What the user asked for on the command line; None leaves it to the preferences.

    Attributes:
        microphone: index or part of the name.
        loudspeaker: the same for what plays the agent.
        aec: False leaves the loudspeaker's echo in.
        half_duplex: the microphone is closed while the agent is heard.
        push_to_talk: the microphone is closed until a key is held.
        typed: no sound devices.
    """

    microphone: str | int | None = None
    loudspeaker: str | int | None = None
    aec: bool = True
    half_duplex: bool = False
    push_to_talk: bool = False
    typed: bool = False

    def check(self) -> None:
        """Refuse what cannot be together. Raises: UsageError with one sentence."""
        of_devices = (
            self.microphone is not None
            or self.loudspeaker is not None
            or self.half_duplex
            or self.push_to_talk
            or not self.aec
        )
        if self.typed and of_devices:
            raise UsageError(
                "--text has no microphone and no loudspeaker: leave out what is about them"
            )
        if self.half_duplex and self.push_to_talk:
            raise UsageError(
                "--half-duplex and --push-to-talk exclude each other: both say when the microphone is open"
            )

    def preferring(self, preferences: TalkConfig) -> "Sound":
        """With the user's preferences where the command line said nothing."""
        return replace(
            self,
            microphone=preferences.microphone if self.microphone is None else self.microphone,
            loudspeaker=preferences.loudspeaker if self.loudspeaker is None else self.loudspeaker,
            aec=self.aec and preferences.aec,
            half_duplex=self.half_duplex or (preferences.half_duplex and not self.push_to_talk),
        )
