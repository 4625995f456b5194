"""A conversation on the telephone: what an agent and a caller do in it, so that a test can know what must be heard."""

from collections.abc import Sequence
from typing import Any

from bridge.batch.caller import CallerTurn
from bridge.brains.base import Act, CallTool, Cue, Greeting, HangUp, Say, ToolsReturned, UserSaid
from bridge.testing.caller import CallerPlan, KeyPresses
from tests.fakes.bot import tone
from tests.fakes.call_world import ActingBrain

LETTER_S = 0.06
"""How long the tone brain takes for a letter."""
GREETING = "Good morning, this is the bridge."
LONG = (
    "Let me tell you all about it in very many words that nobody wants to hear to their end at all."
)
PROMPT = "Press a key."
GOODBYE = "Goodbye then, and thank you."


def spoken_s(text: str) -> float:
    """How long the tone brain speaks."""
    return LETTER_S * len(text.replace(" ", ""))


class Receptionist(ActingBrain):
    """Greets; presses a key when spoken to and talks on; when cut off asks for a key; says goodbye at a key.

    Args:
        transfer_to: send the caller there at a key, in place of the goodbye.
    """

    def __init__(self, transfer_to: str = "") -> None:
        super().__init__(self._answer)
        self._turns = iter(("hello", "stop"))
        self._transfer_to = transfer_to

    @property
    def heard(self) -> list[str]:
        """What the caller said and pressed."""
        return [cue.text for cue in self.cues if isinstance(cue, UserSaid)]

    async def hear(self, turn: Any) -> str:
        return next(self._turns, "more")

    def _answer(self, cue: Cue) -> Sequence[Act]:
        match cue:
            case Greeting():
                return [Say(GREETING)]
            case UserSaid(spoken=True, text="hello"):
                return [CallTool("playDtmfSounds", {"digits": "5"})]
            case ToolsReturned():
                return [Say(LONG)]
            case UserSaid(spoken=spoken):
                return [Say(PROMPT) if spoken else self._leave()]
        return ()

    def _leave(self) -> Act:
        if self._transfer_to:
            return CallTool("coldTransfer", {"target": self._transfer_to})
        return HangUp(GOODBYE)


def caller_plan(rate_hz: int = 8_000) -> CallerPlan:
    """Speaks after the greeting, cuts off what follows, presses keys when it is silent again, and stays."""
    return CallerPlan(
        turns=[
            CallerTurn("hello", tone(1.2, rate_hz=rate_hz)),
            CallerTurn("stop", tone(1.0, rate_hz=rate_hz), 2.0),
        ],
        keys=[KeyPresses("12#", 14.0)],
        tail_s=20.0,
    )
