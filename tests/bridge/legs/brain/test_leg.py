import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from bridge.brains.base import Act, Brain, Cue, HistoryItem, Say
from bridge.brains.echo import EchoBrain
from bridge.errors import BrainError
from bridge.legs.base import Ended, MessageEvent, Warned
from bridge.legs.brain.host import ConversationSettings
from bridge.legs.brain.leg import BrainLeg
from bridge.virtual import run_virtual
from bridge.wire.messages import (
    ClientMessage,
    ForcedAgentMessage,
    HangUp,
    InputTextMessage,
    Ping,
    Pong,
    SetOutputMedium,
    SpawnThread,
    ThreadRejected,
    Transcript,
    UnknownMessage,
    UserTextMessage,
)
from bridge_codecs.pcm import Int16
from tests.fakes.brain_parts import HandTools, ListJournal, play
from tests.fakes.call_world import ActingBrain, LoudVad
from tests.fakes.legs import HandPort, hand_port


@dataclass
class Chair:
    leg: BrainLeg
    task: "asyncio.Task[Ended]"
    ends: HandPort
    journal: ListJournal
    tools: HandTools

    def tell(self, message: ClientMessage | UnknownMessage) -> None:
        self.leg.receive(MessageEvent(message))

    @property
    def finals(self) -> list[tuple[str, str | None]]:
        return [
            (m.role, m.text) for m in self.ends.messages if isinstance(m, Transcript) and m.final
        ]


@asynccontextmanager
async def seated(brain: Brain, vad: LoudVad | None = None) -> AsyncIterator[Chair]:
    journal, tools = ListJournal(), HandTools()
    settings = ConversationSettings(call_id="c")
    leg = BrainLeg(brain, vad or LoudVad(), settings, journal, tools)
    ends = hand_port(outgoing_hz=leg.source_hz, incoming_hz=leg.sink_hz)
    player = asyncio.create_task(play(ends.outgoing))
    task = asyncio.create_task(leg.run(ends.port))
    await asyncio.sleep(0.01)
    try:
        yield Chair(leg, task, ends, journal, tools)
    finally:
        for running in (task, player):
            running.cancel()
        await asyncio.wait((task, player))


def mute() -> ActingBrain:
    return ActingBrain(lambda _: ())


def test_each_message_does_what_it_says() -> None:
    async def call() -> None:
        async with seated(mute()) as chair:
            chair.tell(Ping(timestamp=2.5))
            chair.tell(UserTextMessage(text="one"))
            chair.tell(InputTextMessage(text="two", defer_response=True))
            chair.tell(SetOutputMedium(medium="text"))
            chair.tell(ForcedAgentMessage(content="hear"))
            chair.tell(UnknownMessage("of tomorrow", {}))
            await asyncio.sleep(1)
            chair.tell(HangUp(message="bye"))

            assert await chair.task == Ended("agent_hangup")
            assert [m for m in chair.ends.messages if isinstance(m, Pong)] == [Pong(timestamp=2.5)]
            assert chair.finals == [
                ("user", "one"),
                ("user", "two"),
                ("agent", "hear"),
                ("agent", "bye"),
            ]
            assert chair.journal.messages[-1]["medium"] == "text"

    run_virtual(call())


def test_there_is_no_thread_but_the_main_one() -> None:
    async def call() -> None:
        async with seated(mute()) as chair:
            chair.tell(SpawnThread(new_thread_id="side"))
            chair.tell(SpawnThread())
            chair.tell(UserTextMessage(text="psst", thread_id="side"))
            chair.tell(ForcedAgentMessage(content="psst", thread_id="side"))
            await asyncio.sleep(2)

            rejected = [m for m in chair.ends.messages if isinstance(m, ThreadRejected)]
            assert [m.thread_id for m in rejected] == ["side", ""]
            assert all(m.reason for m in rejected)
            assert [name for name, _ in chair.journal.events] == [
                "thread_comms.non_existent_thread"
            ] * 2
            assert chair.finals == []

    run_virtual(call())


def test_a_forced_message_runs_the_tools_it_does_not_know_the_results_of() -> None:
    async def call() -> None:
        async with seated(mute()) as chair:
            message = ForcedAgentMessage.model_validate(
                {
                    "toolCalls": [
                        {"id": "a", "name": "t", "arguments": {"x": 1}},
                        {"name": "u", "arguments": {}},
                    ],
                    "knownToolResults": [{"invocationId": "a", "result": "r"}],
                }
            )
            chair.tell(message)
            await asyncio.sleep(1)

            assert chair.tools.ran == [("call_1", "u", {})]
            assert ("tool_result", "r") in chair.journal.texts

    run_virtual(call())


def test_before_and_after_the_conversation_messages_are_lost_and_it_says_so() -> None:
    async def call() -> None:
        brain = mute()
        leg = BrainLeg(
            brain, LoudVad(), ConversationSettings(call_id="c"), ListJournal(), HandTools()
        )
        leg.take(UserTextMessage(text="early"))
        assert not leg.conversing
        async with seated(brain) as chair:
            assert chair.leg.conversing
            chair.tell(HangUp())
            await chair.task
            chair.tell(UserTextMessage(text="late"))
            assert not chair.leg.conversing
            assert chair.finals == []

    run_virtual(call())


def test_brain_and_detector_are_closed_at_the_end_once() -> None:
    async def call() -> None:
        for live in (False, True):
            closes: list[str] = []
            brain: Brain = EchoBrain(8_000) if live else mute()

            async def close(closes: list[str] = closes) -> None:
                closes.append("brain")

            brain.close = close  # type: ignore[method-assign]
            vad = LoudVad()
            vad.close = lambda closes=closes: closes.append("vad")  # type: ignore[method-assign, misc]
            async with seated(brain, vad) as chair:
                chair.tell(HangUp())
                await chair.task
            assert sorted(closes) == ["brain", "vad"]

    run_virtual(call())


class Failing(ActingBrain):
    def __init__(self, error: Exception, where: str) -> None:
        super().__init__(lambda _: [Say("hello")])
        self.error, self.where = error, where

    async def hear(self, turn: object) -> str:
        if self.where == "hear":
            raise self.error
        return "hello"

    async def reply(self, cue: Cue, history: Sequence[HistoryItem]) -> AsyncIterator[Act]:
        if self.where == "reply":
            raise self.error
        async for act in super().reply(cue, history):
            yield act

    async def speak(self, text: str):  # type: ignore[no-untyped-def]
        async for chunk in super().speak(text):
            yield chunk
            if self.where == "speak":
                raise self.error


@pytest.mark.parametrize("where", ["reply", "hear", "speak"])
def test_a_brain_error_ends_the_call_with_its_sentence_and_an_event(where: str) -> None:
    async def call() -> None:
        async with seated(Failing(BrainError("no idea"), where)) as chair:
            chair.ends.incoming.push(np.full(16_000, 9_000, np.int16))
            chair.ends.incoming.push(np.zeros(16_000, np.int16))

            assert await chair.task == Ended("system_error", "no idea")
            assert ("brain_failed", {}) in chair.journal.events

    run_virtual(call())


@pytest.mark.parametrize("where", ["reply", "hear", "speak"])
def test_a_bug_in_a_brain_comes_out_as_it_is(where: str) -> None:
    async def call() -> None:
        async with seated(Failing(KeyError("bug"), where)) as chair:
            chair.ends.incoming.push(np.full(16_000, 9_000, np.int16))
            chair.ends.incoming.push(np.zeros(16_000, np.int16))
            with pytest.raises(KeyError):
                await chair.task

    run_virtual(call())


# Live brains


def test_a_live_brain_answers_each_frame_at_once_at_its_own_rate() -> None:
    async def call() -> None:
        async with seated(EchoBrain(8_000)) as chair:
            assert (chair.leg.source_hz, chair.leg.sink_hz) == (8_000, 8_000)
            ramp = np.arange(1_000, dtype=np.int16)
            chair.ends.incoming.push(ramp)

            assert np.array_equal(chair.ends.outgoing.pull_padded(960), ramp[:960])
            assert chair.ends.outgoing.depth_samples == 0

    run_virtual(call())


def test_what_a_live_brain_says_late_is_late_until_the_next_pause_and_no_longer() -> None:
    async def call() -> None:
        async with seated(EchoBrain(8_000)) as chair:
            outgoing = chair.ends.outgoing
            loud, quiet = np.full(160, 3_000, np.int16), np.full(160, 100, np.int16)
            for frame in (loud, loud, loud):  # a burst: all is said, in its order
                chair.ends.incoming.push(frame)
            assert outgoing.depth_samples == 480
            chair.ends.incoming.push(quiet)
            assert outgoing.depth_samples == 480
            outgoing.pull_padded(480)
            chair.ends.incoming.push(quiet)
            assert outgoing.depth_samples == 160

    run_virtual(call())


def test_speech_of_a_live_brain_leaves_no_backlog_behind() -> None:
    async def call() -> None:
        async with seated(EchoBrain(8_000)) as chair:
            chair.tell(UserTextMessage(text="say this"))
            for _ in range(100):
                chair.ends.incoming.push(np.ones(160, np.int16))
                await asyncio.sleep(0.02)

            assert chair.finals[-1] == ("agent", "say this")
            assert chair.ends.outgoing.depth_ms <= 20

    run_virtual(call())


@pytest.mark.parametrize("error", [BrainError("no idea"), KeyError("bug")])
def test_a_live_brain_that_fails_ends_its_call_and_not_the_source(error: Exception) -> None:
    async def call() -> None:
        class Broken(EchoBrain):
            def listen(self, samples: Int16) -> Int16 | None:
                raise error

        async with seated(Broken(8_000)) as chair:
            chair.ends.incoming.push(np.ones(160, np.int16))
            chair.ends.incoming.push(np.ones(160, np.int16))
            if isinstance(error, BrainError):
                assert await chair.task == Ended("system_error", "no idea")
            else:
                with pytest.raises(KeyError):
                    await chair.task

    run_virtual(call())


def test_events_that_are_no_messages_pass() -> None:
    async def call() -> None:
        async with seated(mute()) as chair:
            n_events = len(chair.ends.events)
            chair.leg.receive(Warned("odd", "a frame"))
            chair.leg.clear()
            await chair.leg.drain()
            assert len(chair.ends.events) == n_events

    run_virtual(call())
