"""The conversation: what is answered next, what may be interrupted, when the call is over.

Everything the agent does is a piece of work for the floor: the greeting, a user's turn, a typed text, a forced message,
an announcement. The user's interruption stops the piece under way, unless it is uninterruptible or runs tools
(reference 5.4: tools are never interrupted).
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import numpy as np

from bridge.brains.base import (
    HEAR_HZ,
    Act,
    Brain,
    CallTool,
    Cue,
    Greeting,
    HangUp,
    Say,
    ToolsReturned,
    UserSaid,
    UserTurn,
)
from bridge.legs.base import Ended, EndReason, MessageEvent, Port, Warned
from bridge.legs.brain.floor import Floor, Work
from bridge.legs.brain.host import (
    AgentFirst,
    ConversationSettings,
    Journal,
    Medium,
    TimedMessage,
    Tools,
)
from bridge.legs.brain.inactivity import Inactivity
from bridge.legs.brain.speaking import CutBy, Speaking
from bridge.legs.brain.tool_turns import HangUpRequest, Invocation, run_tools
from bridge.wire.messages import (
    CallStarted,
    Transcript,
    UserStartedSpeaking,
    UserStoppedSpeaking,
)

LONGEST_TURN = 30 * HEAR_HZ
"""Samples of joined turns that are kept for recognition."""


class Conversation:
    """Turns what the user does into work for the brain, and the brain's acts into speech, tools and an end."""

    def __init__(
        self,
        brain: Brain,
        settings: ConversationSettings,
        journal: Journal,
        tools: Tools,
        port: Port,
    ) -> None:
        self.speaking = Speaking(brain, port, journal, settings.output_medium)
        self._brain = brain
        self._settings = settings
        self._journal = journal
        self._tools = tools
        self._port = port
        self._loop = asyncio.get_running_loop()
        self._over: asyncio.Future[Ended] = self._loop.create_future()
        self._floor = Floor(settings.call_id, self._settle)
        self._in_tools = False
        self._held = False
        self._spoke = False
        self._hanging_up = False
        self._user_speaking = False
        self._unheard_turn: UserTurn | None = None
        self._inactivity = Inactivity(settings.inactivity, self._announce_inactivity)
        self._timers: list[asyncio.TimerHandle] = []

    async def run(self) -> Ended:
        """Converse until somebody ends the call.

        Raises: BrainError if the brain fails.
        """
        worker = self._loop.create_task(self._floor.run(), name=f"{self._settings.call_id} floor")
        self._timers.append(self._loop.call_later(self._settings.max_duration_s, self._time_is_up))
        self._open()
        try:
            await asyncio.wait((worker, self._over), return_when=asyncio.FIRST_COMPLETED)
            if not self._over.done():
                worker.result()
            return self._over.result()
        finally:
            self._inactivity.stop()
            for timer in self._timers:
                timer.cancel()
            worker.cancel()
            await asyncio.gather(worker, return_exceptions=True)
            self.speaking.end()
            if self._over.done():
                self._over.exception()  # seen, though another error may be the one that is raised

    # What the user does

    @property
    def interruptible(self) -> bool:
        """Whether the user's voice may stop what is going on now."""
        return (
            self._floor.taken
            and not self._protected
            and self.speaking.state in ("thinking", "speaking")
        )

    def speech_started(self) -> None:
        """The user begins to speak."""
        self._user_speaking = True
        self._inactivity.user_active()
        self._port.emit(MessageEvent(UserStartedSpeaking()))

    def speech_stopped(self) -> None:
        """The user stopped speaking, for now."""
        self._user_speaking = False
        self._port.emit(MessageEvent(UserStoppedSpeaking()))
        self._count_silence()

    def interrupted(self) -> None:
        """The user speaks over the agent: it falls silent at once."""
        self.interrupt("user")

    def turn_ended(self, turn: UserTurn) -> None:
        """The user finished speaking: answer when the floor is free.

        What was too short to interrupt the agent ("mhm") is no turn while the agent has the floor.
        """
        shortest_ms = self._settings.vad.minimum_interruption_duration_ms
        if self.interruptible and turn.end_ms - turn.start_ms < shortest_ms:
            return
        if self._has_room():
            self.queue(lambda: self._answer_turn(turn))

    def failed(self, error: Exception) -> None:
        """The agent's ears broke: the call cannot go on."""
        if not self._over.done():
            self._over.set_exception(error)
            self._floor.close()

    def typed(self, text: str, *, at_once: bool = False, later: bool = False) -> None:
        """The user wrote something: ``at_once`` cuts the agent off, ``later`` waits for the next reply."""
        self._inactivity.user_active()
        if at_once:
            self._cut_in()
        if text and self._has_room():
            self._record_user(text, "text")
            if not later:
                self.queue(lambda: self._converse(UserSaid(text, spoken=False)), first=at_once)
        self._count_silence()

    # What others make the agent do

    def say_and_run(
        self, text: str, invocations: list[Invocation], *, uninterruptible: bool, at_once: bool
    ) -> None:
        """A forced message: speak ``text``, then run the tools."""
        if at_once:
            self._cut_in()

        async def work() -> None:
            self._spoke = False
            if text:
                await self._say(Say(text, uninterruptible=uninterruptible))
            if invocations:
                cue = await self._run_tools(invocations)
                if cue is not None:
                    await self._converse(cue)

        if self._has_room():
            self.queue(work, first=at_once)

    def hang_up(self, message: str, reason: EndReason = "agent_hangup") -> None:
        """End the call after speaking ``message``; nothing that was planned is done any more.

        A goodbye that is planned or spoken stands; only the end of the call's time takes its place.
        """
        if self._hanging_up and reason != "timeout":
            return
        if self._floor.taken and not self._in_tools:
            self._stop_current("timeout" if reason == "timeout" else "hang_up")
        self._hanging_up = False
        self._floor.forget()
        self.queue(lambda: self._say_and_end(message, reason))
        self._hanging_up = True

    def interrupt(self, by: CutBy) -> None:
        """Stop what the agent says or is about to say; tools, goodbyes and the uninterruptible go on."""
        if self._floor.taken and not self._protected:
            self._stop_current(by)

    # The floor

    def queue(self, work: Work, *, first: bool = False) -> None:
        """Put work in the queue; a call that is hanging up takes none."""
        if self._hanging_up:
            return
        self._floor.put(work, first=first)
        self._inactivity.stop()

    @property
    def _protected(self) -> bool:
        return self._hanging_up or self._in_tools or self._held or self.speaking.uninterruptible

    def _stop_current(self, by: CutBy) -> None:
        self._floor.stop()
        self.speaking.cut(by)
        self.speaking.set_state("listening")

    def _cut_in(self) -> None:
        """Interrupt for a message; a turn that was being understood is answered after it."""
        self.interrupt("message")
        turn = self._unheard_turn
        if turn is not None and not self._floor.taken:
            self._unheard_turn = None
            self.queue(lambda: self._answer_turn(turn), first=True)

    def _has_room(self) -> bool:
        """Whether more work may wait; a client that asks for more than that gets a warning."""
        if not self._floor.full and not self._journal.full:
            return True
        self._port.emit(Warned("too_much_asked", "more was asked than the agent can answer"))
        return False

    def _settle(self) -> None:
        if not self._over.done():
            self.speaking.set_state("listening")
            self._count_silence()

    def _count_silence(self) -> None:
        if self._floor.free and not self._user_speaking:
            self._inactivity.wait()

    def _open(self) -> None:
        self._port.emit(MessageEvent(CallStarted(call_id=self._settings.call_id)))
        opening = self._settings.first_speaker
        if isinstance(opening, AgentFirst):
            self.speaking.set_state("thinking")
            self._later(opening.delay_s, lambda: self._greet(opening))
            return
        self.speaking.set_state("listening")
        self._inactivity.wait()
        fallback = opening.fallback
        if fallback is not None:
            greeting = AgentFirst(fallback.text, fallback.prompt)
            self._later(fallback.delay_s, lambda: self._greet_if_silent(greeting))

    def _greet(self, opening: AgentFirst) -> None:
        cue = Greeting(opening.text, opening.prompt)
        self.queue(lambda: self._converse(cue, uninterruptible=opening.uninterruptible))

    def _greet_if_silent(self, opening: AgentFirst) -> None:
        if not self._inactivity.activity and not self._floor.taken:
            self._greet(opening)

    def _later(self, delay_s: float, callback: Callable[[], None]) -> None:
        if delay_s <= 0:
            callback()
        else:
            self._timers.append(self._loop.call_later(delay_s, callback))

    def _time_is_up(self) -> None:
        self._in_tools = False
        self.hang_up(self._settings.time_exceeded_message, "timeout")

    def _announce_inactivity(self, message: TimedMessage) -> None:
        async def work() -> None:
            before = self._inactivity.activity
            strict = message.end_behavior == "hang_up_strict"
            await self._say(Say(message.message, uninterruptible=strict))
            if strict or (
                message.end_behavior == "hang_up_soft" and self._was_silent_since(before)
            ):
                self._end("agent_hangup", "the user was inactive")

        self.queue(work)

    # Work

    async def _answer_turn(self, turn: UserTurn) -> None:
        self.speaking.set_state("thinking")
        if self._unheard_turn is not None:
            turn = _joined(self._unheard_turn, turn)
        self._unheard_turn = turn
        text = await self._brain.hear(turn)
        self._unheard_turn = None
        if text:
            self._record_user(text, "voice", turn)
            await self._converse(UserSaid(text, spoken=True))

    async def _converse(self, cue: Cue, *, uninterruptible: bool = False) -> None:
        following: Cue | None = cue
        self._held = uninterruptible
        try:
            while following is not None and not self._hanging_up and not self._over.done():
                self.speaking.set_state("thinking")
                self._spoke = False
                acts = self._brain.reply(following, self._journal.history())
                following = await self._take(acts)
        finally:
            self._held = False

    async def _take(self, acts: AsyncIterator[Act]) -> Cue | None:
        calls: list[Invocation] = []
        async with aclosing(acts) as stream:  # type: ignore[type-var]
            async for act in stream:
                match act:
                    case Say():
                        await self._say(act)
                    case CallTool():
                        calls.append(Invocation(self._journal.invocation_id(), act))
                    case HangUp():
                        if calls:
                            await self._run_tools(calls)
                        await self._say_and_end(act.message, "agent_hangup")
                        return None
        return await self._run_tools(calls) if calls else None

    async def _say(self, act: Say) -> None:
        self._spoke = True
        await self.speaking.say(act)

    async def _run_tools(self, invocations: list[Invocation]) -> Cue | None:
        self.speaking.set_state("thinking")
        if not self._spoke:
            self.speaking.blank()
        self._in_tools = True
        try:
            after = await run_tools(
                invocations,
                tools=self._tools,
                journal=self._journal,
                port=self._port,
                medium=self.speaking.medium,
                agent_spoke=self._spoke,
            )
        finally:
            self._in_tools = False
        if after.hang_up is not None and not self._hanging_up:
            await self._hang_up_by_tool(after.hang_up)
            return None
        return ToolsReturned(after.returns) if after.reply else None

    async def _hang_up_by_tool(self, request: HangUpRequest) -> None:
        before = self._inactivity.activity
        if request.message:
            await self._say(Say(request.message, uninterruptible=request.strict))
        if request.strict or self._was_silent_since(before):
            self._end("agent_hangup")

    async def _say_and_end(self, message: str, reason: EndReason) -> None:
        if message and not self._over.done():
            await self._say(Say(message, uninterruptible=True))
        self._end(reason)

    def _was_silent_since(self, activity: int) -> bool:
        return activity == self._inactivity.activity and not self._user_speaking

    def _record_user(self, text: str, medium: Medium, turn: UserTurn | None = None) -> None:
        span = None if turn is None else (turn.start_ms, turn.end_ms)
        ordinal = self._journal.add("user", text, medium=medium, heard_span_ms=span)
        transcript = Transcript(role="user", medium=medium, text=text, final=True, ordinal=ordinal)
        self._port.emit(MessageEvent(transcript))

    def _end(self, reason: EndReason, detail: str = "") -> None:
        if not self._over.done():
            self._over.set_result(Ended(reason, detail))
            self._floor.close()


def _joined(first: UserTurn, second: UserTurn) -> UserTurn:
    """Two pieces of one turn: the user went on before the agent had understood the first."""
    samples = np.concatenate((first.samples, second.samples))[-LONGEST_TURN:]
    return UserTurn(samples, first.start_ms, second.end_ms)
