"""The softphone page against `tipring serve` in Firefox ESR, whose microphone is a tone.

Headless it has no audio device, so that its audio context never runs and the page measures nothing: the level of the
agent is read from the connection's statistics, that of the caller from the recording of the server.
"""

import asyncio
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
import soundfile

from tests.fakes.firefox import Firefox, firefox
from tests.fakes.serve_process import ServeProcess, serve_process

pytest.importorskip("aiortc", reason="needs the extra webrtc")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SPY: Final = """
const Own = window.RTCPeerConnection;
window.connections = [];
window.RTCPeerConnection = class extends Own {
  constructor(...settings) { super(...settings); connections.push(this); }
};
window.heardLevel = async () => {
  const stats = await connections.at(-1).getStats();
  return [...stats.values()].find((each) => each.type === "inbound-rtp")?.audioLevel ?? 0;
};
"""
TONE: Final = "document.querySelector('input[value=\"tipring/tone\"]')"
ANY_AUDIBLE: Final = 300


async def placed(page: Firefox, service: ServeProcess) -> None:
    """A recorded call of the agent that is a tone, as soon as the service takes it."""
    await page.before_each(SPY)
    await page.goto(service.url)
    await page.until("document.body.dataset.ready")
    await page.until(f"Boolean({TONE})")
    await page.load(f"{TONE}.click(); document.getElementById('record').click()")
    phase = "document.body.dataset.phase === 'live'"
    trouble = "document.getElementById('trouble').textContent"
    while True:
        await page.load("document.getElementById('setup').requestSubmit()")
        await page.until(f"{phase} || {trouble}")
        if await page.run(phase):
            return
        told = await page.run(trouble)
        assert "too busy" in told, told
        await asyncio.sleep(1)


async def recorded(service: ServeProcess) -> tuple[dict[str, Any], np.ndarray[Any, Any]]:
    """The one call that ended, and its recording; caller left, agent right."""
    async with service.http() as http:
        (call,) = (await http.get("/api/calls")).json()["results"]
        async with asyncio.timeout(20):
            while True:
                answer = await http.get(f"/api/calls/{call['callId']}/recording")
                if answer.status_code == 200:
                    break
                await asyncio.sleep(0.1)
    samples, _ = soundfile.read(BytesIO(answer.content), dtype="int16")
    return call, samples


async def test_a_call_from_the_page_is_heard_on_both_sides_and_hung_up(tmp_path: Path) -> None:
    async with serve_process(tmp_path) as service, firefox(tmp_path) as page:
        await placed(page, service)
        await page.until("heardLevel().then((level) => level > 0.01)")
        await page.until("document.getElementById('state').dataset.state !== 'connecting'")
        await asyncio.sleep(1.0)  # of what the microphone says
        await page.load("document.getElementById('hang-up').click()")
        await page.until("document.body.dataset.phase === 'ended'")
        call, samples = await recorded(service)
        complaints = list(page.complaints)

    assert (call["endReason"], call["clientVersion"]) == ("hangup", "softphone")
    caller, agent = (np.abs(side.astype(np.int32)) > ANY_AUDIBLE for side in samples.T)
    assert caller.mean() > 0.2
    assert agent.mean() > 0.2
    assert complaints == []
