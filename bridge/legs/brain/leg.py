"""The brain leg: one end of a call with a local brain behind it."""

import numpy as np

from bridge.audio.lane import Lane
from bridge.brains.base import HEAR_HZ, Brain, CallTool
from bridge.brains.speech.vad import Vad
from bridge.errors import BrainError
from bridge.legs.base import Ended, LegEvent, MessageEvent, Port
from bridge.legs.brain.conversation import Conversation
from bridge.legs.brain.hearing import Hearing
from bridge.legs.brain.host import ConversationSettings, Journal, ToolOutcome, Tools
from bridge.legs.brain.tool_turns import Invocation
from bridge.wire.messages import (
    ForcedAgentMessage,
    HangUp,
    InputTextMessage,
    Ping,
    Pong,
    SetOutputMedium,
    SpawnThread,
    ThreadRejected,
    UserTextMessage,
)
from bridge.wire.messages.base import MAIN_THREAD
from bridge_codecs.pcm import Int16

LIVE_FRAME_MS = 20
QUIET_PEAK = 104
"""-50 dBFS: what a live brain says more softly is a pause."""


class BrainLeg:
    """The agent's chair.

    Args:
        brain: decides what is said; closed at the end of the call.
        vad: voice activity of the user; not used by a live brain.
        settings: how the conversation goes.
        journal: keeps messages and events.
        tools: runs the call's tools.
    """

    name = "brain"

    def __init__(
        self,
        brain: Brain,
        vad: Vad,
        settings: ConversationSettings,
        journal: Journal,
        tools: Tools,
    ) -> None:
        self.source_hz = brain.speech_hz
        self.sink_hz = brain.speech_hz if brain.live else HEAR_HZ
        self._brain = brain
        self._vad = vad
        self._settings = settings
        self._journal = journal
        self._tools = tools
        self._conversation: Conversation | None = None
        self._port: Port | None = None

    async def run(self, port: Port) -> Ended:
        """Converse until the call is over; a brain that fails ends its own call."""
        self._port = port
        conversation = Conversation(self._brain, self._settings, self._journal, self._tools, port)
        self._conversation = conversation
        ears = (
            _Loopback(self._brain, port, conversation)
            if self._brain.live
            else Hearing(port.incoming, self._vad, self._settings.vad, conversation)
        )
        ears.start()
        try:
            return await conversation.run()
        except BrainError as exc:
            self._journal.event("brain_failed", str(exc), "error")
            return Ended("system_error", str(exc))
        finally:
            self._conversation = None
            ears.stop()
            if self._brain.live:
                self._vad.close()
            await self._brain.close()

    def clear(self) -> None:
        """What the user said cannot be unsaid."""

    def receive(self, event: LegEvent) -> None:
        """A data message of the client."""
        if isinstance(event, MessageEvent):
            self.take(event.message)

    @property
    def conversing(self) -> bool:
        """Whether the conversation goes on: before and after, messages are lost on it."""
        return self._conversation is not None

    def take(self, message: object) -> None:
        """A data message, from the client or by REST (reference 1.2, 1.8); others pass.

        There is one thread of conversation: no other is spawned, and none is spoken to (reference 7.17).
        """
        conversation = self._conversation
        if conversation is None:
            return
        match message:
            case Ping(timestamp=timestamp):
                self._emit(MessageEvent(Pong(timestamp=timestamp)))
            case UserTextMessage(thread_id=name) | ForcedAgentMessage(thread_id=name) if (
                name != MAIN_THREAD
            ):
                why = "a message for a thread that does not exist was dropped"
                self._journal.event("thread_comms.non_existent_thread", why, "warning")
            case SpawnThread(new_thread_id=name):
                why = "this server has no side threads"
                self._emit(MessageEvent(ThreadRejected(thread_id=name or "", reason=why)))
            case UserTextMessage(text=text, urgency=urgency):
                conversation.typed(text, at_once=urgency == "immediate", later=urgency == "later")
            case InputTextMessage():
                self.take(message.as_user_text())
            case SetOutputMedium(medium=medium):
                conversation.speaking.medium = medium
            case ForcedAgentMessage():
                self._force(message, conversation)
            case HangUp(message=farewell):
                conversation.hang_up(farewell)
            case _:
                pass

    async def drain(self) -> None:
        """The user's audio is heard as it comes: nothing waits."""

    def _emit(self, event: LegEvent) -> None:
        assert self._port is not None
        self._port.emit(event)

    def _force(self, message: ForcedAgentMessage, conversation: Conversation) -> None:
        known = {
            result.invocation_id: ToolOutcome(
                result.result or "",
                result.agent_reaction or "speaks",
                result.response_type,
            )
            for result in message.known_tool_results
        }
        invocations = [
            Invocation(
                call.id or self._journal.invocation_id(),
                CallTool(call.name, dict(call.arguments)),
                known.get(call.id or ""),
            )
            for call in message.tool_calls
        ]
        conversation.say_and_run(
            message.content,
            invocations,
            uninterruptible=message.uninterruptible,
            at_once=message.urgency == "immediate",
        )


class _Loopback:
    """The ears of a live brain: what comes in goes through it and straight back.

    While the conversation speaks the answers are dropped: behind the speech they would be late for ever. So is a pause
    behind a whole frame that still waits to be sent: what came late over a poor network is late until the next pause
    and no longer.
    """

    def __init__(self, brain: Brain, port: Port, conversation: Conversation) -> None:
        self._brain = brain
        self._conversation = conversation
        self._incoming: Lane = port.incoming
        self._outgoing: Lane = port.outgoing
        self._frame = port.incoming.rate_hz * LIVE_FRAME_MS // 1000

    def start(self) -> None:
        self._incoming.on_ready = self._take

    def stop(self) -> None:
        self._incoming.on_ready = None

    def _take(self) -> None:
        try:
            while (samples := self._incoming.pull(self._frame)).size:
                answer = self._brain.listen(samples)
                if answer is not None and self._conversation.speaking.state != "speaking":
                    self._say(answer)
        except Exception as exc:  # noqa: BLE001 - it would end in the source's hands, who has no part in it
            self.stop()
            self._conversation.failed(exc)

    def _say(self, answer: Int16) -> None:
        outgoing = self._outgoing
        late = outgoing.depth_ms >= LIVE_FRAME_MS
        if not late or np.abs(answer.astype(np.int32)).max(initial=0) > QUIET_PEAK:
            outgoing.push(answer)
