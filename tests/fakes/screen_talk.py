"""A conversation without a call, for the screen and the line mode: remembers what it is told to do."""

from dataclasses import dataclass, field
from typing import Literal

from bridge.talk.screen.needs import Gauges


@dataclass
class FakeTalk:
    """A `Talk`; `asked` lists the commands as they came."""

    has_devices: bool = True
    mic_muted: bool = False
    speaker_muted: bool = False
    elapsed_s: float = 0.0
    measured: Gauges = field(default_factory=Gauges)
    asked: list[tuple[object, ...]] = field(default_factory=list)

    async def ready(self) -> None:
        """At once."""

    def gauges(self) -> Gauges:
        return self.measured

    def toggle_mic(self) -> None:
        self.mic_muted = not self.mic_muted

    def toggle_speaker(self) -> None:
        self.speaker_muted = not self.speaker_muted

    def push_to_talk(self, held: bool | None) -> None:
        self.asked.append(("push_to_talk", held))

    def send_text(self, text: str) -> None:
        self.asked.append(("text", text))

    def send_dtmf(self, digits: str) -> None:
        self.asked.append(("dtmf", digits))

    def press_key(self, digit: str) -> None:
        self.asked.append(("key", digit))

    def send_pressed_keys(self) -> None:
        self.asked.append(("keys go",))

    def set_output_medium(self, medium: Literal["voice", "text"]) -> None:
        self.asked.append(("medium", medium))

    def answer_tool(self, invocation_id: str, result: str) -> None:
        self.asked.append(("answer", invocation_id, result))

    def hang_up(self) -> None:
        self.asked.append(("hang up",))
