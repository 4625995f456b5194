import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from pydantic import SecretStr

from bridge.api.auth import KeyRing
from bridge.errors import ConfigError
from tests.fakes.calls import BASE, KEY, FakeCalls, app_over

OTHER = "second.key"
PATHS = ["/api/calls", "/api/models", "/api/calls/none", "/api/calls/none/recording"]


@asynccontextmanager
async def client_with(
    headers: dict[str, str | bytes], keys: tuple[str, ...]
) -> AsyncIterator[httpx.AsyncClient]:
    # Off the loop: building an application computes for longer than a loop may be held up.
    app = await asyncio.to_thread(app_over, FakeCalls(), keys=keys)
    encoded = [
        (name.encode(), value.encode() if isinstance(value, str) else value)
        for name, value in headers.items()
    ]
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE, headers=encoded) as client:
        yield client


@pytest.mark.parametrize("name", ["X-API-Key", "x-api-key", "X-Unsafe-API-Key"])
@pytest.mark.parametrize("key", [KEY, OTHER])
async def test_each_key_opens_the_api_in_each_header(name: str, key: str) -> None:
    async with client_with({name: key}, (KEY, OTHER)) as client:
        response = await client.get("/api/models")

    assert response.status_code == 200


@pytest.mark.parametrize("path", PATHS)
async def test_missing_and_wrong_keys_get_the_same_401(path: str) -> None:
    answers = []
    wrong: list[dict[str, str | bytes]] = [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": KEY[:-1]},
        {"X-API-Key": KEY + "0"},
        {"X-API-Key": KEY.upper()},
        {"X-API-Key": b"\xff\x00\xfe"},
        {"X-Unsafe-API-Key": "no"},
        {"Authorization": f"Bearer {KEY}"},
    ]
    for headers in wrong:
        async with client_with(headers, (KEY,)) as client:
            answers.append(await client.get(f"{path}?api_key={KEY}"))

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json() == {"detail": "A valid API key is needed in the X-API-Key header."}


async def test_without_keys_everybody_is_let_in() -> None:
    async with client_with({}, ()) as client:
        response = await client.get("/api/models")

    assert response.status_code == 200


async def test_health_needs_no_key() -> None:
    async with client_with({}, (KEY,)) as client:
        response = await client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_a_key_outside_of_ascii_is_compared_as_its_utf_8_bytes() -> None:
    async with client_with({"X-API-Key": "schlüssel"}, ("schlüssel",)) as client:
        response = await client.get("/api/models")

    assert response.status_code == 200


def test_an_empty_key_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="empty"):
        KeyRing([SecretStr("")])


async def test_keys_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with client_with({"X-API-Key": "wrong-key-here"}, (KEY,)) as client:
        await client.get("/api/models")

    assert "wrong-key-here" not in caplog.text
    assert KEY not in caplog.text
