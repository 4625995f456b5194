"""The description against what the server really answers."""

from typing import Any

import httpx
import pytest

from tests.fakes.calls import FakeCalls, app_over, made

DOCUMENT: dict[str, Any] = app_over(FakeCalls()).openapi()
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


async def test_the_document_is_served_as_it_is_and_written_once() -> None:
    app = app_over(FakeCalls())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        first = await http.get("/openapi.json")
        assert first.json() == DOCUMENT
        app.openapi_schema = {"another": "document"}
        assert (await http.get("/openapi.json")).content == first.content


def test_all_addresses_are_described() -> None:
    part = "/api/calls/{call_id}"
    stage = f"{part}/stages/{{call_stage_id}}"

    assert set(OPERATIONS) == {
        ("POST", "/api/calls"),
        ("GET", "/api/calls"),
        ("GET", part),
        ("DELETE", part),
        ("POST", f"{part}/send_data_message"),
        ("GET", f"{part}/messages"),
        ("GET", f"{part}/events"),
        ("GET", f"{part}/recording"),
        ("GET", f"{part}/stages"),
        ("GET", f"{part}/tools"),
        ("GET", stage),
        ("GET", f"{stage}/messages"),
        ("GET", f"{stage}/tools"),
        ("GET", "/api/models"),
        ("GET", "/healthz"),
    }


def test_every_reference_leads_somewhere() -> None:
    prefix = "#/components/schemas/"

    for reference in references(DOCUMENT):
        assert reference.removeprefix(prefix) in DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize("key", OPERATIONS, ids=" ".join)
def test_every_operation_says_405_and_under_the_api_401(key: tuple[str, str]) -> None:
    operation = OPERATIONS[key]

    assert "405" in operation["responses"]
    if key[1].startswith("/api"):
        assert "401" in operation["responses"]
        assert operation["security"] == [{"apiKeyAuth": []}, {"unsafeApiKeyAuth": []}]


@pytest.mark.parametrize("key", OPERATIONS, ids=" ".join)
def test_422_is_said_only_where_it_is_answered(key: tuple[str, str]) -> None:
    assert ("422" in OPERATIONS[key]["responses"]) is key[1].endswith("/send_data_message")


@pytest.mark.parametrize("key", OPERATIONS, ids=" ".join)
def test_whoever_takes_parameters_or_a_body_says_400(key: tuple[str, str]) -> None:
    operation = OPERATIONS[key]
    queries = [each for each in operation.get("parameters", ()) if each["in"] == "query"]

    assert ("400" in operation["responses"]) is bool(queries or "requestBody" in operation)


def test_bodies_say_what_can_become_of_them() -> None:
    create = OPERATIONS["POST", "/api/calls"]
    send = OPERATIONS["POST", "/api/calls/{call_id}/send_data_message"]

    refusals = {"400", "401", "405", "413", "415", "429", "502", "503"}
    assert set(create["responses"]) == {"201", *refusals}
    assert set(send["responses"]) == {"204", "400", "401", "404", "405", "413", "415", "422"}
    body = create["requestBody"]["content"]["application/json"]["schema"]
    assert body == {"$ref": "#/components/schemas/StartCallRequest"}


def test_deleting_and_recordings_say_their_statuses() -> None:
    part = "/api/calls/{call_id}"

    assert set(OPERATIONS["DELETE", part]["responses"]) == {"204", "401", "404", "405", "425"}
    recording = OPERATIONS["GET", f"{part}/recording"]["responses"]
    assert set(recording) == {"200", "401", "404", "405", "425"}
    assert "audio/wav" in recording["200"]["content"]


def test_the_frameworks_own_error_bodies_are_gone() -> None:
    assert "HTTPValidationError" not in DOCUMENT["components"]["schemas"]
    assert "ValidationError" not in DOCUMENT["components"]["schemas"]


@pytest.mark.parametrize(
    ("path", "name"),
    [("", "Call"), ("/stages", "PaginatedCallStageList"), ("/messages", "PaginatedMessageList")],
)
async def test_answers_hold_all_that_their_description_requires_and_nothing_else(
    client: httpx.AsyncClient, path: str, name: str
) -> None:
    call_id = await made(client)
    schema = DOCUMENT["components"]["schemas"][name]

    body = (await client.get(f"/api/calls/{call_id}{path}")).json()

    assert set(schema["required"]) <= set(body) <= set(schema["properties"])
