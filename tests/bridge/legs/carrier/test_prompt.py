import asyncio

import numpy as np
import pytest

from bridge.legs.base import Ended
from bridge.legs.carrier.prompt import PromptLeg
from bridge.relay import Relay
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16
from tests.bridge.legs.carrier.plain_call import opened_call
from tests.fakes.legs import hand_port


def recording(seconds: float) -> Int16:
    return (np.arange(round(seconds * 8_000)) % 30_000).astype(np.int16)


@pytest.mark.parametrize("seconds", [0.0, 0.025, 3.0, 45.0])
def test_a_caller_hears_the_whole_recording_and_then_the_call_is_over(seconds: float) -> None:
    async def call() -> None:
        call = await opened_call()
        relay = asyncio.create_task(Relay(call.leg, PromptLeg(recording(seconds), 8_000)).run())
        marked = 0
        while not relay.done():
            await asyncio.sleep(0.05)
            marks = [text for text in call.texts if text.startswith("mark")]
            for text in marks[marked:]:
                asyncio.get_running_loop().call_later(0.35, call.say, text)
            marked = len(marks)
        end = await relay

        assert end.ended == Ended("agent_hangup")
        heard = np.frombuffer(b"".join(data for _, data in call.socket.frames), np.int16)
        assert np.array_equal(heard, recording(seconds))
        assert call.now == pytest.approx(seconds, abs=0.6)
        await call.leg.hang_up()

    run_virtual(call())


def test_what_the_caller_says_meanwhile_is_dropped_and_not_counted_as_lost() -> None:
    async def call() -> None:
        call = await opened_call()
        relay = asyncio.create_task(Relay(call.leg, PromptLeg(recording(30), 8_000)).run())
        await asyncio.sleep(0.01)
        await call.hear_live(recording(25))

        assert call.leg.figures.caller_audio_lost_ms == 0
        call.say("stop caller_hung_up")
        await relay
        await call.leg.hang_up()

    run_virtual(call())


def test_a_long_recording_never_fills_the_lane() -> None:
    async def call() -> None:
        ends = hand_port(max_ms=32_000)
        task = asyncio.create_task(PromptLeg(recording(120), 8_000).run(ends.port))
        deepest = 0.0
        while not task.done():
            await asyncio.sleep(0.02)
            deepest = max(deepest, ends.outgoing.depth_ms)
            ends.outgoing.pull_padded(160)

        assert deepest < 16_000
        assert ends.outgoing.stats.dropped == 0
        leg = PromptLeg(recording(1), 8_000)
        leg.clear()
        await leg.drain()

    run_virtual(call())
