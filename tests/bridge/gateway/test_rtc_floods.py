"""A client over WebRTC that floods the service, beside calls of others: theirs have no gap and are not late.

The service, the rogue and the other callers are processes of their own on real sockets. Where that is allowed, service
and callers go before other programs; where the service had to wait for a processor all the same, what went wrong may be
the machine's fault. Of the rogue as much is asked as it had time for.
"""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager, suppress
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
MOST_WAITED_S: Final = 0.2
"""For a processor; more makes calls late without any flood."""
LEAST_SENT: Final = {"messages": 100, "candidates": 100}


async def made(http: httpx.AsyncClient, model: str) -> dict[str, Any]:
    body = {"model": model, "medium": {"webRtc": {}}}
    while (answer := await http.post("/api/calls", json=body)).status_code == 503:  # noqa: ASYNC110
        await asyncio.sleep(1)  # too busy just now
    assert answer.status_code == 201, answer.text
    call: dict[str, Any] = answer.json()
    return call


async def flooded(call: dict[str, Any], port: int, kind: str) -> tuple[int, float]:
    """Let somebody do its worst in this call; how much it has sent, and waited for a processor, s."""
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
    sent, waited_s = told.split()
    return int(sent), float(waited_s)


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


def waited_s(pid: int) -> float:
    """How long a process's main thread has been ready and had no processor, s."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


class Told(NamedTuple):
    """How a run went."""

    calls: list[dict[str, Any]]
    """The figures of the others' calls."""
    sent: int
    """By the rogue."""
    cpu_s: float
    """Of the service, while the rogue was there."""
    waited_s: float
    """Likewise, for a processor."""
    rogue_waited_s: float
    """Of the rogue, in all its life."""

    @property
    def faults(self) -> list[str]:
        """What went wrong with the service."""
        late = [f"late: {each}" for each in self.calls if not is_clean(each)]
        cost = [f"{self.cpu_s:.1f} s of a processor"] if self.cpu_s >= MOST_CPU_S else []
        return late + cost


@contextmanager
def before_others(*pids: int) -> Iterator[None]:
    """Let these processes go first, where that is allowed; those that they start do not."""
    first, usual = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.SCHED_OTHER
    try:
        with suppress(PermissionError):
            for pid in pids:
                os.sched_setscheduler(pid, first, os.sched_param(1))
        yield
    finally:
        with suppress(PermissionError, ProcessLookupError):
            for pid in pids:
                os.sched_setscheduler(pid, usual, os.sched_param(0))


async def clean_calls_beside(kind: str, folder: Path) -> Told:
    """Calls, a flood, and what became of the calls."""
    await asyncio.to_thread(folder.mkdir)
    async with AsyncExitStack() as stack:
        serve = await stack.enter_async_context(serve_process(folder, CONFIG))
        stack.enter_context(before_others(serve.process.pid, os.getpid()))
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
        pid = serve.process.pid
        before_s = cpu_s(pid), waited_s(pid)
        sent, rogue_s = await flooded(rogue, serve.port, kind)
        used_s, held_s = cpu_s(pid) - before_s[0], waited_s(pid) - before_s[1]
        for client in clients:
            assert (await http.delete(client.url, headers=client.headers)).status_code == 200
        return Told([await figures(http, call) for call in calls], sent, used_s, held_s, rogue_s)


def is_clean(told: dict[str, Any]) -> bool:
    gaps = ("lateFrames", "underruns", "packetsLost", "callerAudioLostMs", "packetsBad")
    return not any(told[each] for each in gaps)


@pytest.mark.parametrize("kind", ["rtp", "foreign", "replayed", "junk", "messages", "candidates"])
async def test_calls_of_others_have_no_gap_and_are_not_late(kind: str, tmp_path: Path) -> None:
    told = await clean_calls_beside(kind, tmp_path / "flooded")
    if told.faults and told.waited_s > MOST_WAITED_S:
        pytest.skip(f"the service has waited {told.waited_s:.1f} s for a processor")
    assert told.faults == []
    had = max(0.0, 1 - told.rogue_waited_s / FLOOD_S)
    assert told.sent > had * LEAST_SENT.get(kind, 20_000)
