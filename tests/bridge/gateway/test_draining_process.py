"""A real service that is told to stop while calls go on (promise R21)."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bridge.errors import JoinRefused
from bridge.legs.picows_socket import connect
from tests.fakes.serve_process import ServeProcess, serve_process
from tests.fakes.socket_log import SocketLog
from tests.fakes.twilio_line import CONFIG, TwilioLine

FRAME_S = 0.02
SOON_S = 5.0
"""Of what takes less than a second, on a busy machine; what it must not wait for takes an hour."""


class Caller:
    """A client that has joined a call and speaks: what it says comes back."""

    def __init__(
        self, log: SocketLog, speaking: "asyncio.Task[None]", leave: Callable[[], None]
    ) -> None:
        self.log = log
        self.leave = leave
        self.speaking = speaking

    @classmethod
    async def join(cls, url: str) -> "Caller":
        socket = await connect(url)
        log = SocketLog()
        socket.start(log)

        async def speak() -> None:
            while not log.closes:
                socket.send_bytes(b"\1\2" * 160)
                await asyncio.sleep(FRAME_S)

        return cls(log, asyncio.create_task(speak(), name="speak"), socket.close)

    async def gone(self) -> tuple[int, str]:
        await self.log.closed.wait()
        await self.speaking
        return self.log.closes[0]


async def callers(service: ServeProcess, http: httpx.AsyncClient, n: int) -> list[Caller]:
    urls = [await service.created(http) for _ in range(n)]
    return [await Caller.join(url) for url in urls]


async def drain_once(service: ServeProcess, n_calls: int) -> None:
    """One drain, from the signal to the exit code."""
    async with service.http() as http:
        assert (await http.get("/readyz")).status_code == 200
        calls = await callers(service, http, n_calls)
        waiting = await service.created(http)
        await asyncio.sleep(0.2)

        service.signal(signal.SIGTERM)
        await until(lambda: _status(http, "/readyz", 503), SOON_S)

        refused = await http.post("/api/calls", json={})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
        with pytest.raises(JoinRefused):
            await connect(f"ws://127.0.0.1:{service.port}/calls/nothing")
        calls.append(await Caller.join(waiting))  # a call that exists may still be joined

        heard = [len(call.log.heard) for call in calls]
        await asyncio.sleep(0.5)
        assert all(len(call.log.heard) > before for call, before in zip(calls, heard, strict=True))
        assert [call.log.closes for call in calls] == [[]] * len(calls)
        assert (await http.get("/healthz")).status_code == 200

        for call in calls:
            call.leave()
        for call in calls:
            assert (await call.gone())[0] == 1000
    assert await service.ended(SOON_S) == 0


async def _status(http: httpx.AsyncClient, path: str, wanted: int) -> bool:
    return (await http.get(path)).status_code == wanted


async def until(holds: Callable[[], Awaitable[bool]], limit_s: float) -> None:
    """Wait for something to hold, so long at most."""
    async with asyncio.timeout(limit_s):
        while not await holds():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(tmp_path: Path, config: str = "") -> AsyncIterator[ServeProcess]:
    async with asyncio.timeout(55), serve_process(tmp_path, config) as service:
        yield service


async def test_a_draining_service_drops_nobody_takes_nobody_and_ends_with_its_last_call(
    tmp_path: Path,
) -> None:
    async with running(tmp_path) as service:
        await drain_once(service, 3)

    assert "Traceback" not in service.log


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("run", range(20))
async def test_fifty_calls_drain_again_and_again(tmp_path: Path, run: int) -> None:
    async with running(tmp_path) as service:
        await drain_once(service, 50)

    assert "Traceback" not in service.log


async def test_calls_are_ended_at_the_deadline_or_at_the_second_signal(tmp_path: Path) -> None:
    async with running(tmp_path, f"[phone]\ndrain_s = 1.0\n{CONFIG}") as service:
        async with service.http() as http:
            [call] = await callers(service, http, 1)
            phone = await TwilioLine.call(service.url, http)
            started_s = time.monotonic()
            service.signal(signal.SIGTERM)
            codes = {(await call.gone())[0], await phone.over()}
        took_s = time.monotonic() - started_s
        assert await service.ended(SOON_S) == 0

    assert 0.9 < took_s < SOON_S
    assert codes <= {1000, 1001, 1011}
    assert '"endDetail":"the service stops"' in service.log

    async with running(tmp_path) as service:
        async with service.http() as http:
            [call] = await callers(service, http, 1)
            service.signal(signal.SIGTERM)
            await until(lambda: _status(http, "/readyz", 503), SOON_S)
            started_s = time.monotonic()
            service.signal(signal.SIGTERM)
            await call.gone()
        assert await service.ended(SOON_S) == 0

    assert time.monotonic() - started_s < SOON_S
