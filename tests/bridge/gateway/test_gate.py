import httpx
import pytest
from fastapi import FastAPI

from bridge.gateway.gate import Gate


@pytest.mark.parametrize(
    ("method", "path", "asked"),
    [
        ("POST", "/api/calls", True),
        ("POST", "/api/calls/", True),
        ("POST", "/api/agents/0123/calls", True),
        ("GET", "/api/calls", False),
        ("POST", "/api/calls/0123/send_data_message", False),
        ("DELETE", "/api/calls/0123", False),
        ("POST", "/carriers/twilio/answer", False),
        ("POST", "/healthz", False),
    ],
)
@pytest.mark.parametrize("why", [None, "No."])
async def test_only_what_makes_a_call_is_refused_and_told_when_to_come_again(
    method: str, path: str, asked: bool, why: str | None
) -> None:
    n_asked = 0

    def may_take() -> str | None:
        nonlocal n_asked
        n_asked += 1
        return why

    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST", "DELETE"])
    async def anything() -> str:
        return "reached"

    gate = httpx.ASGITransport(Gate(app, may_take))
    async with httpx.AsyncClient(transport=gate, base_url="http://host") as http:
        response = await http.request(method, path)

    assert n_asked == (1 if asked else 0)
    if asked and why:
        assert (response.status_code, response.json()) == (503, {"detail": "No."})
        assert response.headers["retry-after"] == "5"
    else:
        assert response.json() == "reached"


async def test_what_is_no_request_passes() -> None:
    seen: list[str] = []

    async def app(scope: object, _receive: object, _send: object) -> None:
        assert isinstance(scope, dict)
        seen.append(scope["type"])

    await Gate(app, lambda: "No.")({"type": "lifespan"}, _never, _never)  # type: ignore[arg-type]

    assert seen == ["lifespan"]


async def _never(*_: object) -> None:
    raise AssertionError
