from datetime import timedelta

import httpx
import pytest

from tests.fakes.calls import EPOCH, FakeCalls, made


async def found(client: httpx.AsyncClient, **params: str) -> list[str]:
    response = await client.get("/api/calls", params=params)
    assert response.status_code == 200, response.text
    return [each["callId"] for each in response.json()["results"]]


@pytest.fixture
async def three(client: httpx.AsyncClient, calls: FakeCalls) -> list[str]:
    """Made on 1, 2 and 3 January at 10:00; the first was never joined, the second took 61 s."""
    made_ids = [
        await made(client, metadata={"case": "one"}, systemPrompt="Sell apples"),
        await made(client, metadata={"case": "two"}, voice="Mark"),
        await made(client, metadata={"case": "two", "side": "b"}),
    ]
    for day, call_id in enumerate(made_ids):
        (await calls.get(call_id)).created = EPOCH + timedelta(days=day, hours=10)
    (await calls.get(made_ids[0])).end("unjoined", EPOCH)
    second = await calls.get(made_ids[1])
    second.joined = second.created
    second.end("hangup", second.created + timedelta(seconds=61))
    return made_ids


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, [2, 1, 0]),
        ({"sort": "-created"}, [2, 1, 0]),
        ({"sort": "created"}, [0, 1, 2]),
        ({"fromDate": "2026-01-02"}, [2, 1]),
        ({"toDate": "2026-01-02"}, [1, 0]),
        ({"fromDate": "2026-01-02T10:00:00Z", "toDate": "2026-01-02T10:00:00Z"}, [1]),
        ({"fromDate": "2026-01-02T11:00:00.5+01:00"}, [2]),
        ({"fromDate": "2026-01-02T11:00:00+01:00"}, [2, 1]),
        ({"fromDate": "2026-01-02T10:00:01"}, [2]),
        ({"timeOfDayStart": "10:00:00"}, [2, 1, 0]),
        ({"timeOfDayStart": "10:00:01"}, []),
        ({"timeOfDayEnd": "09:59:59.999999"}, []),
        ({"durationMin": "61s"}, [1]),
        ({"durationMin": "61.1s"}, []),
        ({"durationMax": "61s"}, [1, 0]),
        ({"durationMax": "60s"}, [0]),
        ({"metadata.case": "two"}, [2, 1]),
        ({"metadata.case": "two", "metadata.side": "b"}, [2]),
        ({"metadata.other": "x"}, []),
        ({"search": "APPLES"}, [0]),
        ({"search": "two"}, [2, 1]),
        ({"search": "nobody"}, []),
        ({"voiceId": "Mark"}, [1]),
        ({"agentIds": "00000000-0000-0000-0000-000000000001"}, []),
        ({"unknown": "x"}, [2, 1, 0]),
    ],
)
async def test_calls_are_chosen(
    client: httpx.AsyncClient, three: list[str], params: dict[str, str], expected: list[int]
) -> None:
    assert await found(client, **params) == [three[at] for at in expected]


async def test_a_plus_that_was_not_escaped_is_understood(
    client: httpx.AsyncClient, three: list[str]
) -> None:
    response = await client.get("/api/calls?fromDate=2026-01-02T11:00:00.5+01:00")

    assert [each["callId"] for each in response.json()["results"]] == [three[2]]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fromDate", "yesterday"),
        ("fromDate", ""),
        ("fromDate", "2026-02-30"),
        ("fromDate", "0001-01-01T00:00:00+14:00"),
        ("toDate", "9999-12-31T23:59:59-14:00"),
        ("toDate", "2026-01-01T25:00:00Z"),
        ("timeOfDayStart", "noon"),
        ("timeOfDayEnd", "10:00:00Z"),
        ("durationMin", "61"),
        ("durationMax", "1m"),
        ("search", ""),
        ("sort", "ended"),
    ],
)
async def test_a_filter_that_is_none_is_400_at_its_name(
    client: httpx.AsyncClient, name: str, value: str
) -> None:
    response = await client.get("/api/calls", params={name: value})

    assert response.status_code == 400
    assert set(response.json()) == {name}
