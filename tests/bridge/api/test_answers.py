import httpx
import pytest

from bridge.calls.records import CallRecord
from bridge.errors import UsageError
from tests.fakes.calls import BASE, KEY, FakeCalls, app_over, rest


async def test_an_address_that_is_none_is_404_in_the_same_form(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api", "/api/calls/", "/api/agents", "/docs"):
        response = await client.get(path)
        assert (response.status_code, response.json()) == (404, {"detail": "Not Found."})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/api/calls"),
        ("PATCH", "/api/calls/x"),
        ("POST", "/api/models"),
        ("POST", "/healthz"),
    ],
)
async def test_another_method_is_405_with_those_allowed(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    response = await client.request(method, path)

    assert (response.status_code, response.json()) == (405, {"detail": "Method Not Allowed."})
    assert response.headers["allow"]


class Broken(FakeCalls):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    async def get(self, call_id: str) -> CallRecord:
        raise self.error


async def test_wrong_usage_found_by_the_service_is_400() -> None:
    async with rest(Broken(UsageError("no such script"))) as client:
        response = await client.get("/api/calls/x")

    assert (response.status_code, response.json()) == (400, {"detail": "No such script."})


async def test_a_bug_is_500_and_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    app = app_over(Broken(RuntimeError("canary")))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url=BASE, headers={"X-API-Key": KEY}
    ) as client:
        response = await client.get("/api/calls/x")

    assert response.status_code == 500
    assert response.json() == {"detail": "The server failed on this request."}
    assert "RuntimeError" in caplog.text
    assert "canary" not in caplog.text
