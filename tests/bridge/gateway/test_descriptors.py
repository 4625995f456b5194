"""Descriptors run out: calls that are up notice nothing, and the service is back at once (promise R24)."""

import asyncio
import socket
import time
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from bridge.gateway.descriptors import connections
from tests.bridge.gateway.test_draining_process import Caller, callers
from tests.fakes.serve_process import ServeProcess, serve_process


@pytest.mark.parametrize(
    ("limit", "n"), [(256, 96), (1_024, 480), (16_384, 8_160), (64, 16), (0, 16)]
)
def test_half_of_what_is_not_kept_back_is_for_connections(limit: int, n: int) -> None:
    assert connections(limit) == n


def n_descriptors(service: ServeProcess) -> int:
    return len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))


async def crowd(port: int, n: int, stack: ExitStack) -> list[socket.socket]:
    """Connections that are opened and held."""
    held = []
    for _ in range(n):
        sock = stack.enter_context(socket.socket())
        sock.setblocking(False)
        with suppress(ConnectionError):  # cut off before the connect was seen
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        held.append(sock)
    return held


async def back(service: ServeProcess, limit_s: float) -> None:
    """Wait until the service serves a normal client again."""
    async with asyncio.timeout(limit_s):
        while True:
            try:
                async with service.http() as http:
                    if (await http.get("/healthz")).status_code == 200:
                        return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_crowd_takes_no_descriptor_from_the_calls_and_is_forgotten_at_once(
    tmp_path: Path,
) -> None:
    async with asyncio.timeout(50), serve_process(tmp_path, max_fds=256) as service:
        async with service.http() as http:
            calls = await callers(service, http, 5)
            waiting = await service.created(http)
        heard = [len(call.log.heard) for call in calls]
        started_s = time.monotonic()
        with ExitStack() as stack:
            await crowd(service.port, 400, stack)
            await asyncio.sleep(0.5)
            assert n_descriptors(service) < 256 - 64
            await asyncio.sleep(3)
            expected = (time.monotonic() - started_s) / 0.02
            frames = [len(c.log.heard) - n for c, n in zip(calls, heard, strict=True)]
        await back(service, 2.0)

        assert min(frames) > expected - 25
        assert all(call.log.closes == [] for call in calls)
        calls.append(await Caller.join(waiting))
        for call in calls:
            call.leave()
            assert (await call.gone())[0] == 1000

    assert "Traceback" not in service.log
