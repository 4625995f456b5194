"""Whole calls at the server, in virtual time: order of messages, states, cuts, tools, ends.

Sources: reference 1.5, 1.6 and 2.7.
"""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

import pytest

from bridge.brains.base import CallTool, Greeting, HangUp, Say, ToolsReturned, UserSaid
from bridge.calls.settings import (
    AgentFirst,
    CallSettings,
    Fallback,
    TimedMessage,
    ToolSpec,
    UserFirst,
)
from bridge.virtual import run_virtual
from tests.fakes.call_world import MEDIUM, RATE_HZ, ActingBrain, CallWorld, Client, call_world

SETTINGS = CallSettings(medium=MEDIUM)
WORDS = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen"


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


def greeting(*acts: Say | CallTool | HangUp):  # type: ignore[no-untyped-def]
    """A brain that greets with these acts and is silent afterwards."""
    return ActingBrain(lambda cue: acts if isinstance(cue, Greeting) else ())


def test_agent_first_call_opens_in_the_documented_order() -> None:
    async def call() -> None:
        async with call_world(greeting(Say("Hello there."))) as world:
            _, client = await world.join(SETTINGS)
            await client.quiet(3)

        assert client.order[:5] == ["call_started", "state", "state", "audio", "audio"]
        assert client.states == ["thinking", "speaking", "listening"]
        pieces = client.of("transcript")
        assert [(p.get("text"), p.get("delta"), p["final"]) for p in pieces] == [
            ("Hello", None, False),
            (None, " there.", False),
            ("Hello there.", None, True),
        ]
        assert {p["ordinal"] for p in pieces} == {0}

    play(call())


@pytest.mark.parametrize("buffer_ms", [60, 30_000])
def test_interruption_cuts_text_and_audio_at_the_same_word(buffer_ms: int) -> None:
    async def call() -> None:
        settings = replace(SETTINGS, medium=replace(MEDIUM, client_buffer_ms=buffer_ms))
        async with call_world(greeting(Say(WORDS))) as world:
            record, client = await world.join(settings)
            await client.quiet(2.0 - 0.096)
            await client.speak(1.0)
            await client.quiet(2.0)
            [message, *_] = await world.messages(record)

        cut_at = client.at("playback_clear_buffer")
        assert cut_at == pytest.approx(2.0, abs=0.06)
        # A word lasts 60 ms a letter: the word under way at the cut is the last one heard.
        letters = len(message.text.replace(" ", ""))
        assert letters - len(message.text.split()[-1]) <= cut_at / 0.06 <= letters
        assert WORDS.startswith(message.text)
        assert client.finals[0] == ("agent", message.text)

    play(call())


def test_clear_comes_before_the_state_and_the_final_text() -> None:
    async def call() -> None:
        async with call_world(greeting(Say(WORDS))) as world:
            _, client = await world.join(SETTINGS)
            await client.quiet(1)
            await client.speak(1)
            await client.quiet(1)

        after = client.order[client.order.index("playback_clear_buffer") :]
        texts = [kind for kind in after if kind != "audio"]
        assert texts[:3] == ["playback_clear_buffer", "transcript", "state"]

    play(call())


def test_no_audio_is_sent_while_the_agent_is_silent_and_never_further_ahead_than_asked() -> None:
    async def call() -> None:
        settings = replace(SETTINGS, medium=replace(MEDIUM, client_buffer_ms=100))
        async with call_world(greeting(Say("Hello there."))) as world:
            _, client = await world.join(settings)
            await client.quiet(3)

        played_s = 0.0
        first = client.audio[0][0]
        for at, data in client.audio:
            assert played_s - (at - first) <= 0.100 + 1e-6 - len(data) / 2 / RATE_HZ + 0.02
            played_s += len(data) / 2 / RATE_HZ
        assert played_s == pytest.approx(len("Hellothere.") * 0.06, abs=0.01)

    play(call())


def test_interrupted_event_tells_heard_from_unheard() -> None:
    async def call() -> None:
        async with call_world(greeting(Say(WORDS))) as world:
            record, client = await world.join(SETTINGS)
            await client.quiet(1)
            await client.speak(1)
            events = await world.events(record)

        [event] = [event for event in events if event.type == "agent_interrupted"]
        assert event.extras is not None
        assert str(event.extras["heardText"]) + str(event.extras["unheardText"]) == WORDS

    play(call())


def test_uninterruptible_greeting_is_heard_to_its_end() -> None:
    async def call() -> None:
        settings = replace(SETTINGS, first_speaker=AgentFirst(uninterruptible=True))
        async with call_world(greeting(Say(WORDS))) as world:
            _, client = await world.join(settings)
            await client.quiet(1)
            await client.speak(1)
            await client.quiet(6)

        assert client.of("playback_clear_buffer") == []
        assert client.finals[0] == ("agent", WORDS)

    play(call())


def test_user_turn_gives_one_final_transcript_and_an_answer() -> None:
    async def call() -> None:
        brain = ActingBrain(lambda cue: [Say("Yes.")] if isinstance(cue, UserSaid) else [])
        async with call_world(brain) as world:
            _, client = await world.join(SETTINGS)
            await client.speak(1)
            await client.quiet(2)

        assert client.finals == [("user", "hello"), ("agent", "Yes.")]
        assert UserSaid("hello", spoken=True) in brain.cues

    play(call())


def test_typed_text_is_echoed_as_text_and_answered_aloud() -> None:
    async def call() -> None:
        brain = ActingBrain(lambda cue: [Say("Yes.")] if isinstance(cue, UserSaid) else [])
        async with call_world(brain) as world:
            _, client = await world.join(SETTINGS)
            await client.quiet(0.1)
            client.send(type="user_text_message", text="are you there")
            await client.quiet(2)

        [echo, *_] = client.of("transcript")
        assert (echo["role"], echo["medium"], echo["final"]) == ("user", "text", True)
        assert client.finals[-1] == ("agent", "Yes.")

    play(call())


@pytest.mark.parametrize(
    ("urgency", "cut", "answered"),
    [("immediate", True, True), ("soon", False, True), ("later", False, False)],
)
def test_urgency_of_typed_text(urgency: str, cut: bool, answered: bool) -> None:
    async def call() -> None:
        brain = ActingBrain(
            lambda cue: [Say(WORDS)] if isinstance(cue, Greeting) else [Say("Yes.")]
        )
        async with call_world(brain) as world:
            _, client = await world.join(SETTINGS)
            await client.quiet(1)
            client.send(type="user_text_message", text="hey", urgency=urgency)
            await client.quiet(8)

        assert bool(client.of("playback_clear_buffer")) is cut
        assert (("agent", "Yes.") in client.finals) is answered

    play(call())


def test_older_text_message_of_the_sdks_is_understood() -> None:
    async def call() -> None:
        brain = ActingBrain(lambda cue: [Say("Yes.")] if isinstance(cue, UserSaid) else [])
        async with call_world(brain) as world:
            _, client = await world.join(SETTINGS)
            await client.quiet(0.1)
            client.send(type="input_text_message", text="are you there")
            await client.quiet(2)

        assert client.finals == [("user", "are you there"), ("agent", "Yes.")]

    play(call())


def test_text_medium_sends_words_and_no_audio() -> None:
    async def call() -> None:
        brain = ActingBrain(lambda _cue: [Say("Good day to you.")])
        async with call_world(brain) as world:
            _, client = await world.join(replace(SETTINGS, output_medium="text"))
            await client.quiet(1)

        assert client.audio == []
        assert client.states == ["thinking", "listening"]
        assert client.of("transcript")[-1]["medium"] == "text"
        assert client.finals == [("agent", "Good day to you.")]

    play(call())


def test_output_medium_changes_with_the_next_utterance() -> None:
    async def call() -> None:
        brain = ActingBrain(
            lambda cue: [Say("Hello there." if isinstance(cue, Greeting) else "Yes.")]
        )
        async with call_world(brain) as world:
            _, client = await world.join(SETTINGS)
            await client.quiet(0.2)
            client.send(type="set_output_medium", medium="text")
            await client.quiet(2)
            client.send(type="user_text_message", text="and now")
            await client.quiet(1)

        media = [(m["text"], m["medium"]) for m in client.of("transcript") if m["final"]]
        assert media == [("Hello there.", "voice"), ("and now", "text"), ("Yes.", "text")]

    play(call())


def test_ping_is_answered_with_its_timestamp() -> None:
    async def call() -> None:
        async with call_world() as world:
            _, client = await world.join(SETTINGS)
            await client.quiet(0.1)
            client.send(type="ping", timestamp=12.5)
            await client.quiet(0.1)

        assert client.of("pong") == [{"type": "pong", "timestamp": 12.5}]

    play(call())


def test_user_first_call_waits_and_falls_back() -> None:
    async def call() -> None:
        first = UserFirst(Fallback(2.0, text="Anybody there?"))
        async with call_world(ActingBrain(lambda cue: [Say(getattr(cue, "text", ""))])) as world:
            _, client = await world.join(replace(SETTINGS, first_speaker=first))
            await client.quiet(5)

        assert client.states[0] == "listening"
        assert client.finals == [("agent", "Anybody there?")]
        assert client.audio[0][0] == pytest.approx(2.0, abs=0.03)

    play(call())


def test_greeting_waits_for_its_delay() -> None:
    async def call() -> None:
        settings = replace(SETTINGS, first_speaker=AgentFirst(delay_s=1.5))
        async with call_world(greeting(Say("Hello."))) as world:
            _, client = await world.join(settings)
            await client.quiet(3)

        assert client.audio[0][0] == pytest.approx(1.5, abs=0.01)

    play(call())


def test_forced_message_is_spoken_word_for_word() -> None:
    async def call() -> None:
        async with call_world(greeting()) as world:
            record, client = await world.join(SETTINGS)
            await client.quiet(0.5)
            client.send(type="forced_agent_message", content="Listen to this.")
            await client.quiet(2)
            assert [m.text for m in await world.messages(record)] == ["Listen to this."]

        assert client.finals == [("agent", "Listen to this.")]

    play(call())


def test_client_hang_up_message_is_spoken_before_the_end() -> None:
    async def call() -> None:
        async with call_world(greeting(Say(WORDS))) as world:
            record, client = await world.join(SETTINGS)
            await client.quiet(0.5)
            client.send(type="hang_up", message="Goodbye.")
            await client.quiet(3)
            await world.ended(record)

        assert client.finals[-1] == ("agent", "Goodbye.")
        assert record.end_reason == "agent_hangup"
        assert client.closed == (1000, "")

    play(call())


def test_goodbye_is_heard_to_its_end_before_the_socket_closes() -> None:
    async def call() -> None:
        settings = replace(SETTINGS, medium=replace(MEDIUM, client_buffer_ms=30_000))
        async with call_world(greeting(HangUp("Goodbye for now."))) as world:
            record, client = await world.join(settings)
            await world.ended(record)
            lasted = asyncio.get_running_loop().time()

        assert lasted >= client.audio[0][0] + client.audio_s - 1e-6
        assert client.finals == [("agent", "Goodbye for now.")]

    play(call())


# Inactivity, limits, ends


def test_inactivity_messages_are_cumulative_and_strict_hangs_up() -> None:
    async def call() -> None:
        settings = replace(
            SETTINGS,
            inactivity=(
                TimedMessage(2.0, "Still there?"),
                TimedMessage(1.0, "Goodbye.", "hang_up_strict"),
            ),
        )
        async with call_world(greeting()) as world:
            record, client = await world.join(settings)
            await world.ended(record)

        assert [text for _, text in client.finals] == ["Still there?", "Goodbye."]
        assert client.audio[0][0] == pytest.approx(2.0, abs=0.01)
        assert record.end_reason == "agent_hangup"

    play(call())


def test_user_activity_during_a_soft_goodbye_keeps_the_call() -> None:
    async def call() -> None:
        settings = replace(
            SETTINGS,
            inactivity=(TimedMessage(1.0, "I will hang up now. Goodbye.", "hang_up_soft"),),
        )
        async with call_world(greeting()) as world:
            record, client = await world.join(settings)
            await client.quiet(1.2)
            await client.speak(0.8)
            await client.quiet(0.5)

            assert record.ended is None

    play(call())


def test_a_speaking_user_is_not_inactive() -> None:
    async def call() -> None:
        settings = replace(SETTINGS, inactivity=(TimedMessage(1.0, "Still there?"),))
        async with call_world(greeting()) as world:
            _, client = await world.join(settings)
            await client.quiet(0.5)
            await client.speak(5)

        assert client.audio == []

    play(call())


def test_call_over_its_time_says_so_and_ends_with_timeout() -> None:
    async def call() -> None:
        settings = replace(SETTINGS, max_duration_s=3.0, time_exceeded_message="Time is up.")
        async with call_world(greeting(Say(WORDS))) as world:
            record, client = await world.join(settings)
            await world.ended(record)

        assert client.finals[-1] == ("agent", "Time is up.")
        assert record.end_reason == "timeout"

    play(call())


def test_nobody_joins_in_time() -> None:
    async def call() -> None:
        async with call_world() as world:
            record = await world.service.create(replace(SETTINGS, join_timeout_s=5.0))
            await asyncio.sleep(4.9)
            assert record.ended is None
            await asyncio.sleep(0.2)

            assert record.end_reason == "unjoined"

    play(call())


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, "hangup"), (1001, "hangup"), (4001, "connection_error")]
)
def test_client_close_ends_the_call(code: int, reason: str) -> None:
    async def call() -> None:
        async with call_world() as world:
            record, client = await world.join(SETTINGS)
            await client.quiet(0.2)
            client.socket.close(code)
            await world.ended(record)

        assert record.end_reason == reason

    play(call())


def test_missing_audio_ends_the_call_when_asked_to() -> None:
    async def call() -> None:
        settings = replace(SETTINGS, medium=replace(MEDIUM, media_idle_timeout_s=10.0))
        async with call_world(greeting()) as world:
            record, client = await world.join(settings)
            await client.quiet(5)
            await world.ended(record)

        assert record.end_reason == "connection_error"
        assert asyncio.get_running_loop().time() == pytest.approx(15.0, abs=0.1)

    play(call())


# Tools

TOOL = ToolSpec("lookup")


def tool_brain(*then: Say) -> ActingBrain:
    return ActingBrain(
        lambda cue: (
            [CallTool("lookup", {"q": 1})]
            if isinstance(cue, Greeting)
            else (list(then) if isinstance(cue, ToolsReturned) else [])
        )
    )


async def invocation(client: Client) -> str:
    while not client.of("client_tool_invocation"):
        await client.quiet(0.02)
    return str(client.of("client_tool_invocation")[0]["invocationId"])


async def tool_call(world: CallWorld, **result: object) -> Client:
    _, client = await world.join(replace(SETTINGS, tools=(TOOL,)))
    name = await invocation(client)
    client.send(type="client_tool_result", invocationId=name, **result)
    await client.quiet(4)
    return client


def test_client_tool_takes_its_ordinals_and_its_result_is_answered() -> None:
    async def call() -> None:
        brain = tool_brain(Say("Found it."))
        async with call_world(brain) as world:
            client = await tool_call(world, result='{"x": 1}')

        assert client.of("client_tool_invocation")[0]["parameters"] == {"q": 1}
        # A blank agent message, the call and its result stand before the answer.
        assert client.of("transcript")[0]["text"] == ""
        assert client.of("transcript")[-1]["ordinal"] == 3
        [_, returned] = brain.cues
        assert isinstance(returned, ToolsReturned)
        assert returned.results[0].result == '{"x": 1}'

    play(call())


def test_tool_that_never_answers_fails_after_its_timeout() -> None:
    async def call() -> None:
        brain = tool_brain(Say("Sorry."))
        async with call_world(brain) as world:
            record, client = await world.join(replace(SETTINGS, tools=(TOOL,)))
            await client.quiet(4)
            messages = await world.messages(record)

        assert client.audio[0][0] == pytest.approx(2.5, abs=0.03)
        assert messages[2].error_details == "the client did not answer within 2.5 s"
        assert isinstance(brain.cues[-1], ToolsReturned)
        assert brain.cues[-1].results[0].error is not None

    play(call())


def test_late_and_second_results_are_dropped() -> None:
    async def call() -> None:
        brain = tool_brain(Say("Sorry."))
        async with call_world(brain) as world:
            record, client = await world.join(replace(SETTINGS, tools=(TOOL,)))
            name = await invocation(client)
            for _ in range(2):
                client.send(type="client_tool_result", invocationId=name, result="first")
            await client.quiet(1)
            results = [m for m in await world.messages(record) if m.role == "tool_result"]

        assert [m.text for m in results] == ["first"]

    play(call())


def test_reaction_listens_leaves_the_floor_to_the_user() -> None:
    async def call() -> None:
        async with call_world(tool_brain(Say("Found it."))) as world:
            client = await tool_call(world, result="x", agentReaction="listens")

        assert client.audio == []
        assert client.states[-1] == "listening"

    play(call())


def test_hang_up_result_speaks_its_message_and_ends() -> None:
    async def call() -> None:
        async with call_world(tool_brain()) as world:
            client = await tool_call(
                world,
                result=json.dumps({"strict": True, "message": "Goodbye."}),
                responseType="hang-up",
            )

        assert client.finals[-1] == ("agent", "Goodbye.")
        assert client.closed is not None

    play(call())


def test_undefined_tool_is_a_failure_the_brain_hears_of() -> None:
    async def call() -> None:
        brain = tool_brain(Say("Sorry."))
        async with call_world(brain) as world:
            await tool_call(world, errorType="undefined", errorMessage="no such tool")

        assert isinstance(brain.cues[-1], ToolsReturned)
        # The details are for the record alone.
        assert brain.cues[-1].results[0].error == "The tool failed."

    play(call())


def test_tool_that_the_call_does_not_have_is_never_sent() -> None:
    async def call() -> None:
        brain = tool_brain(Say("Sorry."))
        async with call_world(brain) as world:
            _, client = await world.join(SETTINGS)
            await client.quiet(1)

        assert client.of("client_tool_invocation") == []
        assert isinstance(brain.cues[-1], ToolsReturned)

    play(call())


def test_speech_during_a_tool_does_not_interrupt_it() -> None:
    async def call() -> None:
        brain = tool_brain(Say("Found it."))
        async with call_world(brain) as world:
            _, client = await world.join(replace(SETTINGS, tools=(TOOL,)))
            name = await invocation(client)
            await client.speak(0.5)
            await client.quiet(0.5)
            client.send(type="client_tool_result", invocationId=name, result="x")
            await client.quiet(2)

        assert client.of("playback_clear_buffer") == []
        kinds = [type(cue).__name__ for cue in brain.cues]
        assert kinds == ["Greeting", "ToolsReturned", "UserSaid"]

    play(call())


def test_static_response_answers_without_waiting() -> None:
    async def call() -> None:
        brain = tool_brain(Say("Found it."))
        spec = replace(TOOL, static_response="at once")
        async with call_world(brain) as world:
            _, client = await world.join(replace(SETTINGS, tools=(spec,)))
            await client.quiet(0.5)

        assert isinstance(brain.cues[-1], ToolsReturned)
        assert brain.cues[-1].results[0].result == "at once"
        assert len(client.of("client_tool_invocation")) == 1

    play(call())
