"""The service from its start to its end: what one stop signal does, and what two do."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from bridge.config import Config, ServerConfig, SpeechConfig
from bridge.errors import ConfigError
from bridge.gateway import serve as module
from bridge.gateway import signals as signals_module
from bridge.gateway.serve import Ready, serve
from bridge.gateway.server import CallServer, call_server
from bridge.phone_config import RouteConfig
from bridge.testing.caller import CallerPlan
from bridge.virtual import run_virtual
from tests.fakes.certificates import common_name, trust_anything, write_certificate
from tests.fakes.phone_world import phone_world
from tests.fakes.served import CALL

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


def _name_shown(port: int) -> str:
    """The name in the certificate that a new connection is shown."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        trust_anything().wrap_socket(plain) as shaken,
    ):
        der = shaken.getpeercert(binary_form=True)
    assert der is not None
    return common_name(der)


def test_a_hang_up_signal_takes_a_new_certificate_into_use_and_nothing_else(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    write_certificate(cert, key, name="first")
    shown: list[str] = []

    def renew(port: int) -> None:
        shown.append(_name_shown(port))
        write_certificate(cert, key, name="second")
        signal.raise_signal(signal.SIGHUP)
        until_s = time.monotonic() + 5
        while shown[-1] != "second" and time.monotonic() < until_s:
            shown.append(_name_shown(port))
        signal.raise_signal(signal.SIGTERM)

    def on_ready(ready: Ready) -> None:
        assert ready.url.startswith("https://127.0.0.1:")
        port = int(ready.url.rpartition(":")[2])
        client.append(threading.Thread(target=renew, args=(port,), name="client"))
        client[0].start()

    client: list[threading.Thread] = []
    server = ServerConfig(port=0, recordings=None, tls_cert=cert, tls_key=key)
    serve(Config(server=server, speech=SPEECH), on_ready)
    client[0].join()

    assert shown[0] == "first"
    assert shown[-1] == "second"


def test_a_hang_up_signal_without_a_certificate_changes_nothing(tmp_path: Path) -> None:
    def on_ready(_: Ready) -> None:
        signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)

    serve(config(tmp_path), on_ready)


def test_a_certificate_that_cannot_be_used_is_said_before_anything_listens(tmp_path: Path) -> None:
    server = ServerConfig(
        port=0, recordings=None, tls_cert=tmp_path / "no", tls_key=tmp_path / "no"
    )

    with pytest.raises(ConfigError, match="cannot be read"):
        serve(Config(server=server, speech=SPEECH), lambda _: None)


def test_a_route_to_a_model_that_nobody_has_is_said_before_anything_listens(tmp_path: Path) -> None:
    server = ServerConfig(port=0, recordings=None)
    routes = (RouteConfig(call={"model": "tipring/ecko"}),)

    with pytest.raises(ConfigError, match=r"routes\.0\.call\.model: .*did you mean 'tipring/echo'"):
        serve(Config(server=server, speech=SPEECH, routes=routes), lambda _: None)


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


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({}, ["No API key"]),
        ({"server": {"api_keys": ["a-long-key"]}}, []),
        ({"server": {"public_url": "https://b.example"}}, ["No API key", "Nobody else"]),
        ({"phone": {"insecure": True}}, ["No API key", "ANYBODY"]),
        ({"audiosocket": {"any_uuid": True}}, ["No API key"]),
        ({"audiosocket": {"any_uuid": True, "host": "10.0.0.1"}}, ["No API key", "any UUID"]),
    ],
)
def test_what_is_open_or_shut_is_said_at_the_start(
    tables: dict[str, object], words: list[str]
) -> None:
    notes = module._notes(Config.model_validate(tables))

    assert len(notes) == len(words)
    assert all(word in note for word, note in zip(words, notes, strict=True))


def test_a_phone_call_and_its_ai_side_are_one_call() -> None:
    async def main() -> None:
        async with phone_world() as world:
            service = world.server.service
            parts = (world.desk, module._Served(service, world.desk))
            http = world.http()
            created = await http.post("/api/calls", json={"medium": CALL["medium"]})
            assert created.status_code == 201, created.text
            call = world.ring(CallerPlan(hang_up_at_s=2.0))
            running = asyncio.ensure_future(call.run())
            await asyncio.sleep(1.0)

            assert len(service.open_ids) == 2
            assert [part.n_live for part in parts] == [1, 1]
            await running
            await world.settled()
            assert [part.n_live for part in parts] == [0, 1]

    run_virtual(main())
