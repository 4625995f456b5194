"""LiveKit's Python SDK, 1.2, in calls of ours: signalling with one peer connection, the join socket read by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.wire.limits import FROM_CLIENT
from tests.clients.environments import python_with
from tests.fakes.rtc_served import RtcServed, until
from tests.fakes.sdk_program import SdkProgram, sdk_program

PROGRAM = Path(__file__).with_name("programs") / "livekit_python.py"
GREETING = "Hello, what can I do for you today?"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # the first time its environment is made


@pytest.fixture(scope="session")
def python() -> Path:
    return python_with("livekit==1.2.0", "websockets==15.0.1")


@asynccontextmanager
async def joined(
    house: RtcServed, python: Path, folder: Path
) -> AsyncIterator[tuple[dict[str, Any], SdkProgram]]:
    """A call with the SDK in it, which has heard the greeting."""
    call = await house.created()
    async with sdk_program(folder, str(python), "-I", str(PROGRAM), call["joinUrl"]) as sdk:
        await sdk.message("transcript", role="agent", text=GREETING, final=True)
        yield call, sdk


def say(sdk: SdkProgram, text: str) -> None:
    sdk.do("send", message={"type": "user_text_message", "text": text})


async def speech(sdk: SdkProgram) -> None:
    """Somebody speaks."""
    sdk.do("speak", on=True)
    await asyncio.sleep(1)
    sdk.do("speak", on=False)


def pardons(sdk: SdkProgram) -> int:
    """How often the agent heard something that it did not understand."""
    told = [each["message"] for each in sdk.events if each["event"] == "message"]
    return len([each for each in told if each.get("text") == "Pardon?" and each["final"]])


async def pardoned(sdk: SdkProgram, n: int) -> None:
    await until(lambda: pardons(sdk) >= n)


async def test_a_whole_call(house: RtcServed, python: Path, tmp_path: Path) -> None:
    async with joined(house, python, tmp_path) as (call, sdk):
        order = [each["event"] for each in sdk.events]
        assert order.index("room_info") < order.index("connected") < order.index("message")
        assert "first_audio" in order
        link = house.leg(call["callId"])._links.current
        assert link is not None
        assert link._session.version == "v1"  # type: ignore[attr-defined]

        say(sdk, "look")
        await sdk.message("client_tool_invocation", toolName="look")
        await sdk.message("transcript", text="Looked.", final=True)

        await speech(sdk)
        await pardoned(sdk, 1)

        say(sdk, "bye")
        closed = await sdk.until("join_socket_closed")
        assert closed["code"] == 1000
        await sdk.until("disconnected")
        record = await house.ended(call["callId"])
        assert not [each for each in sdk.events if each["event"] == "join_socket"]

    assert record["endReason"] == "agent_hangup"
    assert record["clientVersion"] == "livekit_1.2"


async def test_a_microphone_is_heard_unless_it_is_muted_and_so_is_one_that_takes_its_place(
    house: RtcServed, python: Path, tmp_path: Path
) -> None:
    async with joined(house, python, tmp_path) as (_, sdk):
        for muted, n in ((False, 1), (True, 1), (False, 2)):
            sdk.do("mute_mic", on=muted)
            await speech(sdk)
            await asyncio.sleep(1.5)
            await pardoned(sdk, n)
            assert pardons(sdk) == n
        sdk.do("republish")
        await sdk.until("republished")
        await speech(sdk)
        await pardoned(sdk, 3)


async def test_the_client_hangs_up(house: RtcServed, python: Path, tmp_path: Path) -> None:
    async with joined(house, python, tmp_path) as (call, sdk):
        sdk.do("leave")
        await sdk.until("left")
        record = await house.ended(call["callId"])

    assert record["endReason"] == "hangup"


async def test_a_connection_that_drops_is_had_back_and_the_call_goes_on(
    house: RtcServed, python: Path, tmp_path: Path
) -> None:
    async with joined(house, python, tmp_path) as (call, sdk):
        house.cut_signalling(call["callId"])
        await sdk.until("reconnected")
        leg = house.leg(call["callId"])
        await until(lambda: bool(leg.rejoins) and not leg.away)
        after = len(sdk.events)
        say(sdk, "talk")
        await asyncio.sleep(3)
        assert max(sdk.levels(after)) > 500
        say(sdk, "bye")
        record = await house.ended(call["callId"], 20)

    assert record["endReason"] == "agent_hangup"


async def test_data_packets_that_are_no_messages_end_their_own_call_with_one_sentence(
    house: RtcServed, python: Path, tmp_path: Path
) -> None:
    async with joined(house, python, tmp_path) as (call, sdk):
        for _ in range(FROM_CLIENT.bad_messages):
            sdk.do("raw", hex=b"no JSON".hex())
        closed = await sdk.until("join_socket_closed")
        record = await house.ended(call["callId"])
        events = await house.events(call["callId"])

    assert closed["code"] == 1008
    assert record["endReason"] == "connection_error"
    [end] = [each["text"] for each in events if each["type"] == "call_ended"]
    assert end.startswith("the client broke the protocol")
