"""The scripted brain around its machine, with a told ear and a tone voice."""

from contextlib import aclosing

import numpy as np
import pytest

from bridge.brains.base import (
    Act,
    CallTool,
    Cue,
    Greeting,
    HangUp,
    HistoryItem,
    Say,
    ToolReturn,
    ToolsReturned,
    UserSaid,
    UserTurn,
)
from bridge.brains.script.compile import compile_script
from bridge.brains.scripted import INAUDIBLE, ScriptedBrain
from bridge.brains.speech.ear import Heard
from bridge.brains.speech.tone import ToneVoice
from tests.bridge.brains.script.scripts import script
from tests.fakes.ear import ToldEar

TURN = UserTurn(np.zeros(16_000, np.int16), 0, 1_000)
ASK = """
[[tools]]
name = "save"
[[steps]]
say = "Yes or no?"
[[steps]]
wait.expect = [ { phrases = ["yes"], say = "Good." }, { phrases = ["no"], goto = "end" } ]
wait.otherwise = { say = "What?", repeats = 1, goto = "end" }
[[steps]]
say = "And why?"
[[steps]]
wait.save = "why"
[[steps]]
say = "Because {why}."
[[steps]]
tool.name = "save"
tool.error = { say = "Not saved." }
[[steps]]
label = "end"
hang_up = "Bye."
"""


def brain(*heard: Heard, ear: ToldEar | None = None) -> ScriptedBrain:
    ear = ToldEar(*heard) if heard else ear
    return ScriptedBrain(compile_script(script(ASK)), ToneVoice(), ear)


async def reply(brain: ScriptedBrain, cue: Cue, *history: HistoryItem) -> list[Act]:
    return [act async for act in brain.reply(cue, history)]


async def speak_to(brain: ScriptedBrain) -> list[Act]:
    return await reply(brain, UserSaid(await brain.hear(TURN), spoken=True))


async def test_a_whole_call() -> None:
    told = brain(Heard("yes", "yes"), Heard("i like it", None))

    acts = [
        *await reply(told, Greeting()),
        *await speak_to(told),
        *await speak_to(told),
        *await reply(told, ToolsReturned((ToolReturn("save", "call_1", "ok"),))),
    ]

    assert acts == [
        Say("Yes or no?"),
        Say("Good."),
        Say("And why?"),
        Say("Because i like it."),
        CallTool("save", {}),
        HangUp("Bye."),
    ]


async def test_the_ear_listens_for_the_phrases_of_the_next_wait() -> None:
    ear = ToldEar(Heard("yes", "yes"), Heard("so", None))
    told = brain(ear=ear)

    await reply(told, Greeting())
    await speak_to(told)
    await speak_to(told)

    assert ear.asked == [("yes", "no"), ()]


@pytest.mark.parametrize(
    "heard", [Heard("banana", None), Heard("oh yes it is", None), Heard("", None)]
)
async def test_what_the_ear_finds_no_phrase_in_takes_otherwise(heard: Heard) -> None:
    told = brain(heard)
    await reply(told, Greeting())

    assert await speak_to(told) == [Say("What?")]


@pytest.mark.parametrize(
    ("heard", "transcript"),
    [
        (Heard("banana", None), "banana"),
        (Heard(" ", None), INAUDIBLE),
        (Heard("", "yes"), "yes"),
    ],
)
async def test_the_transcript_is_what_was_heard(heard: Heard, transcript: str) -> None:
    assert await brain(heard).hear(TURN) == transcript


async def test_without_an_ear_turns_are_inaudible_and_any_wait_goes_on() -> None:
    deaf = brain()
    await reply(deaf, Greeting())

    first = await speak_to(deaf)
    await reply(deaf, UserSaid("yes", spoken=False))
    third = await speak_to(deaf)

    assert first == [Say("What?")]
    assert third[0] == Say("Because (inaudible).")


async def test_typed_text_needs_no_ear() -> None:
    deaf = brain()
    await reply(deaf, Greeting())

    assert await reply(deaf, UserSaid("Yes, I do!", spoken=False)) == [
        Say("Good."),
        Say("And why?"),
    ]


async def test_a_spoken_turn_that_this_ear_never_heard_is_compared_as_text() -> None:
    told = brain(Heard("no", "no"))
    await reply(told, Greeting())

    assert await reply(told, UserSaid("yes", spoken=True)) == [Say("Good."), Say("And why?")]


async def test_turns_that_were_understood_but_never_answered_are_forgotten() -> None:
    told = brain(*(Heard(str(number), None) for number in range(40)))

    for _ in range(40):
        await told.hear(TURN)

    assert len(told._heard) <= 16


async def test_an_interrupted_sentence_counts_as_done() -> None:
    told = brain(Heard("yes", "yes"))
    async with aclosing(told.reply(UserSaid("yes", spoken=False), [])) as acts:  # type: ignore[type-var]
        first = await anext(acts)

    rest = await reply(told, UserSaid("no", spoken=False))

    assert first == Say("Yes or no?")
    assert rest[0] == Say("Good.")


async def test_a_given_greeting_takes_the_place_of_the_first_sentence() -> None:
    assert await reply(brain(), Greeting(text="Well?")) == [Say("Well?")]


async def test_a_failed_tool_takes_the_error_branch() -> None:
    deaf = brain()
    for text in ("yes", "so"):
        await reply(deaf, UserSaid(text, spoken=False))

    failed = ToolsReturned((ToolReturn("save", "call_1", "", error="timed out"),))

    assert await reply(deaf, failed) == [Say("Not saved."), HangUp("Bye.")]


@pytest.mark.parametrize(
    ("history", "acts"),
    [
        ([("tool_call", "save"), ("tool_result", "save"), ("user", "")], [HangUp("Bye.")]),
        ([("tool_call", "save"), ("tool_result", "other"), ("user", "")], []),
        ([("tool_result", "save"), ("tool_call", "save"), ("user", "")], []),
        ([], []),
    ],
)
async def test_a_result_after_which_the_agent_listened_is_found_in_the_history(
    history: list[tuple[str, str]], acts: list[Act]
) -> None:
    deaf = brain()
    for text in ("yes", "so"):
        await reply(deaf, UserSaid(text, spoken=False))
    items = [HistoryItem(role, "ok", name) for role, name in history]  # type: ignore[arg-type]

    assert await reply(deaf, UserSaid("hello?", spoken=False), *items) == acts


async def test_it_speaks_in_its_voice() -> None:
    deaf = brain()

    chunks = [chunk async for chunk in deaf.speak("Hello you.")]
    await deaf.close()

    assert deaf.speech_hz == 16_000
    assert [chunk.text for chunk in chunks] == ["Hello", " you."]
    assert deaf.listen(TURN.samples) is None
