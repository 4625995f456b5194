"""A session whose server sends damaged messages: it says so, goes on or ends in one sentence, and keeps its files."""

import asyncio
import json
import random
from pathlib import Path

import pytest

from bridge.errors import UsageError
from bridge.talk.events import CallEnded, SessionEvent
from bridge.virtual import run_virtual
from tests.fakes.data_message_samples import SERVER_SAMPLES
from tests.fakes.mutator import Mutator
from tests.fakes.talk_world import FarCall, far_call, tone

N_MESSAGES = 80
SAMPLES = [sample for sample, _ in SERVER_SAMPLES]


async def _attack(joined: FarCall, seed: int) -> None:
    """A server that is wrong in every second message, and a user who does not care."""
    mutator, chance = Mutator(seed), random.Random(seed)
    call, far = joined.call, joined.far
    call.register_tool_implementation("lookUp", lambda parameters: parameters)
    for _ in range(N_MESSAGES):
        sample = chance.choice(SAMPLES)
        match chance.randrange(6):
            case 0:
                far.speak(chance.uniform(0, 0.5))
            case 1:
                far.send("playback_clear_buffer")
            case 2 | 3:
                far.socket.send_text(json.dumps(sample))
            case _:
                far.socket.send_text(mutator.mutate(sample))
        if chance.random() < 0.2:
            call.microphone.write(tone(0.1))
            try:
                call.send_text("go on")
                call.send_dtmf("1")
            except UsageError as exc:  # it is over
                assert "not live" in str(exc)  # noqa: PT017 - the server chooses when
                return
        await asyncio.sleep(chance.uniform(0, 0.3))


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_server_harms_nothing_but_its_own_call(seed: int, tmp_path: Path) -> None:
    async def call() -> list[SessionEvent]:
        async with far_call(record=tmp_path, by_hand=bool(seed % 2)) as joined:
            await _attack(joined, seed)
            ended = await joined.call.leave_call()
            assert ended.reason in ("hangup", "connection_error", "agent_hangup")
            assert "\n" not in ended.detail
            assert "\x1b" not in ended.detail
            return joined.events

    events = run_virtual(call())

    assert isinstance(events[-1], CallEnded)
    told = json.loads((tmp_path / "call.json").read_text())
    assert told["end_reason"] == events[-1].reason
    assert len(told["notes"]) <= 100
    assert (tmp_path / "timeline.html").exists()
    ordinals = [each["ordinal"] for each in told["transcripts"]]
    assert ordinals == sorted(set(ordinals))
