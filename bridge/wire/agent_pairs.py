"""What must have a partner on a serverWebSocket, and what is applied once.

A pong answers a ping, a tool result answers an open invocation and only the first one counts, a
repeated invocation runs its tool once and gets the first answer again, and nothing is added to a
transcript that is final. Both roles use the same memory, which is bounded: of a long call the last
few hundred are remembered.
"""

from typing import Final, TypeVar

from bridge.errors import LocalWireError
from bridge.wire.agent_events import (
    AnswerAgain,
    ClearBuffer,
    Ignored,
    Message,
    MessageReceived,
    SocketEvent,
)
from bridge.wire.messages import (
    ClientToolInvocation,
    ClientToolResult,
    Ping,
    PlaybackClearBuffer,
    Pong,
    Transcript,
)

_REMEMBERED: Final = 256  # invocations, finished transcripts
_ANSWERS_KEPT: Final = 16  # a whole tool result each

Key = TypeVar("Key")
Value = TypeVar("Value")


class Pairs:
    """Remembers what was sent and received, and says what a message amounts to."""

    def __init__(self) -> None:
        self._pings = 0  # sent by us, without a pong yet
        self._asked: dict[str, bool] = {}  # our invocation -> answered
        self._taken: dict[str, None] = {}  # the peer's invocations
        self._answers: dict[str, ClientToolResult] = {}  # ours, to those
        self._finished: dict[int, None] = {}  # ordinals of final transcripts

    def sent(self, message: Message) -> None:
        """Note what we send. Raises: LocalWireError for an invocation id used twice."""
        match message:
            case Ping():
                self._pings += 1
            case ClientToolInvocation(invocation_id=name):
                if name in self._asked:
                    raise LocalWireError("a tool invocation id was used twice")
                _remember(self._asked, name, False, _REMEMBERED)
            case ClientToolResult(invocation_id=name) if name in self._taken:
                _remember(self._answers, name, message, _ANSWERS_KEPT)
            case _:
                pass

    def received(self, message: Message) -> SocketEvent:
        """What a message of the peer amounts to."""
        match message:
            case PlaybackClearBuffer():
                return ClearBuffer()
            case Pong():
                return self._pong(message)
            case ClientToolResult():
                return self._result(message)
            case ClientToolInvocation():
                return self._invocation(message)
            case Transcript():
                return self._transcript(message)
            case _:
                return MessageReceived(message)

    def _pong(self, message: Pong) -> SocketEvent:
        if self._pings == 0:
            return Ignored("out of order", "a pong came without a ping")
        self._pings -= 1
        return MessageReceived(message)

    def _result(self, message: ClientToolResult) -> SocketEvent:
        answered = self._asked.get(message.invocation_id)
        if answered is None:
            return Ignored("out of order", "a tool result came for no open tool invocation")
        if answered:
            return Ignored("repeated", "a second tool result came for one invocation")
        self._asked[message.invocation_id] = True
        return MessageReceived(message)

    def _invocation(self, message: ClientToolInvocation) -> SocketEvent:
        name = message.invocation_id
        if name not in self._taken:
            _remember(self._taken, name, None, _REMEMBERED)
            return MessageReceived(message)
        if answer := self._answers.get(name):
            return AnswerAgain(answer)
        return Ignored("repeated", "a tool invocation came twice; it runs once")

    def _transcript(self, message: Transcript) -> SocketEvent:
        # A second final one is a correction and replaces; only an addition to a final one is late.
        if message.final:
            _remember(self._finished, message.ordinal, None, _REMEMBERED)
        elif message.ordinal in self._finished:
            return Ignored("out of order", "a piece of a transcript came after its final text")
        return MessageReceived(message)


def _remember(memory: dict[Key, Value], key: Key, value: Value, limit: int) -> None:
    """Add to a memory that forgets its oldest."""
    memory[key] = value
    if len(memory) > limit:
        del memory[next(iter(memory))]
