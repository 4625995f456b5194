"""The echo brain."""

import numpy as np
import pytest

from bridge.brains.base import Act, Brain, Cue, Greeting, Say, ToolsReturned, UserSaid, UserTurn
from bridge.brains.echo import EchoBrain


@pytest.fixture
def brain() -> Brain:
    return EchoBrain(48_000)


def test_every_frame_comes_back_at_once(brain: Brain) -> None:
    frame = np.arange(960, dtype=np.int16)

    answer = brain.listen(frame)

    assert brain.live
    assert answer is not None
    assert answer.tolist() == frame.tolist()


@pytest.mark.parametrize(
    ("cue", "acts"),
    [
        (Greeting(), []),
        (Greeting(text=""), []),
        (Greeting(text="Hello."), [Say("Hello.")]),
        (Greeting(prompt="Be kind."), []),
        (UserSaid("hello", spoken=True), []),
        (UserSaid("hello", spoken=False), [Say("hello")]),
        (ToolsReturned(()), []),
    ],
)
async def test_given_and_typed_texts_come_back(brain: Brain, cue: Cue, acts: list[Act]) -> None:
    assert [act async for act in brain.reply(cue, [])] == acts


async def test_nothing_is_understood(brain: Brain) -> None:
    assert await brain.hear(UserTurn(np.zeros(1600, np.int16), 0, 100)) == ""


async def test_texts_sound_as_tones_at_the_chosen_rate(brain: Brain) -> None:
    chunks = [chunk async for chunk in brain.speak("Hello you.")]
    await brain.close()

    assert brain.speech_hz == 48_000
    assert "".join(chunk.text for chunk in chunks) == "Hello you."
    assert sum(chunk.samples.size for chunk in chunks) == 9 * 60 * 48
