"""Whole calls of a program, on the virtual loop: audio, words, states, tools, turns, files."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
import soundfile

from bridge.brains.base import Say
from bridge.errors import UsageError
from bridge.talk.events import CallEnded, Interrupted, SessionEvent
from bridge.talk.join import ProgramCall
from bridge.talk.tools import ToolReply
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16
from tests.fakes.talk_world import GREETING, RATES, asks, own_call, tone, until_listening

T = TypeVar("T")
STORY = "Once upon a time there was an agent who told long stories to people who had none."


def played(talk: Callable[[ProgramCall], Awaitable[T]], **options: object) -> T:
    """A call in virtual time, for as long as the talk takes."""

    async def call() -> T:
        async with own_call(**options) as joined:  # type: ignore[arg-type]
            return await talk(joined)

    return run_virtual(call())


async def heard_during(call: ProgramCall, talk: Awaitable[object]) -> Int16:
    """What the program hears while it talks."""

    async def listen() -> list[Int16]:
        return [frame async for frame in call.speaker]

    task = asyncio.create_task(listen(), name="listening")
    await talk
    await call.leave_call()
    return np.concatenate(await task)


def test_a_program_hears_the_greeting_and_reads_it() -> None:
    async def talk(call: ProgramCall) -> tuple[Int16, str, str]:
        heard = await heard_during(call, until_listening(call))
        said = call.transcripts[0]
        return heard, said.role, said.text

    heard, role, text = played(talk)

    loud_s = np.flatnonzero(np.abs(heard) > 1_000).size / RATES.output_hz
    assert (role, text) == ("agent", GREETING)
    assert 0.5 < loud_s < 2.0


def test_what_a_program_says_becomes_its_words_and_an_answer() -> None:
    async def talk(call: ProgramCall) -> list[tuple[str, str]]:
        await until_listening(call)
        call.microphone.write(tone(1.0))
        await until_listening(call)
        return [(each.role, each.text) for each in call.transcripts]

    assert played(talk, heard="a table please") == [
        ("agent", GREETING),
        ("user", "a table please"),
        ("agent", "I have heard you."),
    ]


def test_latency_of_a_spoken_turn_is_what_the_recording_shows(tmp_path: Path) -> None:
    async def talk(call: ProgramCall) -> tuple[float | None, float | None, str]:
        await until_listening(call)
        call.microphone.write(tone(1.0))
        await until_listening(call)
        await call.leave_call()
        turn = call.turns[0]
        return turn.by_audio_ms, turn.by_states_ms, turn.began_by

    by_audio_ms, by_states_ms, began_by = played(talk, record=tmp_path)

    [turn] = json.loads((tmp_path / "call.json").read_text())["figures"]["turns"]
    assert began_by == "voice"
    assert by_audio_ms == pytest.approx(turn["latency_ms"], abs=25)
    assert by_audio_ms is not None
    assert by_states_ms is not None
    assert 0 <= by_states_ms < by_audio_ms


def test_a_greeting_is_no_answer() -> None:
    async def talk(call: ProgramCall) -> int:
        await until_listening(call)
        return len(call.turns)

    assert played(talk) == 0


def test_typed_text_is_answered_and_measured_from_its_sending() -> None:
    async def talk(call: ProgramCall) -> tuple[list[tuple[str, str]], str, float | None]:
        await until_listening(call)
        call.send_text("I am typing")
        await until_listening(call)
        said = [(each.text, str(each.medium)) for each in call.transcripts[1:]]
        return said, call.turns[0].began_by, call.turns[0].latency_ms

    said, began_by, latency_ms = played(talk)

    assert said == [("I am typing", "text"), ("I have heard you.", "voice")]
    assert began_by == "text"
    assert latency_ms is not None
    assert 0 <= latency_ms < 100


def test_an_agent_that_answers_in_text_says_nothing_aloud() -> None:
    async def talk(call: ProgramCall) -> tuple[str, str, float | None]:
        await until_listening(call)
        call.set_output_medium("text")
        call.send_text("quietly please")
        await until_listening(call)
        answer = call.transcripts[-1]
        return answer.medium, answer.text, call.turns[0].by_states_ms

    medium, text, by_states_ms = played(talk)

    assert (medium, text) == ("text", "I have heard you.")
    assert by_states_ms is not None


def test_an_interruption_splits_the_words_into_heard_and_unheard(tmp_path: Path) -> None:
    async def talk(call: ProgramCall) -> tuple[str, str, int]:
        cut = call.events()
        await asyncio.sleep(0.8)
        call.microphone.write(tone(1.0))
        async for event in cut:
            if isinstance(event, Interrupted):
                break
        await call.microphone.drain()
        await call.leave_call()
        first = call.transcripts[0]
        return first.text, first.unheard, call.figures.interruptions

    text, unheard, n = played(talk, record=tmp_path, reply=lambda _cue: [Say(STORY)])

    assert text
    assert unheard
    assert f"{text} {unheard}" == STORY
    assert n == 1
    told = json.loads((tmp_path / "call.json").read_text())
    assert told["transcripts"][0]["unheard_text"] == unheard
    assert told["interruptions_heard"][0]["heard_text"] == text
    assert len(told["figures"]["interruptions"]) == 1
    assert [each["type"] for each in told["events"]] == ["agent_interrupted"]


def test_a_tool_gets_checked_arguments_and_its_result_is_said() -> None:
    def size_of(what: str, times: int = 2) -> dict[str, int]:
        return {what: times + 1}

    async def talk(call: ProgramCall) -> tuple[str, dict[str, object], str | None]:
        await until_listening(call)
        run = call.tools[0]
        return call.transcripts[-1].text, dict(run.arguments), run.result

    text, arguments, result = played(
        talk, reply=asks("size_of", what="cake", times="3"), tools=[size_of]
    )

    assert arguments == {"what": "cake", "times": "3"}
    assert result == '{"cake": 4}'
    assert text == 'It says {"cake": 4}.'


def test_a_tool_may_end_the_call_and_change_its_state() -> None:
    async def goodbye() -> ToolReply:
        return ToolReply(
            result='{"strict": true, "message": "Bye."}',
            response_type="hang-up",
            update_call_state={"done": True},
        )

    async def talk(call: ProgramCall) -> tuple[str, str]:
        ended = await call.ended()
        return ended.reason, call.transcripts[-1].text

    assert played(talk, reply=asks("goodbye"), tools=[goodbye]) == ("agent_hangup", "Bye.")


def test_a_tool_that_nobody_has_is_refused_and_the_call_lives_on() -> None:
    declared = {"temporaryTool": {"modelToolName": "nobody", "description": "x", "client": {}}}

    async def talk(call: ProgramCall) -> tuple[str, str | None, str]:
        await until_listening(call)
        return call.tools[0].state, call.tools[0].error, call.status

    state, error, status = played(talk, reply=asks("nobody"), body={"selectedTools": [declared]})

    assert (state, error) == ("failed", "this caller has no such tool")
    assert status == "listening"


def test_a_recorded_call_has_the_files_and_the_shape_of_a_call_of_files(tmp_path: Path) -> None:
    async def talk(call: ProgramCall) -> None:
        await until_listening(call)
        call.microphone.write(tone(0.5))
        await until_listening(call)

    played(talk, record=tmp_path / "new" / "folder")

    folder = tmp_path / "new" / "folder"
    assert {path.name for path in folder.iterdir()} == {
        "agent.wav",
        "call.json",
        "call.wav",
        "timeline.html",
    }
    told = json.loads((folder / "call.json").read_text())
    both, rate_hz = soundfile.read(folder / "call.wav", dtype="int16")
    agent, _ = soundfile.read(folder / "agent.wav", dtype="int16")
    assert rate_hz == told["sample_rate_hz"] == RATES.output_hz
    assert np.array_equal(both[:, 1], agent)
    assert told["end_reason"] == "hangup"
    assert [each["role"] for each in told["transcripts"]] == ["agent", "user", "agent"]
    assert [each["state"] for each in told["states"]][-1] == "listening"
    assert told["messages"]


def test_the_caller_is_on_tape_where_they_spoke(tmp_path: Path) -> None:
    spoke_s: list[float] = []

    async def talk(call: ProgramCall) -> None:
        await until_listening(call)
        spoke_s.append(call.now_s)
        call.microphone.write(tone(0.5))
        await call.microphone.drain()
        await asyncio.sleep(0.5)

    played(talk, record=tmp_path)

    both, rate_hz = soundfile.read(tmp_path / "call.wav", dtype="int16")
    loud = np.flatnonzero(np.abs(both[:, 0]) > 1_000)
    assert loud[0] / rate_hz == pytest.approx(spoke_s[0], abs=0.03)
    assert (loud[-1] - loud[0]) / rate_hz == pytest.approx(0.5, abs=0.01)


def test_a_call_that_breaks_in_the_program_is_left_and_its_files_are_complete(
    tmp_path: Path,
) -> None:
    async def talk(call: ProgramCall) -> None:
        await until_listening(call)
        raise RuntimeError("the program's own")

    with pytest.raises(RuntimeError, match="own"):
        played(talk, record=tmp_path)

    assert json.loads((tmp_path / "call.json").read_text())["end_reason"] == "hangup"


def test_a_cancelled_program_leaves_complete_files(tmp_path: Path) -> None:
    async def program() -> None:
        async with own_call(record=tmp_path) as call:
            await until_listening(call)
            await asyncio.sleep(3_600)

    async def interrupted() -> None:
        task = asyncio.create_task(program(), name="program")
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.wait((task,))
        assert task.cancelled()

    run_virtual(interrupted())

    told = json.loads((tmp_path / "call.json").read_text())
    both, rate_hz = soundfile.read(tmp_path / "call.wav", dtype="int16")
    assert told["end_reason"] == "hangup"
    assert len(both) / rate_hz == pytest.approx(5, abs=0.2)


def test_events_end_with_the_call() -> None:
    async def talk(call: ProgramCall) -> tuple[list[SessionEvent], list[SessionEvent]]:
        events = call.events()
        await until_listening(call)
        await call.leave_call()
        first = [event async for event in events]
        return first, [event async for event in call.events()]

    seen, later = played(talk)

    assert isinstance(seen[-1], CallEnded)
    assert sum(isinstance(event, CallEnded) for event in seen) == 1
    assert later == [seen[-1]]


def test_a_session_has_one_call() -> None:
    async def talk(call: ProgramCall) -> None:
        with pytest.raises(UsageError, match="one call"):
            await call.join_call("ws://far.example/other")

    played(talk)
