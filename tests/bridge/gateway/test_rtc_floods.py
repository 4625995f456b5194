"""A client over WebRTC that floods the service, beside calls of others: theirs have no gap and are not late.

The service, the rogue and the other callers are processes of their own on real sockets. A machine that is too busy for
this shows so without any flood, and the run says nothing of lateness; what a flood costs the service it says anywhere.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx
import pytest

from tests.fakes.serve_process import serve_process
from tests.fakes.whip_client import WhipClient, whip_client

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

N_CLEAN: Final = 4
FLOOD_S: Final = 5.0
CONFIG: Final = '[webrtc]\naddresses = ["127.0.0.1"]\n'
MOST_CPU_S: Final = 0.6 * FLOOD_S
"""Of the service while it is flooded, its calls included: the rest of its core is free for others."""
LEAST_SENT: Final = {"messages": 100, "candidates": 100}


async def made(http: httpx.AsyncClient, model: str) -> dict[str, Any]:
    body = {"model": model, "medium": {"webRtc": {}}}
    while (answer := await http.post("/api/calls", json=body)).status_code == 503:  # noqa: ASYNC110
        await asyncio.sleep(1)  # too busy just now
    assert answer.status_code == 201, answer.text
    call: dict[str, Any] = answer.json()
    return call


async def flooded(call: dict[str, Any], port: int, kind: str) -> int:
    """Let somebody do its worst in this call; how much it has sent."""
    token = call["joinUrl"].split("/")[-2]
    whip = f"http://127.0.0.1:{port}/calls/{call['callId']}/whip"
    program = [sys.executable, "-m", "tests.fakes.rtc_rogue", whip, call["joinUrl"], token]
    process = await asyncio.create_subprocess_exec(
        *program, kind, str(FLOOD_S), stdout=PIPE, cwd=Path(__file__).parents[3]
    )
    try:
        told, _ = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0
    return int(told)


async def figures(http: httpx.AsyncClient, call: dict[str, Any]) -> dict[str, Any]:
    """What is said of a call at its end."""
    url = f"/api/calls/{call['callId']}/events?minimum_severity=debug"
    async with asyncio.timeout(20):
        while True:
            for event in (await http.get(url)).json()["results"]:
                if event["type"] == "webrtc_call_figures":
                    return dict(event["extras"])
            await asyncio.sleep(0.1)


def cpu_s(pid: int) -> float:
    """What a process has computed so far, s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Told(NamedTuple):
    """How a run went."""

    calls: list[dict[str, Any]]
    """The figures of the others' calls."""
    sent: int
    """By the rogue."""
    cpu_s: float
    """Of the service, while the rogue was there."""


async def clean_calls_beside(kind: str, folder: Path) -> Told:
    """Calls, a flood, and what became of the calls."""
    await asyncio.to_thread(folder.mkdir)
    async with AsyncExitStack() as stack:
        serve = await stack.enter_async_context(serve_process(folder, CONFIG))
        http = await stack.enter_async_context(serve.http())
        calls = [await made(http, "tipring/tone") for _ in range(N_CLEAN)]
        rogue = await made(http, "tipring/echo")
        clients: list[WhipClient] = []
        for call in calls:
            client = await stack.enter_async_context(whip_client(call, serve.port))
            await client.join(http)
            await client.heard()
            clients.append(client)
        for client in clients:
            client.speak(4.5)
        before_s = cpu_s(serve.process.pid)
        sent = await flooded(rogue, serve.port, kind)
        used_s = cpu_s(serve.process.pid) - before_s
        for client in clients:
            assert (await http.delete(client.url, headers=client.headers)).status_code == 200
        return Told([await figures(http, call) for call in calls], sent, used_s)


def is_clean(told: dict[str, Any]) -> bool:
    gaps = ("lateFrames", "underruns", "packetsLost", "callerAudioLostMs", "packetsBad")
    return not any(told[each] for each in gaps)


@pytest.mark.parametrize("kind", ["rtp", "foreign", "replayed", "junk", "messages", "candidates"])
async def test_calls_of_others_have_no_gap_and_are_not_late(kind: str, tmp_path: Path) -> None:
    told = await clean_calls_beside(kind, tmp_path / "flooded")
    assert told.sent > LEAST_SENT.get(kind, 20_000)
    assert told.cpu_s < MOST_CPU_S
    if all(map(is_clean, told.calls)):
        return
    control = await clean_calls_beside("nothing", tmp_path / "control")
    if not all(map(is_clean, control.calls)):
        pytest.skip("the machine is too busy: calls are late without any flood")
    assert [each for each in told.calls if not is_clean(each)] == []
