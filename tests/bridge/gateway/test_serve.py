"""The service from its start to its end: what one stop signal does, and what two do."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bridge.config import Config, ServerConfig, SpeechConfig
from bridge.gateway import serve as module
from bridge.gateway import signals as signals_module
from bridge.gateway.serve import Ready, serve
from bridge.gateway.server import CallServer, call_server

SPEECH = SpeechConfig(voice="tone", ear="off", vad="energy")


def config(tmp_path: Path) -> Config:
    server = ServerConfig(port=0, recordings=tmp_path / "recordings")
    return Config(server=server, speech=SPEECH)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("times", [1, 2, 5])
def test_stop_signals_end_the_service_in_order_however_many_there_are(
    tmp_path: Path, number: signal.Signals, times: int
) -> None:
    told: list[Ready] = []

    def on_ready(ready: Ready) -> None:
        told.append(ready)
        for _ in range(times):
            signal.raise_signal(number)

    before = signal.getsignal(number)
    serve(config(tmp_path), on_ready)

    assert signal.getsignal(number) == before
    [ready] = told
    assert (tmp_path / "recordings").is_dir()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{ready.url}/healthz", trust_env=False)


def test_a_second_signal_leaves_what_is_being_finished_a_moment_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    took_s: list[float] = []

    @asynccontextmanager
    async def slow(*args: object, **options: object) -> AsyncIterator[CallServer]:
        async with call_server(*args, **options) as server:  # type: ignore[arg-type]
            yield server
            started_s = time.monotonic()
            try:
                await asyncio.sleep(60)
            finally:
                took_s.append(time.monotonic() - started_s)

    monkeypatch.setattr(module, "call_server", slow)
    monkeypatch.setattr(signals_module, "HURRY_S", 0.05)

    def on_ready(_: Ready) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        serve(config(tmp_path), on_ready)

    assert 0.04 < took_s[0] < 30
