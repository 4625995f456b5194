"""Whole calls of a program on real sockets, and as a process that is stopped."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

import bridge
from bridge.errors import JoinRefused
from bridge.talk.events import ToolChanged
from bridge.talk.plan import MediumName
from tests.fakes.served import served
from tests.fakes.talk_world import tone, until_listening

GREETER = """
[[tools]]
name = "lookUp"
answer = '{"name": "Anna"}'

[variables]
name = ""

[[steps]]
say = "Hello."

[[steps]]
wait.save = "name"

[[steps]]
tool = { name = "lookUp" }

[[steps]]
hang_up = "Goodbye, {name}."
"""


@pytest.mark.parametrize("medium", ["serverWebSocket", "webRtc"])
async def test_a_program_talks_to_the_embedded_agent_over_real_sockets(
    tmp_path: Path, medium: MediumName
) -> None:
    if medium == "webRtc":
        pytest.importorskip("aiortc")
    seen: list[ToolChanged] = []
    script = tmp_path / "greeter.toml"
    script.write_text(GREETER)

    async with bridge.join(script=script, record=tmp_path / "kept", medium=medium) as call:
        call.on(ToolChanged, seen.append)
        await until_listening(call)
        call.send_text("hello there")
        ended = await call.ended()

    both, rate_hz = soundfile.read(tmp_path / "kept" / "call.wav", dtype="int16")
    loud_s = np.flatnonzero(np.abs(both[:, 1]) > 300).size / rate_hz
    assert ended.reason == "agent_hangup"
    assert seen[-1].tool.result == '{"name": "Anna"}'
    assert call.transcripts[-1].text == "Goodbye, Anna."
    assert call.turns[0].latency_ms is not None
    assert loud_s > 0.4
    assert json.loads((tmp_path / "kept" / "call.json").read_text())["end_reason"] == "agent_hangup"


async def test_a_program_makes_its_call_at_an_api_or_joins_one_by_its_url() -> None:
    async with served() as server:
        async with bridge.join(api_url=f"{server.url}/api", model="tipring/tone") as call:
            await until_listening(call)
            assert call.transcripts[0].text == "Tone ready."
        async with bridge.join(await server.created(), input_hz=8_000, output_hz=8_000) as call:
            call.microphone.write(tone(0.5, 8_000))
            loudest = 0
            async for frame in call.speaker:
                loudest = max(loudest, int(np.abs(frame).max()))
                if loudest > 5_000:
                    break

    assert (await call.ended()).reason == "hangup"


async def test_a_join_that_is_refused_is_one_sentence_without_the_address() -> None:
    async with served() as server:
        url = await server.created()
        wrong = url.replace("/calls/", "/calls/x")
        with pytest.raises(JoinRefused) as caught:
            async with bridge.join(wrong):
                pass

    assert "\n" not in str(caught.value)
    assert wrong.rpartition("/calls/")[2] not in str(caught.value)


PROGRAM = """
import asyncio, sys, bridge

async def main() -> None:
    async with bridge.join(record=sys.argv[1]) as call:
        async for frame in call.speaker:
            if abs(frame).max() > 1_000:
                break
        print("heard", flush=True)
        await call.ended()

asyncio.run(main())
"""


def test_ctrl_c_leaves_complete_files(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    started_s = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"heard\n"
            time.sleep(1.0)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=20)
        finally:
            process.kill()
    lived_s = time.monotonic() - started_s

    assert b"KeyboardInterrupt" in told
    kept = json.loads((tmp_path / "call.json").read_text())
    both, rate_hz = soundfile.read(tmp_path / "call.wav", dtype="int16")
    assert kept["end_reason"] == "hangup"
    assert 0.5 < len(both) / rate_hz < lived_s
    assert np.abs(both[:, 1]).max() > 1_000
    assert (tmp_path / "timeline.html").exists()
