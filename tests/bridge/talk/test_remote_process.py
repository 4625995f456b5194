"""`tipring talk` as a process against `tipring serve` as a process, over WebSocket and WebRTC."""

import asyncio
import json
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.asyncio.server import ServerConnection
from websockets.asyncio.server import serve as websockets_serve

from bridge.talk.plan import RATES
from tests.fakes.agent_api import AGENT, KEY, agent_api
from tests.fakes.rtc_served import SCRIPT, TOOL
from tests.fakes.serve_process import ServeProcess, serve_process
from tests.fakes.talk_process import LONGEST_S, TalkProcess, talk_process

MEDIA: Final[dict[str, dict[str, object]]] = {
    "serverWebSocket": {
        "inputSampleRate": RATES.input_hz,
        "outputSampleRate": RATES.output_hz,
    },
    "webRtc": {},
}
AGENT_FIELDS: Final = {
    "model": "tipring/script:clients",
    "selectedTools": [TOOL],
    "initialOutputMedium": "MESSAGE_MEDIUM_TEXT",
}
TOOLS: Final = 'def look(where: str) -> dict[str, str]:\n    return {"seen": f"a boat {where}"}\n'
MESSAGE_BYTES: Final = 40_000
"""200 such messages are more than may wait for their reader."""
OVER: Final = pytest.mark.parametrize("medium", list(MEDIA))


@dataclass
class Elsewhere:
    """A service that runs, and its REST API."""

    service: ServeProcess
    http: httpx.AsyncClient

    async def created(self, medium: str) -> dict[str, Any]:
        """Somebody makes a call; its record."""
        asked = {**AGENT_FIELDS, "medium": {medium: MEDIA[medium]}}
        response = await self.http.post("/api/calls", json=asked)
        assert response.status_code == 201, response.text
        return dict(response.json())

    async def end_reason(self, call_id: str) -> str:
        return str((await self.http.get(f"/api/calls/{call_id}")).json()["endReason"])


@asynccontextmanager
async def elsewhere(folder: Path) -> AsyncIterator[Elsewhere]:
    scripts = folder / "scripts"
    scripts.mkdir()
    (scripts / "clients.toml").write_text(SCRIPT)
    config = f"scripts = {json.dumps(str(scripts))}\n[phone]\ndrain_s = 0.5\n"
    async with serve_process(folder, config) as service, service.http() as http:
        yield Elsewhere(service, http)


def tools_file(folder: Path) -> str:
    path = folder / "tools.py"
    path.write_text(TOOLS)
    return str(path)


async def live(talk: TalkProcess) -> None:
    """Wait until one can talk to it: it has greeted, and listens."""
    await talk.tells(lambda event: event.get("status") == "listening")


def token_of(call: dict[str, Any]) -> str:
    """The secret part of a call's join URL."""
    parts = re.split(r"[/?&=]", urlsplit(str(call["joinUrl"])).path)
    return max((part for part in parts if part != call["callId"]), key=len)


@OVER
async def test_a_call_made_elsewhere_is_talked_to_the_agent_s_goodbye(
    medium: str, tmp_path: Path
) -> None:
    tools = ("--tools", tools_file(tmp_path))
    async with elsewhere(tmp_path) as far:
        call = await far.created(medium)
        async with talk_process("--json", "--join-url", str(call["joinUrl"]), *tools) as talk:
            await live(talk)
            talk.types("look")
            tool = await talk.tells(lambda event: event.get("tool", {}).get("state") == "answered")
            await talk.tells(
                lambda event: "boat outside" in event.get("transcript", {}).get("text", "")
            )
            talk.types("bye")
            code = await talk.ended()

    assert code == 0
    assert json.loads(tool["tool"]["result"]) == {"seen": "a boat outside"}
    assert (talk.events[-1]["event"], talk.events[-1]["reason"]) == ("ended", "agent_hangup")
    assert talk.errors == ""
    assert token_of(call) not in "".join(talk.lines)


@pytest.mark.parametrize(
    "medium", ["webRtc", pytest.param("serverWebSocket", marks=pytest.mark.slow)]
)
async def test_ctrl_c_is_a_hang_up_at_the_far_end_too(medium: str, tmp_path: Path) -> None:
    async with elsewhere(tmp_path) as far:
        call = await far.created(medium)
        async with talk_process("--plain", "--join-url", str(call["joinUrl"])) as talk:
            await talk.prints(lambda line: "Hello, what can I do" in line)
            talk.interrupt()
            code = await talk.ended()
        reason = await far.end_reason(str(call["callId"]))

    assert code == 0
    assert "ended: you hung up" in talk.lines[-1]
    assert talk.errors.startswith("talked 0:0")
    assert reason == "hangup"


@pytest.mark.slow
@OVER
async def test_a_server_that_dies_ends_the_talk_with_1_and_the_reason(
    medium: str, tmp_path: Path
) -> None:
    async with elsewhere(tmp_path) as far:
        url = str((await far.created(medium))["joinUrl"])
        async with talk_process("--json", "--join-url", url) as talk:
            await live(talk)
            far.service.signal(signal.SIGKILL)
            code = await talk.ended()

    assert code == 1
    assert (talk.events[-1]["event"], talk.events[-1]["reason"]) == ("ended", "connection_error")
    assert talk.events[-1]["detail"]
    assert "Traceback" not in talk.errors


@pytest.mark.slow
@OVER
async def test_a_server_that_stops_in_order_ends_the_talk_in_order(
    medium: str, tmp_path: Path
) -> None:
    async with elsewhere(tmp_path) as far:
        url = str((await far.created(medium))["joinUrl"])
        async with talk_process("--plain", "--join-url", url) as talk:
            await talk.prints(lambda line: "Hello, what can I do" in line)
            far.service.signal(signal.SIGTERM)
            code = await talk.ended()

    assert "the agent hung up (the far end is going away" in talk.lines[-1]
    assert code == 0
    assert "Traceback" not in talk.errors


@pytest.mark.parametrize(
    "medium", [pytest.param("webRtc", marks=pytest.mark.slow), "serverWebSocket"]
)
async def test_an_agent_of_an_api_is_called_with_the_key_and_its_tool_answered_by_hand(
    medium: str, tmp_path: Path
) -> None:
    over = ("--webrtc",) if medium == "webRtc" else ()
    async with elsewhere(tmp_path) as far, agent_api(far.http, AGENT_FIELDS) as api:
        asked = ("--api-url", api.url, "--agent", AGENT, *over)
        async with talk_process("--json", *asked, environment={"ULTRAVOX_API_KEY": KEY}) as talk:
            await live(talk)
            talk.types("look")
            await talk.tells(lambda event: event.get("tool", {}).get("state") == "waiting")
            talk.types('/answer {"seen": "rain"}')
            await talk.tells(lambda event: event.get("transcript", {}).get("text") == "I see rain.")
            talk.types("/hangup")
            code = await talk.ended()

    assert code == 0
    assert api.asked[0] == (f"POST /api/agents/{AGENT}/calls", KEY)
    assert talk.events[-1]["reason"] == "hangup"
    assert KEY not in "".join(talk.lines) + talk.errors


@asynccontextmanager
async def flooding(n_messages: int) -> AsyncIterator[tuple[str, asyncio.Event, asyncio.Event]]:
    """A far end that sends so many long messages; its URL, whether they have come, and when it shall hang up."""
    have_come, hang_up = asyncio.Event(), asyncio.Event()

    async def far_end(socket: ServerConnection) -> None:
        await socket.send('{"type": "call_started", "callId": "c0ffee"}')
        await socket.send('{"type": "state", "state": "listening"}')
        for number in range(n_messages):
            message = f"{number} {'x' * MESSAGE_BYTES}"
            await socket.send(json.dumps({"type": "debug", "message": message}))
        await (await socket.ping())
        have_come.set()
        await hang_up.wait()

    async with websockets_serve(
        far_end, "127.0.0.1", 0, compression=None, max_queue=None
    ) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        yield f"ws://127.0.0.1:{port}/join", have_come, hang_up


@pytest.mark.parametrize("n_messages", [100, 500])
async def test_a_slow_reader_is_told_how_many_lines_it_missed_and_a_quick_one_misses_none(
    n_messages: int,
) -> None:
    began_s = asyncio.get_running_loop().time()
    async with (
        flooding(n_messages) as (url, have_come, hang_up),
        talk_process("--json", "--join-url", url) as talk,
    ):
        await asyncio.wait_for(have_come.wait(), LONGEST_S)
        if n_messages == 100:  # fewer bytes than may wait
            await talk.tells(lambda event: number_of(event) == n_messages - 1)
        else:
            await talk.tells(lambda event: event["event"] == "left_out")
        hang_up.set()
        code = await talk.ended()

    numbers = [number for event in talk.events if (number := number_of(event)) is not None]
    missed = sum(event["lines"] for event in talk.events if event["event"] == "left_out")
    others = missed - (n_messages - len(numbers))  # of other kinds, such as figures, one a second
    took_s = asyncio.get_running_loop().time() - began_s
    assert code == 0
    assert numbers == sorted(numbers)
    assert numbers[-1] == n_messages - 1
    assert (missed > 0) == (n_messages > 100)
    assert 0 <= others < 10 + took_s
    assert talk.events[-1]["event"] == "ended"


def number_of(event: dict[str, Any]) -> int | None:
    """Of a message of the flood."""
    message = event.get("message", {})
    return int(message["message"].split()[0]) if message.get("type") == "debug" else None


async def test_a_call_that_cannot_be_joined_is_said_once() -> None:
    async with talk_process("--plain", "--join-url", "ws://127.0.0.1:9/CANARY-join-token") as talk:
        code = await talk.ended()

    assert code == 1
    assert talk.lines == []
    assert talk.errors.count("\n") == 1
    assert "127.0.0.1:9 refuses the connection" in talk.errors
    assert "CANARY" not in talk.errors
