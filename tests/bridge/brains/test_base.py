"""Every brain of ours has the shape of a brain."""

import pytest

from bridge.brains.base import Brain
from bridge.brains.echo import EchoBrain
from bridge.brains.script.compile import compile_script
from bridge.brains.scripted import ScriptedBrain
from bridge.brains.speech.tone import ToneVoice
from bridge.brains.tone import ToneBrain
from tests.bridge.brains.script.scripts import script

PROGRAM = compile_script(script("[[steps]]\nwait = 'any'"))


@pytest.mark.parametrize(
    ("brain", "live"),
    [
        (EchoBrain(8_000), True),
        (ToneBrain(), False),
        (ScriptedBrain(PROGRAM, ToneVoice()), False),
    ],
)
async def test_a_brain_says_its_rate_and_if_it_is_live(brain: Brain, live: bool) -> None:
    assert brain.speech_hz in {8_000, 16_000}
    assert brain.live is live
    await brain.close()
