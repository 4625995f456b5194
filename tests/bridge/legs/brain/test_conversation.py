import asyncio
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from bridge.brains.base import (
    HEAR_HZ,
    Act,
    CallTool,
    Cue,
    Greeting,
    HangUp,
    Say,
    ToolsReturned,
    UserSaid,
)
from bridge.errors import BrainError
from bridge.legs.base import Ended, Warned
from bridge.legs.brain.conversation import Conversation
from bridge.legs.brain.floor import MAX_QUEUED
from bridge.legs.brain.host import AgentFirst, Fallback, TimedMessage, ToolOutcome, UserFirst
from bridge.legs.brain.tool_turns import Invocation
from bridge.virtual import run_virtual
from tests.fakes.brain_parts import HandTools
from tests.fakes.talks import SlowBrain, talking

LONG = "one two three four five six seven eight nine ten eleven twelve"  # 3 s
QUIET = UserFirst()


def on(**answers: Sequence[Act]) -> SlowBrain:
    """A brain that answers the kinds of cue named here."""
    return SlowBrain(lambda cue: answers.get(type(cue).__name__, ()))


def said_texts(cues: Sequence[Cue]) -> list[str]:
    return [cue.text for cue in cues if isinstance(cue, UserSaid)]


# Interruption at every point


def test_speech_while_the_agent_thinks_of_a_greeting_stops_it_before_its_first_word() -> None:
    async def call() -> None:
        brain = SlowBrain(lambda _: [Say(LONG)], think_s=1.0)
        async with talking(brain) as talk:
            await asyncio.sleep(0.5)
            talk.conversation.interrupted()
            await asyncio.sleep(5)

            assert talk.states == ["thinking", "listening"]
            assert len(talk.ends.clears) == 1
            assert talk.journal.messages == []
            assert talk.ends.outgoing.stats.pushed == 0
            assert brain.closed_replies == 1

    run_virtual(call())


def test_an_uninterruptible_greeting_survives_speech_before_between_and_within_its_words() -> None:
    async def call() -> None:
        brain = SlowBrain(lambda cue: [Say("one two"), Say("three four")], think_s=1.0)
        first = AgentFirst(uninterruptible=True)
        async with talking(brain, first_speaker=first) as talk:
            for _ in range(40):
                await asyncio.sleep(0.05)
                assert not talk.conversation.interruptible
                talk.conversation.interrupted()
                talk.conversation.typed("", at_once=True)
            await asyncio.sleep(3)

            assert talk.finals == [("agent", "one two"), ("agent", "three four")]
            assert talk.ends.clears == []

    run_virtual(call())


def test_typed_immediate_text_waits_for_the_uninterruptible_and_goes_first_then() -> None:
    async def call() -> None:
        brain = on(Greeting=[Say("one two three")], UserSaid=[Say("yes")])
        first = AgentFirst(uninterruptible=True)
        async with talking(brain, first_speaker=first) as talk:
            await asyncio.sleep(0.1)
            talk.conversation.typed("later", at_once=False)
            talk.conversation.typed("now", at_once=True)
            await asyncio.sleep(5)

            assert talk.finals[:3] == [
                ("user", "later"),
                ("user", "now"),
                ("agent", "one two three"),
            ]
            assert said_texts(brain.cues) == ["now", "later"]

    run_virtual(call())


def test_an_interruption_between_two_sentences_leaves_the_first_whole() -> None:
    async def call() -> None:
        class Halting(SlowBrain):
            async def reply(self, cue: Cue, history: Sequence[object]):  # type: ignore[no-untyped-def]
                yield Say("one")
                await asyncio.sleep(2)
                yield Say("two")

        brain = Halting(lambda _: ())
        async with talking(brain) as talk:
            await asyncio.sleep(1)
            assert talk.conversation.interruptible
            talk.conversation.interrupted()
            await asyncio.sleep(4)

            assert talk.finals == [("agent", "one")]
            assert talk.states[-1] == "listening"
            assert not [event for event in talk.journal.events if event[0] == "agent_interrupted"]

    run_virtual(call())


def test_an_interruption_in_mid_sentence_tells_heard_from_unheard_even_of_what_was_not_made_yet() -> (
    None
):
    async def call() -> None:
        text = " ".join([LONG + "."] * 8)  # more than the lane is filled with at once
        async with talking(on(Greeting=[Say(text)])) as talk:
            await asyncio.sleep(1.2)
            talk.conversation.interrupted()
            [(_, extras)] = talk.journal.events

            assert str(extras["heardText"]) + str(extras["unheardText"]) == text
            assert str(extras["heardText"]).startswith("one two three")
            assert extras["ordinal"] == 0
            assert talk.journal.texts == [("agent", extras["heardText"])]

    run_virtual(call())


CUTS: dict[str, Callable[[Conversation], None]] = {
    "user": lambda conversation: conversation.interrupted(),
    "message": lambda conversation: conversation.typed("stop", at_once=True),
    "hang_up": lambda conversation: conversation.hang_up("bye"),
    "timeout": lambda conversation: conversation.hang_up("time", "timeout"),
}


@pytest.mark.parametrize("cause", CUTS)
def test_who_is_cut_off_is_told_in_the_record_by_what(cause: str) -> None:
    async def call() -> None:
        async with talking(on(Greeting=[Say(LONG)])) as talk:
            await asyncio.sleep(0.5)
            CUTS[cause](talk.conversation)
            [(_, extras)] = talk.journal.events
            assert extras["cause"] == cause
            [text] = talk.journal.event_texts
            assert ("the user interrupted" in text) is (cause == "user")

    run_virtual(call())


def test_tools_are_never_interrupted_by_voice_or_text() -> None:
    async def call() -> None:
        brain = on(Greeting=[CallTool("t", {})], ToolsReturned=[Say("done")])
        async with talking(brain, HandTools(takes_s=3.0)) as talk:
            await asyncio.sleep(1)
            assert not talk.conversation.interruptible
            talk.conversation.interrupted()
            talk.conversation.typed("now", at_once=True)
            await asyncio.sleep(4)

            assert [type(cue) for cue in brain.cues[:2]] == [Greeting, ToolsReturned]
            assert ("agent", "done") in talk.finals
            assert said_texts(brain.cues) == ["now"]

    run_virtual(call())


def test_a_turn_cut_short_while_it_is_understood_is_joined_with_what_the_user_goes_on_to_say() -> (
    None
):
    async def call() -> None:
        brain = SlowBrain(lambda _: (), hear_s=1.0)
        async with talking(brain, first_speaker=QUIET) as talk:
            talk.turn(0, 1_000)
            await asyncio.sleep(0.5)
            talk.conversation.interrupted()
            await asyncio.sleep(0.5)
            talk.turn(1_500, 2_500)
            await asyncio.sleep(3)

            assert talk.finals == [("user", "0 to 2500")]
            assert brain.heard[0].samples.size == 2 * HEAR_HZ

    run_virtual(call())


def test_an_unheard_turn_is_not_lost_when_another_turn_already_waits() -> None:
    async def call() -> None:
        brain = SlowBrain(lambda _: (), hear_s=1.0)
        async with talking(brain, first_speaker=QUIET) as talk:
            talk.turn(0, 1_000)
            await asyncio.sleep(0.2)
            talk.turn(1_000, 2_000)
            await asyncio.sleep(0.2)
            talk.conversation.interrupted()
            await asyncio.sleep(3)

            assert talk.finals == [("user", "0 to 2000")]

    run_virtual(call())


def test_an_unheard_turn_is_understood_after_a_typed_text_that_cut_in() -> None:
    async def call() -> None:
        brain = SlowBrain(lambda _: (), hear_s=1.0)
        async with talking(brain, first_speaker=QUIET) as talk:
            talk.turn(0, 1_000)
            await asyncio.sleep(0.5)
            talk.conversation.typed("now", at_once=True)
            await asyncio.sleep(3)

            assert talk.finals == [("user", "now"), ("user", "0 to 1000")]
            assert said_texts(brain.cues) == ["now", "0 to 1000"]

    run_virtual(call())


def test_of_turns_joined_for_ever_thirty_seconds_are_kept() -> None:
    async def call() -> None:
        brain = SlowBrain(lambda _: (), hear_s=1.0)
        async with talking(brain, first_speaker=QUIET) as talk:
            for number in range(4):
                talk.turn(number * 20_000, (number + 1) * 20_000)
                await asyncio.sleep(0.5)
                talk.conversation.interrupted()
            talk.turn(80_000, 81_000)
            await asyncio.sleep(3)

            [heard] = brain.heard
            assert heard.samples.size == 30 * HEAR_HZ
            assert (heard.start_ms, heard.end_ms) == (0, 81_000)

    run_virtual(call())


@pytest.mark.parametrize(("ms", "answered"), [(89, 0), (90, 1)])
def test_a_sound_too_short_to_interrupt_is_no_turn_while_the_agent_has_the_floor(
    ms: int, answered: int
) -> None:
    async def call() -> None:
        brain = on(Greeting=[Say(LONG)])
        async with talking(brain) as talk:
            await asyncio.sleep(1)
            talk.turn(0, ms)
            await asyncio.sleep(4)
            assert len(brain.heard) == answered

    run_virtual(call())


def test_a_short_word_is_a_turn_when_the_agent_listens() -> None:
    async def call() -> None:
        brain = on()
        async with talking(brain, first_speaker=QUIET) as talk:
            await asyncio.sleep(1)
            talk.turn(0, 50)
            await asyncio.sleep(1)
            assert len(brain.heard) == 1

    run_virtual(call())


def test_two_turns_that_wait_are_answered_one_after_the_other() -> None:
    async def call() -> None:
        brain = on(UserSaid=[Say("yes")])
        first = AgentFirst(uninterruptible=True)
        async with talking(brain, first_speaker=first) as talk:
            talk.turn(0, 1_000)
            talk.turn(2_000, 3_000)
            await asyncio.sleep(3)

            assert [role for role, _ in talk.finals] == ["user", "agent", "user", "agent"]

    run_virtual(call())


def test_a_turn_that_nobody_understood_leaves_no_message() -> None:
    async def call() -> None:
        class Deaf(SlowBrain):
            async def hear(self, turn: object) -> str:
                return ""

        async with talking(Deaf(lambda _: [Say("x")]), first_speaker=QUIET) as talk:
            talk.turn(0, 1_000)
            await asyncio.sleep(1)
            assert talk.finals == []
            assert talk.states == ["listening", "thinking", "listening"]

    run_virtual(call())


# Hanging up


def test_hang_up_cuts_in_and_speaks_its_message_whatever_was_planned() -> None:
    async def call() -> None:
        brain = on(Greeting=[Say(LONG)], UserSaid=[Say("never")])
        async with talking(brain) as talk:
            await asyncio.sleep(1)
            talk.turn(0, 500)
            talk.conversation.hang_up("bye")
            ended = await talk.task

            assert ended == Ended("agent_hangup")
            assert talk.finals[-1] == ("agent", "bye")
            assert said_texts(brain.cues) == []

    run_virtual(call())


def test_hang_up_during_tools_waits_for_them_and_nothing_else() -> None:
    async def call() -> None:
        brain = on(Greeting=[CallTool("t", {})], ToolsReturned=[Say(LONG)])
        async with talking(brain, HandTools(takes_s=3.0)) as talk:
            await asyncio.sleep(1)
            talk.conversation.hang_up("bye")
            await talk.task

            assert asyncio.get_running_loop().time() == pytest.approx(3 + 0.18, abs=0.05)
            assert [role for role, _ in talk.journal.texts] == [
                "agent",
                "tool_call",
                "tool_result",
                "agent",
            ]
            assert talk.finals[-1] == ("agent", "bye")

    run_virtual(call())


def test_a_hang_up_tool_does_not_take_the_goodbye_of_a_client_that_hung_up() -> None:
    async def call() -> None:
        outcome = ToolOutcome('{"message": "from the tool"}', response_type="hang-up")
        brain = on(Greeting=[CallTool("t", {})])
        async with talking(brain, HandTools({"t": outcome}, takes_s=2.0)) as talk:
            await asyncio.sleep(1)
            talk.conversation.hang_up("bye")
            await talk.task
            assert [text for _, text in talk.finals if text] == ["bye"]

    run_virtual(call())


def test_nothing_stops_or_delays_a_goodbye() -> None:
    async def call() -> None:
        async with talking(on(Greeting=[Say(LONG)])) as talk:
            await asyncio.sleep(1)
            talk.conversation.hang_up("good bye")
            for _ in range(30):
                talk.conversation.interrupted()
                talk.conversation.typed("wait", at_once=True)
                talk.conversation.say_and_run("wait", [], uninterruptible=True, at_once=True)
                talk.conversation.hang_up("no, I stay")
                await asyncio.sleep(0.01)
            await talk.task

            assert [text for role, text in talk.finals if role == "agent"][-1] == "good bye"
            assert asyncio.get_running_loop().time() == pytest.approx(1 + 0.42, abs=0.05)

    run_virtual(call())


def test_hang_up_without_a_message_ends_at_once() -> None:
    async def call() -> None:
        async with talking(on()) as talk:
            await asyncio.sleep(1)
            talk.conversation.hang_up("")
            await talk.task
            assert asyncio.get_running_loop().time() == pytest.approx(1)

    run_virtual(call())


def test_after_the_brain_hung_up_nothing_that_waits_is_said() -> None:
    async def call() -> None:
        brain = on(Greeting=[HangUp("bye")], UserSaid=[Say(LONG)])
        async with talking(brain) as talk:
            await asyncio.sleep(0.05)
            talk.conversation.typed("one")
            talk.conversation.typed("two")
            ended = await talk.task
            await asyncio.sleep(1)

            assert ended == Ended("agent_hangup")
            assert said_texts(brain.cues) == []
            assert talk.finals[-1] == ("agent", "bye")
            assert talk.ends.outgoing.depth_samples == 0

    run_virtual(call())


def test_tools_called_before_a_hang_up_are_run() -> None:
    async def call() -> None:
        brain = on(Greeting=[CallTool("book", {}), HangUp("bye")])
        async with talking(brain) as talk:
            await talk.task
            assert [name for _, name, _ in talk.tools.ran] == ["book"]
            assert talk.finals[-1] == ("agent", "bye")

    run_virtual(call())


@pytest.mark.parametrize("message", ["goodbye then", ""])
@pytest.mark.parametrize("strict", [True, False])
def test_only_a_hang_up_tool_that_is_not_strict_lets_the_user_keep_the_call(
    strict: bool,
    message: str,
) -> None:
    async def call() -> None:
        body = f'{{"strict": {str(strict).lower()}, "message": "{message}"}}'
        tools = HandTools({"t": ToolOutcome(body, response_type="hang-up")}, takes_s=1.0)
        brain = on(Greeting=[CallTool("t", {})])
        async with talking(brain, tools) as talk:
            await asyncio.sleep(0.9)
            talk.conversation.speech_started()  # and goes on speaking
            await asyncio.sleep(3)

            assert talk.task.done() is strict

    run_virtual(call())


def test_a_hang_up_tool_that_is_not_strict_ends_the_call_of_a_silent_user() -> None:
    async def call() -> None:
        outcome = ToolOutcome('{"strict": false, "message": "bye"}', response_type="hang-up")
        async with talking(on(Greeting=[CallTool("t", {})]), HandTools({"t": outcome})) as talk:
            assert await talk.task == Ended("agent_hangup")
            assert talk.finals[-1] == ("agent", "bye")

    run_virtual(call())


# Forced messages


def test_a_forced_message_speaks_then_runs_its_tools_then_reacts() -> None:
    async def call() -> None:
        brain = on(ToolsReturned=[Say("done")])
        async with talking(brain, first_speaker=QUIET) as talk:
            invocations = [
                Invocation("a", CallTool("t", {}), ToolOutcome("known")),
                Invocation("b", CallTool("u", {})),
            ]
            talk.conversation.say_and_run("hear", invocations, uninterruptible=False, at_once=False)
            await asyncio.sleep(2)

            assert talk.journal.texts == [
                ("agent", "hear"),
                ("tool_call", "{}"),
                ("tool_call", "{}"),
                ("tool_result", "known"),
                ("tool_result", "fine"),
                ("agent", "done"),
            ]
            assert [name for _, name, _ in talk.tools.ran] == ["u"]

    run_virtual(call())


@pytest.mark.parametrize(("content", "reacts"), [("hear", False), ("", True)])
def test_speaks_once_is_silent_if_the_agent_spoke_right_before(
    content: str,
    reacts: bool,
) -> None:
    async def call() -> None:
        brain = on(ToolsReturned=[Say("done")])
        outcome = ToolOutcome("r", "speaks-once")
        async with talking(brain, HandTools({"t": outcome}), first_speaker=QUIET) as talk:
            invocation = Invocation("a", CallTool("t", {}))
            talk.conversation.say_and_run(
                content, [invocation], uninterruptible=False, at_once=False
            )
            await asyncio.sleep(2)
            assert (("agent", "done") in talk.finals) is reacts

    run_virtual(call())


def test_an_uninterruptible_forced_message_cuts_in_and_is_not_cut() -> None:
    async def call() -> None:
        async with talking(on(Greeting=[Say(LONG)])) as talk:
            await asyncio.sleep(1)
            talk.conversation.say_and_run("hear me out", [], uninterruptible=True, at_once=True)
            await asyncio.sleep(0.2)
            talk.conversation.interrupted()
            await asyncio.sleep(2)
            assert talk.finals[-1] == ("agent", "hear me out")

    run_virtual(call())


def test_more_work_than_the_queue_takes_is_refused_with_a_warning() -> None:
    async def call() -> None:
        brain = on(Greeting=[Say(LONG)])
        async with talking(brain) as talk:
            await asyncio.sleep(0.1)
            for number in range(MAX_QUEUED + 5):
                talk.conversation.typed(str(number))
            warned = [event for event in talk.ends.events if isinstance(event, Warned)]
            assert len(warned) == 5
            await asyncio.sleep(5)
            assert len(said_texts(brain.cues)) == MAX_QUEUED

    run_virtual(call())


def test_a_full_journal_takes_no_more_from_the_user_and_still_lets_go() -> None:
    async def call() -> None:
        brain = on(UserSaid=[Say("yes")])
        async with talking(brain, first_speaker=QUIET) as talk:
            talk.journal.full = True
            talk.conversation.typed("more", later=True)
            talk.conversation.typed("more", at_once=True)
            talk.conversation.hang_up("bye")

            assert (await talk.task).reason == "agent_hangup"
            assert talk.finals == [("agent", "bye")]
            assert [e.type for e in talk.ends.events if isinstance(e, Warned)] == [
                "too_much_asked"
            ] * 2

    run_virtual(call())


# Inactivity, time


def test_inactivity_is_not_counted_while_work_runs() -> None:
    async def call() -> None:
        brain = on(Greeting=[CallTool("t", {})])
        tools = HandTools({"t": ToolOutcome("", "listens")}, takes_s=10.0)
        messages = (TimedMessage(2.0, "there?"),)
        async with talking(brain, tools, inactivity=messages) as talk:
            await asyncio.sleep(11.9)
            assert ("agent", "there?") not in talk.finals
            await asyncio.sleep(1)
            assert ("agent", "there?") in talk.finals

    run_virtual(call())


@pytest.mark.parametrize(("speaking", "ended"), [(True, False), (False, True)])
def test_a_soft_goodbye_ends_the_call_unless_the_user_talks(
    speaking: bool,
    ended: bool,
) -> None:
    async def call() -> None:
        messages = (TimedMessage(1.0, "goodbye then", "hang_up_soft"),)
        async with talking(on(), first_speaker=QUIET, inactivity=messages) as talk:
            await asyncio.sleep(1.2)
            if speaking:
                talk.conversation.speech_started()
            await asyncio.sleep(2)
            assert talk.task.done() is ended

    run_virtual(call())


def test_a_fallback_greeting_comes_only_if_the_user_did_nothing() -> None:
    async def call() -> None:
        for typed, greeted in (("", True), ("hi", False)):
            brain = on(Greeting=[Say("hello")])
            async with talking(brain, first_speaker=UserFirst(Fallback(2.0))) as talk:
                await asyncio.sleep(1)
                if typed:
                    talk.conversation.typed(typed)
                await asyncio.sleep(3)
                assert (("agent", "hello") in talk.finals) is greeted

    run_virtual(call())


def test_at_the_end_of_its_time_the_call_ends_even_during_a_tool() -> None:
    async def call() -> None:
        brain = on(Greeting=[CallTool("t", {})])
        tools = HandTools(takes_s=40.0)
        async with talking(brain, tools, max_duration_s=3.0, time_exceeded_message="time") as talk:
            ended = await talk.task

            assert ended.reason == "timeout"
            assert asyncio.get_running_loop().time() == pytest.approx(3 + 0.24, abs=0.05)
            assert tools.running == 0
            assert talk.finals[-1] == ("agent", "time")

    run_virtual(call())


def test_the_end_of_the_time_takes_the_place_of_a_goodbye() -> None:
    async def call() -> None:
        async with talking(on(), max_duration_s=1.0, time_exceeded_message="time") as talk:
            await asyncio.sleep(0.9)
            talk.conversation.hang_up(LONG)
            ended = await talk.task
            assert ended.reason == "timeout"
            assert talk.finals[-1] == ("agent", "time")

    run_virtual(call())


# Failures


@pytest.mark.parametrize("where", ["reply", "hear", "speak"])
def test_a_brain_that_fails_ends_the_conversation_with_its_error(where: str) -> None:
    async def call() -> None:
        brain = on(Greeting=[Say("hello")])

        def fail(*_: object) -> None:
            raise BrainError(f"cannot {where}")

        setattr(brain, where, fail)
        async with talking(brain) as talk:
            talk.turn(0, 1_000)
            with pytest.raises(BrainError, match=where):
                await talk.task

    run_virtual(call())


def test_ears_that_fail_end_the_conversation_with_their_error() -> None:
    async def call() -> None:
        async with talking(on(Greeting=[Say(LONG)])) as talk:
            await asyncio.sleep(1)
            talk.conversation.failed(ValueError("deaf"))
            talk.conversation.failed(ValueError("again"))
            with pytest.raises(ValueError, match="deaf"):
                await talk.task

    run_virtual(call())


def test_an_utterance_under_way_at_the_end_is_recorded_as_far_as_it_was_heard() -> None:
    async def call() -> None:
        async with talking(on(Greeting=[Say(LONG)])) as talk:
            await asyncio.sleep(0.8)
            talk.task.cancel()
            await asyncio.wait((talk.task,))
            heard = talk.journal.messages[0]["text"]
            await asyncio.sleep(5)

            assert heard == "one two three four"
            assert talk.journal.messages[0]["text"] == heard
            assert talk.finals == [("agent", heard)]

    run_virtual(call())


def test_a_cancelled_conversation_leaves_no_task_and_no_timer() -> None:
    async def call() -> None:
        before = asyncio.all_tasks()
        messages = (TimedMessage(1.0, "there?"),)
        async with talking(on(Greeting=[Say(LONG)]), inactivity=messages) as talk:
            await asyncio.sleep(1)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
        n_events = len(talk.ends.events)
        await asyncio.sleep(10)
        assert len(talk.ends.events) == n_events

    run_virtual(call())


def test_long_samples_are_joined_in_order() -> None:
    async def call() -> None:
        brain = SlowBrain(lambda _: (), hear_s=1.0)
        async with talking(brain, first_speaker=QUIET) as talk:
            talk.turn(0, 1_000)
            await asyncio.sleep(0.5)
            talk.conversation.interrupted()
            talk.turn(1_000, 2_000)
            await asyncio.sleep(2)
            assert np.array_equal(brain.heard[0].samples, np.ones(2 * HEAR_HZ))

    run_virtual(call())
