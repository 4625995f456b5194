from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx
import pytest

from bridge.wire.strict_json import BODY, MESSAGE
from tests.fakes.calls import EPOCH, MEDIUM, FakeCalls, app_over, made

MAX_BODY_BYTES = BODY.max_bytes


async def post(client: httpx.AsyncClient, body: bytes, **headers: str) -> httpx.Response:
    return await client.post("/api/calls", content=body, headers=headers)


def padded(n_bytes: int) -> bytes:
    frame = b'{"systemPrompt":"","medium":{"serverWebSocket":{"inputSampleRate":8000}}}'
    return frame.replace(b'""', b'"' + b"x" * (n_bytes - len(frame)) + b'"')


async def test_a_body_of_exactly_the_cap_is_taken(client: httpx.AsyncClient) -> None:
    response = await post(client, padded(MAX_BODY_BYTES))

    assert response.status_code == 201


async def test_a_byte_more_is_413(client: httpx.AsyncClient) -> None:
    response = await post(client, padded(MAX_BODY_BYTES + 1))

    assert response.status_code == 413
    assert response.json() == {"detail": "The body is longer than 1048576 bytes."}


async def test_the_cap_counts_received_bytes_and_reads_no_further(
    client: httpx.AsyncClient,
) -> None:
    n_sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal n_sent
        while True:
            n_sent += 65_536
            yield b" " * 65_536

    response = await client.post("/api/calls", content=endless())

    assert response.status_code == 413
    assert n_sent <= MAX_BODY_BYTES + 2 * 65_536


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "json",
    ],
)
async def test_another_type_than_json_is_415(client: httpx.AsyncClient, content_type: str) -> None:
    response = await post(client, b"{}", **{"content-type": content_type})

    assert response.status_code == 415
    assert response.json() == {"detail": "Send the body as application/json in UTF-8."}


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"'],
)
async def test_json_is_taken_however_its_type_is_written(
    client: httpx.AsyncClient, content_type: str
) -> None:
    response = await post(client, padded(200), **{"content-type": content_type})

    assert response.status_code == 201


async def test_a_body_without_a_type_is_read_as_json(client: httpx.AsyncClient) -> None:
    response = await post(client, padded(200))

    assert response.status_code == 201


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"temperature": NaN}',
        b'{"temperature": 1e999}',
        b'{"model": "a", "model": "b"}',
        b"[" * 100 + b"]" * 100,
        b'{"initialState": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}",
        b'{"model": "\xff"}',
        b'{"model": "\\ud800"}',
        b'{"model": "\\u0000"}',
        b"[" + b"1," * 20_000 + b"1]",
        b'{"temperature": ' + b"1" * 400 + b"}",
    ],
)
async def test_what_is_no_json_within_limits_is_400_with_one_sentence(
    client: httpx.AsyncClient, body: bytes
) -> None:
    response = await post(client, body)

    assert response.status_code == 400
    assert set(response.json()) == {"detail"}


@pytest.mark.parametrize("body", [b"[]", b"1", b'"text"', b"null", b"true"])
async def test_a_body_that_is_no_object_is_400(client: httpx.AsyncClient, body: bytes) -> None:
    response = await post(client, body)

    assert response.status_code == 400
    assert response.json() == {"non_field_errors": ["A JSON object is needed here."]}


async def test_no_body_is_an_empty_object(client: httpx.AsyncClient) -> None:
    response = await post(client, b"")

    assert response.status_code == 201
    assert response.json()["medium"] == {"webRtc": {}}


async def test_unknown_fields_pass_and_are_not_shown(client: httpx.AsyncClient) -> None:
    body = {"medium": MEDIUM, "colour": "red", "vadSettings": {"mood": 1}}
    response = await client.post("/api/calls", json=body)

    assert response.status_code == 201
    assert "colour" not in response.text
    assert "mood" not in response.text


@pytest.mark.parametrize(("n_over", "status"), [(0, 204), (1, 413)])
async def test_a_data_message_may_be_as_long_as_on_a_socket(
    client: httpx.AsyncClient, calls: FakeCalls, n_over: int, status: int
) -> None:
    call_id = await made(client)
    (await calls.get(call_id)).joined = EPOCH
    frame = b'{"type":"hang_up","message":""}'
    n_text = MESSAGE.max_bytes - len(frame) + n_over
    body = frame.replace(b'""', b'"' + b"x" * n_text + b'"')

    response = await client.post(f"/api/calls/{call_id}/send_data_message", content=body)

    assert response.status_code == status


async def test_a_client_that_leaves_in_mid_body_breaks_nothing() -> None:
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": "/api/calls",
        "query_string": b"",
        "headers": [],
    }
    given = iter([{"type": "http.request", "body": b"{", "more_body": True}])
    statuses = []

    async def receive() -> dict[str, object]:
        return next(given, {"type": "http.disconnect"})

    async def send(message: MutableMapping[str, Any]) -> None:
        statuses.append(message.get("status"))

    await app_over(FakeCalls(), keys=())(scope, receive, send)

    assert statuses[0] == 400
