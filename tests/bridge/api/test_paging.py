import base64
import json

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.calls import BASE, FakeCalls, made


async def ids(client: httpx.AsyncClient, address: str) -> tuple[list[str], dict[str, object]]:
    response = await client.get(address)
    assert response.status_code == 200, response.text
    body = response.json()
    return [each["callId"] for each in body["results"]], body


async def test_next_leads_through_all_and_previous_back(client: httpx.AsyncClient) -> None:
    newest_first = [await made(client) for _ in range(7)][::-1]

    first, body = await ids(client, "/api/calls?pageSize=3")
    second, middle = await ids(client, str(body["next"]))
    third, last = await ids(client, str(middle["next"]))
    back, _ = await ids(client, str(last["previous"]))

    assert first + second + third == newest_first
    assert back == second
    assert (body["previous"], last["next"]) == (None, None)
    assert {body["total"], middle["total"], last["total"]} == {7}


async def test_addresses_are_absolute_and_keep_the_filters(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await made(client, metadata={"case": "a b&c"})

    _, body = await ids(client, "/api/calls?metadata.case=a+b%26c&pageSize=2&sort=created")

    assert str(body["next"]).startswith(f"{BASE}/api/calls?metadata.case=a+b%26c&pageSize=2&sort=")
    rest, _ = await ids(client, str(body["next"]))
    assert len(rest) == 1


async def test_a_call_made_while_paging_moves_no_other(client: httpx.AsyncClient) -> None:
    newest_first = [await made(client) for _ in range(4)][::-1]

    first, body = await ids(client, "/api/calls?pageSize=2")
    await made(client)
    second, _ = await ids(client, str(body["next"]))

    assert first + second == newest_first


@pytest.mark.parametrize(("asked", "shown"), [("", 10), ("?pageSize=1", 1), ("?pageSize=100", 100)])
async def test_a_page_has_ten_items_unless_asked_otherwise(
    client: httpx.AsyncClient, calls: FakeCalls, asked: str, shown: int
) -> None:
    calls.names = [f"model-{at}" for at in range(200)]

    response = await client.get(f"/api/models{asked}")

    assert len(response.json()["results"]) == shown


async def test_more_than_a_hundred_is_a_hundred(
    client: httpx.AsyncClient, calls: FakeCalls
) -> None:
    calls.names = [f"model-{at}" for at in range(200)]

    for size in ("101", "9" * 30):
        response = await client.get(f"/api/models?pageSize={size}")
        assert len(response.json()["results"]) == 100


@pytest.mark.parametrize("size", ["0", "-1", "ten", "", "1.5", "9" * 5000])
async def test_a_size_that_is_none_is_400(client: httpx.AsyncClient, size: str) -> None:
    response = await client.get(f"/api/calls?pageSize={size}")

    assert response.status_code == 400
    assert set(response.json()) == {"pageSize"}


def forged(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "====",
        "é",
        forged(),
        forged("name", "a", 1, ""),
        forged("name", "c", 1, ""),
        forged("x" * 300, "a", 1, ""),
        base64.b64encode(b"[" * 150).decode(),
    ],
)
async def test_a_cursor_made_by_hand_is_400(client: httpx.AsyncClient, cursor: str) -> None:
    response = await client.get("/api/calls", params={"cursor": cursor})

    assert response.status_code == 400
    assert set(response.json()) == {"cursor"}


async def test_a_cursor_of_another_list_or_filter_is_400(client: httpx.AsyncClient) -> None:
    for _ in range(3):
        await made(client)
    _, body = await ids(client, "/api/calls?pageSize=2")
    cursor = httpx.URL(str(body["next"])).params["cursor"]

    for path in ("/api/models", "/api/calls?sort=created", "/api/calls?search=x"):
        response = await client.get(httpx.URL(path).copy_add_param("cursor", cursor))
        assert response.status_code == 400
    assert (await client.get(f"/api/calls?pageSize=1&cursor={cursor}")).status_code == 200


@pytest.mark.parametrize("host", ["[", "a b", "x:y:z", "[::1]:8080", ""])
async def test_no_host_header_breaks_a_page(client: httpx.AsyncClient, host: str) -> None:
    response = await client.get("/api/models?pageSize=1", headers={"host": host})

    assert response.status_code == 200
    assert response.json()["next"].startswith("http://")


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cursor=st.text(max_size=60), name=st.text(max_size=10), number=st.integers())
async def test_no_cursor_makes_the_server_fail(
    client: httpx.AsyncClient, cursor: str, name: str, number: int
) -> None:
    for each in (cursor, forged(name, "a", number, name)):
        response = await client.get("/api/calls", params={"cursor": each})
        assert response.status_code == 400
