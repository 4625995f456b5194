"""The vendor's SDK in Firefox ESR, which offers nothing before it has joined and names its addresses by mDNS."""

import asyncio
from pathlib import Path

import pytest

from tests.clients.environments import bundled, node_modules
from tests.clients.test_ultravox_browser import PACKAGES, PAGE
from tests.fakes.firefox import firefox
from tests.fakes.rtc_served import RtcServed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def test_a_call_is_heard_both_ways(house: RtcServed, tmp_path: Path) -> None:
    script = await asyncio.to_thread(lambda: bundled(node_modules(*PACKAGES), PAGE))
    call = await house.created(model="tipring/echo", selectedTools=[])
    async with firefox(tmp_path) as page:
        await page.goto(f"http://127.0.0.1:{house.port}/healthz")
        await page.load(script)
        await page.load(f"join({call['joinUrl']!r})")
        await page.until("told.some((each) => each.message?.type === 'call_started')")
        # Its microphone is a tone, and the agent gives it back.
        await page.until("heard().then((each) => each && each.level > 0.01)")
        assert await page.run("session.status") in {"listening", "thinking", "speaking"}
        await page.load("session.muteSpeaker()")
        await page.until("heard().then((each) => each.level < 0.001)")
        await page.load("session.unmuteSpeaker()")
        await page.until("heard().then((each) => each.level > 0.01)")
        await page.run("session.leaveCall()")
        record = await house.ended(call["callId"])

    assert record["endReason"] == "hangup"
