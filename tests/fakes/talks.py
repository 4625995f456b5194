"""A conversation on its own: a brain of the test, a journal in lists, a lane that somebody plays."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from bridge.brains.base import HEAR_HZ, Act, Brain, Cue, UserTurn
from bridge.legs.base import Ended
from bridge.legs.brain.conversation import Conversation
from bridge.legs.brain.host import ConversationSettings
from bridge.wire.messages import State, Transcript
from tests.fakes.brain_parts import HandTools, ListJournal, play
from tests.fakes.call_world import ActingBrain
from tests.fakes.legs import HandPort, hand_port


class SlowBrain(ActingBrain):
    """Takes its time to hear and to think."""

    def __init__(
        self,
        reply: Callable[[Cue], Sequence[Act]],
        *,
        hear_s: float = 0.0,
        think_s: float = 0.0,
    ) -> None:
        super().__init__(reply)
        self.hear_s = hear_s
        self.think_s = think_s
        self.heard: list[UserTurn] = []
        self.closed_replies = 0

    async def hear(self, turn: UserTurn) -> str:
        await asyncio.sleep(self.hear_s)
        self.heard.append(turn)
        return f"{turn.start_ms:g} to {turn.end_ms:g}"

    async def reply(self, cue: Cue, history: Sequence[object]) -> AsyncIterator[Act]:
        try:
            self.cues.append(cue)
            await asyncio.sleep(self.think_s)
            for act in self._reply(cue):
                yield act
        finally:
            self.closed_replies += 1


@dataclass
class Talk:
    """A running conversation and all it touches."""

    conversation: Conversation
    task: "asyncio.Task[Ended]"
    ends: HandPort
    journal: ListJournal
    tools: HandTools
    begun_s: float = field(default_factory=lambda: asyncio.get_running_loop().time())

    def turn(self, start_ms: float, end_ms: float) -> None:
        """The user finished a turn."""
        n_samples = int((end_ms - start_ms) * HEAR_HZ / 1000)
        self.conversation.turn_ended(UserTurn(np.ones(n_samples, np.int16), start_ms, end_ms))

    @property
    def states(self) -> list[str]:
        return [m.state for m in self.ends.messages if isinstance(m, State)]

    @property
    def finals(self) -> list[tuple[str, str | None]]:
        return [
            (m.role, m.text) for m in self.ends.messages if isinstance(m, Transcript) and m.final
        ]


@asynccontextmanager
async def talking(
    brain: Brain, tools: HandTools | None = None, **settings: object
) -> AsyncIterator[Talk]:
    """A conversation for the time of the context; the far end plays what is said."""
    ends, journal, tools = (
        hand_port(outgoing_hz=brain.speech_hz),
        ListJournal(),
        tools or HandTools(),
    )
    asked = ConversationSettings(call_id="c", **settings)  # type: ignore[arg-type]
    conversation = Conversation(brain, asked, journal, tools, ends.port)
    player = asyncio.create_task(play(ends.outgoing))
    task = asyncio.create_task(conversation.run())
    await asyncio.sleep(0)
    try:
        yield Talk(conversation, task, ends, journal, tools)
    finally:
        for running in (task, player):
            running.cancel()
        await asyncio.wait((task, player))
        if not task.cancelled():
            task.exception()
