"""The agent's side of the record: states, and one message at a time, voiced or written.

Order of the messages of an utterance (reference 1.6): ``state speaking``, then the audio, then the transcript
in step with it: first a whole ``text`` with the first word, then ``delta`` pieces, then the whole ``text``
with ``final``. An utterance that was stopped before its first word leaves no message and takes no ordinal.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Final, Literal, TypeAlias

from bridge.brains.base import Brain, Say, SpeechChunk
from bridge.legs.base import MessageEvent, Port
from bridge.legs.brain.host import Journal, Medium
from bridge.legs.brain.mouth import Mouth
from bridge.wire.messages import State, Transcript

AgentState = Literal["idle", "listening", "thinking", "speaking"]
CutBy: TypeAlias = Literal["user", "message", "hang_up", "timeout"]
"""What stops the agent: the user's voice, a message to be taken at once, the end of the call, or that of its time."""

_CUT: Final[Mapping[CutBy, str]] = {
    "user": "the user interrupted the agent",
    "message": "a message that was to be taken at once cut the agent off",
    "hang_up": "the agent was cut off to end the call",
    "timeout": "the agent was cut off because the call had lasted as long as it may",
}


class Speaking:
    """Says what the brain wants said, and keeps the far side's view of it in step.

    Attributes:
        state: the agent's state as the far side knows it.
        medium: ``voice`` or ``text``; a change takes effect with the next utterance.
        uninterruptible: the utterance under way may not be stopped by the user.
    """

    def __init__(self, brain: Brain, port: Port, journal: Journal, medium: Medium) -> None:
        self.state: AgentState = "idle"
        self.medium = medium
        self.uninterruptible = False
        self._brain = brain
        self._port = port
        self._journal = journal
        self._message: AgentMessage | None = None
        self._text = ""
        self._mouth = Mouth(port.outgoing, brain.speech_hz, self._show)

    def set_state(self, state: AgentState) -> None:
        """Tell the far side, if it is news."""
        if state != self.state:
            self.state = state
            self._port.emit(MessageEvent(State(state=state)))

    async def say(self, act: Say) -> None:
        """Say it to the end; returns when the far end has heard (or read) all of it."""
        self._message = AgentMessage(self._port, self._journal, self.medium)
        self._text = act.text
        self.uninterruptible = act.uninterruptible
        try:
            if self.medium == "voice":
                await self._voice(act.chunks or self._brain.speak(act.text))
            elif act.chunks is None:
                self._write(act.text)
            else:
                await self._write_chunks(act.chunks)
            self._message.finish()
            self._message = None
        finally:
            self.uninterruptible = False

    def blank(self) -> None:
        """The empty agent message that stands before a tool call nobody announced (reference 1.6)."""
        AgentMessage(self._port, self._journal, self.medium).blank()

    def cut(self, by: CutBy) -> None:
        """Stop at once: what was pushed is cleared at the far end, the message ends with what was heard."""
        self._port.clear_far()
        message = self._stop()
        if message is not None:
            self._journal.event(
                "agent_interrupted",
                _CUT[by],
                heardText=message.text,
                unheardText=self._text.lstrip().removeprefix(message.text),
                ordinal=message.ordinal,
                cause=by,
            )

    def end(self) -> None:
        """The call is over: an utterance under way ends with what was heard; what waits may be played."""
        self._stop()
        self._port.outgoing.end_segment()

    def _stop(self) -> "AgentMessage | None":
        self._mouth.cut()
        message, self._message = self._message, None
        if message is not None:
            message.finish()
        return message

    async def _voice(self, chunks: AsyncIterator[SpeechChunk]) -> None:
        async def announced() -> AsyncGenerator[SpeechChunk, None]:
            async with aclosing(chunks) as made:  # type: ignore[type-var]
                async for chunk in made:
                    self.set_state("speaking")
                    yield chunk

        async with aclosing(announced()) as speech:
            await self._mouth.say(speech)

    def _write(self, text: str) -> None:
        head, *tail = text.split(" ")
        for piece in (head, *(f" {word}" for word in tail)):
            self._show(piece)

    async def _write_chunks(self, chunks: AsyncIterator[SpeechChunk]) -> None:
        async with aclosing(chunks) as made:  # type: ignore[type-var]
            async for chunk in made:
                self._show(chunk.text)

    def _show(self, piece: str) -> None:
        if self._message is not None:
            self._message.show(piece)


class AgentMessage:
    """One message of the agent, from its first word to its final transcript."""

    def __init__(self, port: Port, journal: Journal, medium: Medium) -> None:
        self.text = ""
        self.ordinal: int | None = None
        self._emit: Callable[[MessageEvent], None] = port.emit
        self._journal = journal
        self._medium: Medium = medium

    def show(self, piece: str) -> None:
        """The next piece was spoken or written."""
        if not piece:
            return
        first = self.ordinal is None
        if first:
            self.ordinal = self._journal.add("agent", "", medium=self._medium)
            piece = piece.lstrip() or piece
        self.text += piece
        self._send(text=piece) if first else self._send(delta=piece)

    def finish(self) -> None:
        """The message is over; what was shown is what it says."""
        if self.ordinal is not None:
            self._journal.finish(self.ordinal, self.text)
            self._send(text=self.text, final=True)

    def blank(self) -> None:
        """A message without words."""
        self.ordinal = self._journal.add("agent", "", medium=self._medium)
        self._send(text="", final=True)

    def _send(
        self, *, text: str | None = None, delta: str | None = None, final: bool = False
    ) -> None:
        assert self.ordinal is not None
        transcript = Transcript(
            role="agent",
            medium=self._medium,
            text=text,
            delta=delta,
            final=final,
            ordinal=self.ordinal,
        )
        self._emit(MessageEvent(transcript))
