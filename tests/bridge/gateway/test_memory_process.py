"""A real service whose memory runs out: it refuses callers before the kernel kills it (promise R24)."""

import asyncio
import sys
from asyncio.subprocess import PIPE
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
ROOM_BYTES: Final = 5 * MIB
"""What is left for calls: as many as any machine carries in time, so that nothing but memory is short."""
_INTERPRETER_BYTES: Final = 5 * MIB
_BALLAST: Final = "import sys; held = bytearray(b'x') * int(sys.argv[1]); print(); sys.stdin.read()"


@asynccontextmanager
async def ballast(group: MemoryGroup, n_bytes: int) -> AsyncIterator[None]:
    """Another process in the group, that holds so much until the context is left."""
    process = await asyncio.create_subprocess_exec(
        *group.prefix,
        *(sys.executable, "-Sc", _BALLAST, str(n_bytes - _INTERPRETER_BYTES)),
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    try:
        yield
    finally:
        await process.communicate(b"")


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
            await asyncio.sleep(2)  # what is loaded once for all calls is there
            idle_bytes = group.used_bytes
            async with ballast(group, int(SHARE * GROUP_BYTES) - idle_bytes - ROOM_BYTES):
                await asyncio.sleep(2)  # a sample, at least
                before_bytes = group.used_bytes
                lines, refusal = await call_until_refused(service, http)
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
