"""Places for calls: in process on the virtual clock, on loopback sockets, and what they refuse."""

import asyncio
from pathlib import Path

import pytest

from bridge.batch.world import embedded_agent, embedded_world
from bridge.brains.registry import Brains
from bridge.brains.speech.kit import SpeechKit
from bridge.client import CallApi
from bridge.errors import JoinRefused, UsageError
from bridge.virtual import run_virtual

BODY = {"model": "tipring/echo", "medium": {"serverWebSocket": {"inputSampleRate": 8_000}}}


def brains() -> Brains:
    return Brains(SpeechKit.load(voice="tone", ear="off", vad="energy"))


class Listener:
    """Counts what comes."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.closed: asyncio.Event = asyncio.Event()

    def on_text(self, text: str) -> None:
        self.texts.append(text)

    def on_bytes(self, data: bytes) -> None:
        """Not looked at."""

    def on_close(self, code: int, reason: str, *, ours: bool = False) -> None:
        self.closed.set()


async def join(api: CallApi) -> Listener:
    created = await api.create(BODY)
    socket = await api.join(str(created["joinUrl"]))
    listener = Listener()
    socket.start(listener)
    await asyncio.sleep(0.2)
    socket.close()
    await listener.closed.wait()
    return listener


def test_virtual_world_serves_a_call_without_a_socket() -> None:
    async def call() -> Listener:
        async with embedded_world(brains(), virtual=True, seed="s") as api:
            return await join(api)

    listener = run_virtual(call())

    assert "call_started" in listener.texts[0]


async def test_real_world_serves_a_call_over_loopback() -> None:
    async with embedded_world(brains(), virtual=False, seed="s") as api:
        listener = await join(api)

    assert "call_started" in listener.texts[0]


def test_same_seed_makes_the_same_ids() -> None:
    async def create(seed: str) -> object:
        async with embedded_world(brains(), virtual=True, seed=seed) as api:
            return (await api.create(BODY))["joinUrl"]

    assert run_virtual(create("a")) == run_virtual(create("a"))
    assert run_virtual(create("a")) != run_virtual(create("b"))


@pytest.mark.parametrize("virtual", [True, False])
def test_second_join_is_refused_in_one_sentence(virtual: bool) -> None:
    async def call() -> None:
        async with embedded_world(brains(), virtual=virtual, seed="s") as api:
            created = await api.create(BODY)
            socket = await api.join(str(created["joinUrl"]))
            socket.start(Listener())
            with pytest.raises(JoinRefused, match=r"409|joined"):
                await api.join(str(created["joinUrl"]))

    run_virtual(call()) if virtual else asyncio.run(call())


def test_address_that_is_no_join_url_is_refused() -> None:
    async def call() -> None:
        async with embedded_world(brains(), virtual=True, seed="s") as api:
            with pytest.raises(JoinRefused, match="nothing to join"):
                await api.join("ws://tipring.local/elsewhere")

    run_virtual(call())


async def test_a_proxy_of_the_environment_is_no_way_to_the_embedded_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async with embedded_world(brains(), virtual=False, seed="s") as api:
        assert (await api.create(BODY))["callId"]


def test_a_script_file_is_the_agent_of_its_own_name(tmp_path: Path) -> None:
    script = tmp_path / "My Shop.toml"
    script.write_text('[[steps]]\nsay = "Hello."\n')
    known = brains()

    model, loaded = embedded_agent(known, agent=None, model=None, script=script)

    assert model == "tipring/script:my-shop"
    assert model in known.names()
    assert loaded is not None


def test_an_agent_that_is_not_shipped_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="receptionist"):
        embedded_agent(brains(), agent="receptionis", model=None, script=None)


def test_a_model_without_a_script_brings_none() -> None:
    asked = embedded_agent(brains(), agent=None, model="tipring/echo", script=None)

    assert asked == ("tipring/echo", None)
