"""The vendor's SDK for browsers, npm `ultravox-client` 0.5, in calls of ours, in Chromium."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.environments import bundled, node_modules
from tests.fakes.chromium import Browser, Page, connected, launched
from tests.fakes.rtc_served import RtcServed, until

PAGE = Path(__file__).with_name("programs") / "page.js"
PACKAGES = ("ultravox-client@0.5.0", "livekit-client@2.23.0", "esbuild@0.25.12")
GREETING = "Hello, what can I do for you today?"
pytestmark = pytest.mark.timeout(300)  # the first time its environment is made


@pytest.fixture(scope="session")
def script() -> str:
    return bundled(node_modules(*PACKAGES), PAGE)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with launched(tmp_path_factory.mktemp("browser")) as address:
        yield address


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with connected(chromium) as browser:
        yield browser


def spoken(text: str) -> str:
    """A condition in the page: the agent has said this to its end."""
    return f"told.some((each) => each.message?.text === {text!r} && each.message.final)"


async def speech(page: Page) -> None:
    """Somebody speaks."""
    await page.run("speak(true)")
    await asyncio.sleep(1)
    await page.run("speak(false)")


async def loudness(page: Page, seconds: float) -> float:
    """The energy of what comes in during so long."""
    before = await page.run("heard()")
    await asyncio.sleep(seconds)
    after = await page.run("heard()")
    return float(after["energy"] - before["energy"])


@asynccontextmanager
async def joined(
    house: RtcServed, browser: Browser, script: str, **asked: object
) -> AsyncIterator[tuple[dict[str, Any], Page]]:
    """A call with the SDK in it, which has heard the greeting."""
    call = await house.created(**asked)
    page = await browser.page()
    await page.goto(f"http://127.0.0.1:{house.port}/healthz")
    await page.run(script + "; true")
    await page.run(f"join({call['joinUrl']!r}); true")
    await page.until(spoken(GREETING))
    yield call, page


async def test_a_whole_call(house: RtcServed, browser: Browser, script: str) -> None:
    async with joined(house, browser, script) as (call, page):
        assert (await page.run("heard()"))["energy"] > 0.01
        first = await page.run("told.find((each) => each.event === 'message').message")
        assert first == {"type": "call_started", "callId": call["callId"]}
        await page.until("session.status === 'listening'")

        # A client tool, and text that was typed
        await page.run("session.sendText('look'); true")
        await page.until(spoken("I see a blue door."))
        tool = await page.run("told.find((each) => each.event === 'tool').parameters")
        assert tool == {"where": "outside"}
        said = await page.run("told.filter((each) => each.event === 'transcripts').at(-1).all")
        assert ["user", "look", True, "text"] in said

        # The microphone is heard
        await speech(page)
        await page.until(spoken("Pardon?"))
        await page.run("session.sendText('bye'); true")
        await page.until("session.status === 'disconnected'")
        record = await house.ended(call["callId"])

    assert record["endReason"] == "agent_hangup"
    assert record["clientVersion"] == "web_0.5.0:tests"


@pytest.mark.slow
async def test_both_mutes_and_the_output_medium(
    house: RtcServed, browser: Browser, script: str
) -> None:
    async with joined(house, browser, script) as (_, page):
        await speech(page)
        await page.until(spoken("Pardon?"))

        # A microphone that is muted is not heard
        await page.until("session.status === 'listening'")
        await page.run("session.muteMic(); true")
        n_said = "told.filter((each) => each.event === 'transcripts').at(-1).all.length"
        before = await page.run(n_said)
        await speech(page)
        await asyncio.sleep(1)
        assert await page.run(n_said) == before

        # A speaker that is muted hears nothing, though the agent talks
        await page.run("session.muteSpeaker(); true")
        await asyncio.sleep(0.3)
        await page.run("session.sendText('talk'); true")
        await page.until("session.status === 'speaking'")
        assert await loudness(page, 1) < 0.001
        await page.run("session.unmuteSpeaker(); true")
        await asyncio.sleep(0.3)
        assert await loudness(page, 1) > 0.01
        await page.until("session.status === 'listening'")

        # Text in place of a voice
        await page.run("session.setOutputMedium('text'); session.sendText('talk'); true")
        await page.until(
            "told.some((each) => each.message?.role === 'agent' && each.message.medium === 'text')"
        )


@pytest.mark.slow
async def test_the_client_hangs_up(house: RtcServed, browser: Browser, script: str) -> None:
    async with joined(house, browser, script) as (call, page):
        await page.run("session.leaveCall()")
        record = await house.ended(call["callId"])

    assert record["endReason"] == "hangup"


@pytest.mark.slow
async def test_a_connection_that_drops_is_had_back_and_the_call_goes_on(
    house: RtcServed, browser: Browser, script: str
) -> None:
    async with joined(house, browser, script) as (call, page):
        leg = house.leg(call["callId"])
        await page.run("session.room.once('reconnected', () => (window.back = true)); true")
        await page.run("window.back = false; true")
        house.cut_signalling(call["callId"])
        await until(lambda: bool(leg.rejoins) and not leg.away, 15)
        await page.until("back")
        await asyncio.sleep(2.5)  # for two seconds more the SDK loses what it is given to send
        await page.run("session.sendText('talk'); true")
        await page.until("session.status === 'speaking'")
        assert await loudness(page, 1.5) > 0.01
        assert "disconnected" not in await page.run("told.map((each) => each.status)")
        await page.run("session.leaveCall()")
        record = await house.ended(call["callId"])

    assert record["endReason"] == "hangup"
