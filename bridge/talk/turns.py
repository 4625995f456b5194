"""How long the agent's answers take: from the end of the user's part to the agent's first sound.

Two clocks are read. By audio: what the user's own side heard of the user and played of the agent; that is what people
wait. By states: what the agent's messages say. An utterance of the agent is an answer if the user said, typed or
pressed something since the one before: a greeting, a reminder, the second half of an answer are none.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from bridge.talk.events import Turn
from bridge.wire.messages import AgentState

MAX_TURNS: Final = 5_000
"""That are kept of one call; the oldest give way."""
NEW_SPEECH_S: Final = 0.05
"""Speech that ends this much later than that of the turn before is another turn's."""
LATE_S: Final = 30.0
"""An answer that took longer is none."""


@dataclass(slots=True)
class _Part:
    """What the user did and nobody has answered yet; instants of the loop."""

    by: Literal["voice", "text", "keys"]
    told_s: float
    """When it was over, as messages tell: sent, or taken for a turn by the agent's side."""
    ended_s: float | None = None
    """When it was over, as the user's own side knows."""


class Turns:
    """The turns of one call; instants are loop time.

    Args:
        since_s: when the call was joined.
        speech_ended_s: when the user was audible last; None if that is not known.
        changed: told of each turn, again when more of it is known.

    Attributes:
        all: the turns so far.
    """

    def __init__(
        self,
        since_s: float,
        speech_ended_s: Callable[[], float | None],
        changed: Callable[[Turn], None],
    ) -> None:
        self.all: list[Turn] = []
        self._since_s = since_s
        self._speech_ended_s = speech_ended_s
        self._changed = changed
        self._n = 0
        self._waiting: _Part | None = None
        self._answered: _Part | None = None
        """What the present utterance of the agent answers; the last turn is its own."""
        self._last_speech_s = -1.0
        self._state: AgentState = "idle"
        self._sound_s: float | None = None
        """The first sound of the present utterance, which answers nothing as far as is known."""

    # The user's part

    def typed(self, by: Literal["text", "keys"], now_s: float) -> None:
        """The user sent a text or keys that want an answer."""
        self._waiting = _Part(by, now_s, now_s)

    def spoke(self, now_s: float) -> None:
        """The agent's side took what it heard for a turn: it told the user's words."""
        if self._waiting is None:
            self._waiting = _Part("voice", now_s)
        if self._sound_s is not None:  # it told them behind its answer
            self.sound(self._sound_s)

    def stopped(self, now_s: float) -> None:
        """The agent's side says that the user stopped speaking."""
        if self._waiting is None or self._waiting.by == "voice":
            self._waiting = _Part("voice", now_s)

    # The agent's part

    def state(self, state: AgentState, now_s: float) -> None:
        """The agent's state changed."""
        was, self._state = self._state, state
        if state == "thinking" and was == "listening" and self._waiting is None:
            self._waiting = _Part("voice", now_s)
        elif state == "speaking" and was != "speaking":
            self._over()
            self.began(now_s)
        elif state == "listening":
            self._over()

    def began(self, now_s: float) -> None:
        """The agent says that it answers, or its first written words came."""
        part = self._begin(now_s)
        if part is not None:
            self._keep(replace(self.all[-1], by_states_ms=_ms(now_s - part.told_s)))

    def sound(self, at_s: float) -> None:
        """The first audible sample of an utterance of the agent is played at this instant."""
        part = self._answered or self._begin(at_s)
        self._sound_s = at_s if part is None else None
        if part is not None and part.ended_s is not None and at_s >= part.ended_s:
            self._keep(replace(self.all[-1], by_audio_ms=_ms(at_s - part.ended_s)))

    def _begin(self, now_s: float) -> _Part | None:
        """What the agent begins to answer, if it is an answer: a turn of its own."""
        part, self._waiting = self._waiting, None
        if part is None or self._answered is not None:
            return None
        if part.by == "voice":
            part.ended_s = self._speech_ended_s()
            if part.ended_s is not None and part.ended_s <= self._last_speech_s + NEW_SPEECH_S:
                return None
            self._last_speech_s = part.ended_s or self._last_speech_s
        at_s = part.told_s if part.ended_s is None else part.ended_s
        if now_s - at_s > LATE_S:
            return None
        self._answered = part
        self._n += 1
        self.all.append(Turn(number=self._n, began_by=part.by, at_s=at_s - self._since_s))
        del self.all[:-MAX_TURNS]
        return part

    def _over(self) -> None:
        """The present utterance is over."""
        self._answered = self._sound_s = None

    def _keep(self, turn: Turn) -> None:
        self.all[-1] = turn
        self._changed(turn)


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 1)
