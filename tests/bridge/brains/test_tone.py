"""The tone brain."""

import numpy as np
import pytest

from bridge.brains.base import Act, Brain, Cue, Greeting, Say, ToolsReturned, UserSaid, UserTurn
from bridge.brains.tone import ToneBrain


@pytest.fixture
def brain() -> Brain:
    return ToneBrain()


@pytest.mark.parametrize(
    ("cue", "acts"),
    [
        (Greeting(), [Say("Tone ready.")]),
        (Greeting(prompt="Be kind."), [Say("Tone ready.")]),
        (Greeting(text="Hello."), [Say("Hello.")]),
        (UserSaid("hello", spoken=True), [Say("This is answer 1, in tones.")]),
        (ToolsReturned(()), [Say("The tool has returned.")]),
    ],
)
async def test_each_cue_is_answered_with_one_sentence(
    brain: Brain, cue: Cue, acts: list[Act]
) -> None:
    assert [act async for act in brain.reply(cue, [])] == acts


async def test_answers_are_counted(brain: Brain) -> None:
    cue = UserSaid("hello", spoken=True)

    answers = [act for _ in range(2) async for act in brain.reply(cue, [])]

    assert answers[1] == Say("This is answer 2, in tones.")


async def test_it_hears_how_long_the_user_spoke(brain: Brain) -> None:
    turn = UserTurn(np.zeros(19_200, np.int16), 500, 1_700)

    assert await brain.hear(turn) == "(1.2 s of audio)"


async def test_it_waits_for_whole_turns(brain: Brain) -> None:
    assert not brain.live
    assert brain.listen(np.zeros(320, np.int16)) is None


async def test_texts_sound_for_60_ms_a_character(brain: Brain) -> None:
    chunks = [chunk async for chunk in brain.speak("Tone ready.")]
    await brain.close()

    assert [chunk.text for chunk in chunks] == ["Tone", " ready."]
    assert sum(chunk.samples.size for chunk in chunks) == 10 * 60 * brain.speech_hz // 1000
