"""The vendor's Python SDK, 0.1.0 as it is on PyPI, in calls of ours: LiveKit signalling with two peer connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.environments import python_with
from tests.fakes.rtc_served import RtcServed, until
from tests.fakes.sdk_program import SdkProgram, sdk_program

PROGRAM = Path(__file__).with_name("programs") / "ultravox_python.py"
GREETING = "Hello, what can I do for you today?"
pytestmark = pytest.mark.timeout(300)  # the first time its environment is made


@pytest.fixture(scope="session")
def python() -> Path:
    return python_with("ultravox-client==0.1.0")


@asynccontextmanager
async def joined(
    house: RtcServed, python: Path, folder: Path, **asked: object
) -> AsyncIterator[tuple[dict[str, Any], SdkProgram]]:
    """A call with the SDK in it, which has heard the greeting."""
    call = await house.created(**asked)
    command = (str(python), "-I", str(PROGRAM), call["joinUrl"])
    async with sdk_program(folder, *command) as sdk:
        await sdk.message("transcript", role="agent", text=GREETING, final=True)
        yield call, sdk


def said(sdk: SdkProgram) -> list[list[Any]]:
    """The transcripts as the SDK has them now."""
    return next(
        (each["all"] for each in reversed(sdk.events) if each["event"] == "transcripts"), []
    )


async def test_a_whole_call(house: RtcServed, python: Path, tmp_path: Path) -> None:
    async with joined(house, python, tmp_path, recordingEnabled=True) as (call, sdk):
        order = [each["event"] for each in sdk.events]
        messages = [each["message"] for each in sdk.events if each["event"] == "message"]
        assert messages[0] == {"type": "call_started", "callId": call["callId"]}
        assert "first_audio" in order
        await sdk.until("status", lambda event: event["status"] == "LISTENING")

        # A client tool, and text that was typed
        sdk.do("text", text="look")
        tool = await sdk.until("tool")
        assert tool["parameters"] == {"where": "outside"}
        await sdk.message("transcript", text="I see a blue door.", final=True)
        assert ["user", "look", True, "text"] in said(sdk)

        # What is typed may be long: it comes by the join socket
        sdk.do("text", text="x" * 3_000)
        await sdk.message("transcript", text="Pardon?", final=True)

        # The microphone is heard
        n_pardons = len([each for each in said(sdk) if each[1] == "Pardon?"])
        sdk.do("speak", on=True)
        await asyncio.sleep(1.2)
        sdk.do("speak", on=False)
        await sdk.until(
            "transcripts",
            lambda event: [each[1] for each in event["all"]].count("Pardon?") > n_pardons,
        )

        # And is not once it is muted
        await sdk.until("status", lambda event: event["status"] == "LISTENING", after=-1)
        n_said = len(said(sdk))
        sdk.do("mute_mic", on=True)
        sdk.do("speak", on=True)
        await asyncio.sleep(1.2)
        sdk.do("speak", on=False)
        await asyncio.sleep(1)
        assert len(said(sdk)) == n_said

        # Text in place of a voice
        sdk.do("medium", medium="text")
        await asyncio.sleep(0.2)
        after = len(sdk.events)
        sdk.do("text", text="talk")
        answer = await sdk.message("transcript", role="agent", medium="text", final=True)
        assert answer["text"].startswith("One two three")
        await asyncio.sleep(0.5)
        assert max(sdk.levels(after)) < 20

        sdk.do("text", text="bye")
        await sdk.until("status", lambda event: event["status"] == "DISCONNECTING")
        record = await house.ended(call["callId"])

    assert record["endReason"] == "agent_hangup"
    assert record["clientVersion"] == "python_0.1.0:tests"


@pytest.mark.slow
async def test_the_client_hangs_up(house: RtcServed, python: Path, tmp_path: Path) -> None:
    async with joined(house, python, tmp_path) as (call, sdk):
        sdk.do("leave")
        await sdk.until("left")
        record = await house.ended(call["callId"])

    assert record["endReason"] == "hangup"


@pytest.mark.slow
async def test_a_connection_that_drops_is_had_back_and_the_call_goes_on(
    house: RtcServed, python: Path, tmp_path: Path
) -> None:
    async with joined(house, python, tmp_path) as (call, sdk):
        leg = house.leg(call["callId"])
        house.cut_signalling(call["callId"])
        await until(lambda: bool(leg.rejoins) and not leg.away)
        after = len(sdk.events)
        sdk.do("text", text="talk")
        await asyncio.sleep(2)
        assert max(sdk.levels(after)) > 500
        sdk.do("text", text="bye")
        record = await house.ended(call["callId"], 20)

    assert record["endReason"] == "agent_hangup"
