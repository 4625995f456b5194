"""A real service whose memory runs out: it refuses callers before the kernel kills it (promise R24)."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.bridge.gateway.test_draining_process import until
from tests.fakes.memory_group import MemoryGroup, memory_group
from tests.fakes.serve_process import ServeProcess, serve_process
from tests.fakes.twilio_line import CONFIG, Rejected, TwilioLine

MIB: Final = 1024 * 1024
GROUP_BYTES: Final = 256 * MIB
SHARE: Final = 0.85
ROOM_BYTES: Final = 8 * MIB
"""What is left for calls: as many as any machine carries in time, so that nothing but memory is short."""
DRIFT_BYTES: Final = MIB // 2
"""By how much what is used goes up and down by itself, at most, once everything is loaded."""
SETTLED_S: Final = 3.0
_BALLAST: Final = """
import mmap, sys
held = []
for line in sys.stdin:
    while len(held) > int(line):
        held.pop().close()
    while len(held) < int(line):
        held.append(mmap.mmap(-1, 1 << 20))
        held[-1].write(b"x" * (1 << 20))
    print(flush=True)
"""


class Ballast:
    """Another process in the group, that holds as many MiB as it is told to."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._n_mib = 0

    async def fill(self, group: MemoryGroup, used_bytes: int) -> None:
        """Hold so much that the group uses this, within 1 MiB, and goes on doing so."""
        for _ in range(6):
            missing = round((used_bytes - await settled_bytes(group)) / MIB)
            if missing == 0:
                return
            await self._hold(self._n_mib + missing)
        pytest.fail("what the memory group uses does not come to rest")

    async def _hold(self, n_mib: int) -> None:
        assert n_mib >= 0, (
            "the service alone uses more of its memory group than this test leaves it"
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{n_mib}\n".encode())
        await self._process.stdout.readline()
        self._n_mib = n_mib


@asynccontextmanager
async def ballast(group: MemoryGroup) -> AsyncIterator[Ballast]:
    """The other process, for the time of the context."""
    process = await asyncio.create_subprocess_exec(
        *group.prefix, *(sys.executable, "-Sc", _BALLAST), stdin=PIPE, stdout=PIPE
    )
    try:
        yield Ballast(process)
    finally:
        await process.communicate(b"")


async def settled_bytes(group: MemoryGroup) -> int:
    """What the group uses, once that has stayed about the same for a while."""
    loop = asyncio.get_running_loop()
    least = most = group.used_bytes
    since_s = loop.time()
    async with asyncio.timeout(30):
        while loop.time() - since_s < SETTLED_S:
            await asyncio.sleep(0.1)
            used = group.used_bytes
            least, most = min(least, used), max(most, used)
            if most - least > DRIFT_BYTES:
                least = most = used
                since_s = loop.time()
    return group.used_bytes


async def call_until_refused(
    service: ServeProcess, http: httpx.AsyncClient
) -> tuple[list[TwilioLine], Rejected]:
    """Callers who come one after another, and the answer to the first who is not taken."""
    lines: list[TwilioLine] = []
    while True:
        try:
            lines.append(await TwilioLine.call(service.url, http))
        except Rejected as exc:
            return lines, exc
        await asyncio.sleep(0.1)


async def refused_for_memory(http: httpx.AsyncClient) -> int:
    page = (await http.get("/metrics")).text
    rows = (line.rsplit(" ", 1) for line in page.splitlines())
    figures = {name: value for name, value in rows if not name.startswith("#")}
    return int(float(figures.get('tipring_calls_refused_total{reason="memory"}', "0")))


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_callers_are_refused_before_the_killer_comes_and_those_that_are_up_go_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with memory_group(GROUP_BYTES) as group:
        async with (
            asyncio.timeout(170),
            serve_process(
                tmp_path, f"[phone]\nmemory_share = {SHARE}\n{CONFIG}", prefix=group.prefix
            ) as service,
            service.http() as http,
        ):
            first = await TwilioLine.call(service.url, http)
            idle_bytes = await settled_bytes(group)  # what is loaded once for all calls is there
            async with ballast(group) as other:
                await other.fill(group, int(SHARE * GROUP_BYTES) - ROOM_BYTES)
                before_bytes = group.used_bytes
                lines, refusal = await call_until_refused(service, http)
                assert lines, f"the first caller was refused, with room for some: {service.log}"
                heard = [len(line.heard) for line in lines]
                refused = await http.post("/api/calls", json={})
                await asyncio.sleep(5)
                per_call_bytes = (group.used_bytes - before_bytes) / len(lines)
                n_refused = await refused_for_memory(http)
                n_more = [len(line.heard) - n for line, n in zip(lines, heard, strict=True)]

                for line in lines:
                    line.hang_up()
                codes = [await line.over() for line in lines]

            async def taken_again() -> bool:
                try:
                    lines[:] = [await TwilioLine.call(service.url, http)]
                except Rejected:
                    return False
                return True

            await until(taken_again, 10)
            for line in (first, *lines):
                line.hang_up()
                codes.append(await line.over())
            log = service.log

        assert group.n_killed == 0
    with capsys.disabled():
        print(  # noqa: T201 - the figure is what the run is for
            f"\n{GROUP_BYTES / MIB:.0f} MiB: {idle_bytes / MIB:.1f} with one call, "
            f"{len(codes) - 2} calls more at {per_call_bytes / 1024:.0f} KiB each, then refused"
        )
    assert '<Reject reason="busy"/>' in refusal.text
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    assert refused.json()["detail"] == "The server has no memory left for another call."
    assert n_refused == 2
    assert len(codes) > 4
    assert per_call_bytes <= MIB
    assert min(n_more) > 100
    assert set(codes) == {1000}
    assert log.count("! new calls are refused: ") == 1
    assert "of its memory group are used" in log
    assert log.count("= new calls are taken again") == 1
    assert "Traceback" not in log
