import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from pydantic import SecretStr

from bridge.brains.registry import Brains
from bridge.brains.speech.kit import SpeechKit
from bridge.calls.recording import recording_path
from bridge.calls.records import CallRecord
from bridge.calls.settings import CallSettings
from bridge.clock import wall_clock
from bridge.gateway.join_route import claim, parse_target
from bridge.gateway.server import CallServer, _remove_recording, call_server
from bridge.legs.memory_socket import memory_pair
from bridge.virtual import run_virtual
from tests.fakes.call_world import Client

BODY = {
    "model": "tipring/tone",
    "medium": {"serverWebSocket": {"inputSampleRate": 8_000}},
    "recordingEnabled": True,
}


@asynccontextmanager
async def served(
    recordings: Path | None = None, **options: object
) -> AsyncIterator[tuple[CallServer, httpx.AsyncClient]]:
    """A call server in process, and a client of its REST API."""
    kit = SpeechKit.load(voice="tone", ear="off", vad="energy")
    await asyncio.sleep(0)  # to make the application takes 25 ms: a step of its own
    async with (
        call_server(Brains(kit), recordings=recordings, **options) as server,  # type: ignore[arg-type]
        httpx.AsyncClient(
            transport=httpx.ASGITransport(server.app), base_url="http://host:81"
        ) as http,
    ):
        await asyncio.sleep(0)
        yield server, http
    await kit.close()


async def created(http: httpx.AsyncClient) -> dict[str, str]:
    response = await http.post("/api/calls", json=BODY)
    assert response.status_code == 201, response.text
    answer: dict[str, str] = response.json()
    return answer


async def joined(server: CallServer, url: str) -> Client:
    target = parse_target(url)
    assert target is not None
    joining = await claim(server.service, target)
    ours, theirs = memory_pair(asyncio.get_running_loop())
    client = Client(ours, asyncio.get_running_loop().time)
    ours.start(client)
    joining.take(theirs)
    return client


def test_a_call_made_by_rest_can_be_joined_and_looked_at_and_ends_with_the_server(
    tmp_path: Path,
) -> None:
    async def call() -> None:
        async with served(tmp_path, seed="s") as (server, http):
            made = await created(http)
            client = await joined(server, made["joinUrl"])
            await client.quiet(2)
            messages = (await http.get(f"/api/calls/{made['callId']}/messages")).json()
            assert messages["results"][0]["text"] == "Tone ready."
        assert client.closed == (1001, "the server stops")
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run_virtual(call())
    assert len(list(tmp_path.iterdir())) == 1


def test_the_same_seed_gives_the_same_calls() -> None:
    async def ids(seed: str) -> tuple[str, str]:
        async with served(seed=seed) as (_, http):
            made = await created(http)
            return made["joinUrl"], made["created"]

    one, same, other = (run_virtual(ids(seed)) for seed in ("a", "a", "b"))
    assert one == same
    assert one[0] != other[0]


def test_join_urls_lead_where_the_request_came_to_or_to_the_public_address() -> None:
    async def call() -> None:
        async with served(seed="s") as (_, http):
            assert (await created(http))["joinUrl"].startswith("ws://host:81/calls/")
        async with served(seed="s", public_url="wss://calls.test") as (_, http):
            assert (await created(http))["joinUrl"].startswith("wss://calls.test/calls/")

    run_virtual(call())


def test_with_keys_only_who_has_one_is_served() -> None:
    async def call() -> None:
        async with served(seed="s", api_keys=[SecretStr("a-long-key")]) as (_, http):
            assert (await http.post("/api/calls", json=BODY)).status_code == 401
            headers = {"X-API-Key": "a-long-key"}
            answer = await http.post("/api/calls", json=BODY, headers=headers)
            assert answer.status_code == 201

    run_virtual(call())


def test_recording_of_a_forgotten_call_is_removed_with_it(tmp_path: Path) -> None:
    async def forget() -> None:
        settings = CallSettings(recording_enabled=True)
        record = CallRecord("one", settings, wall_clock(), "token")
        _remove_recording(asyncio.get_running_loop(), tmp_path, record)
        await asyncio.sleep(0)

    for name in ("one", "other"):
        recording_path(tmp_path, name).touch()

    run_virtual(forget())

    assert [path.stem for path in tmp_path.iterdir()] == ["other"]
