"""The guard in front of the application, without a socket."""

from typing import Any

import pytest

from bridge.gateway.host_guard import HostGuard
from bridge.gateway.host_policy import HostPolicy
from bridge.virtual import run_virtual

HOST = (b"host", b"localhost")


async def _ask(scope: dict[str, Any]) -> list[Any]:
    """What the client gets; "app" stands for the application's own answer."""
    got: list[Any] = []

    async def app(_scope: object, _receive: object, _send: object) -> None:
        got.append("app")

    async def send(message: Any) -> None:
        got.append(message.get("status") or message["body"])

    async def receive() -> Any:
        raise AssertionError("the guard reads no body")

    await HostGuard(app, HostPolicy(loopback_only=True))(scope, receive, send)
    return got


def _http(*headers: tuple[bytes, bytes], path: str = "/", scheme: str = "http") -> dict[str, Any]:
    return {"type": "http", "path": path, "scheme": scheme, "headers": list(headers)}


@pytest.mark.parametrize(
    "scope",
    [
        _http(HOST),
        _http(HOST, (b"origin", b"http://localhost")),
        _http(HOST, (b"origin", b"https://localhost"), scheme="https"),
        _http(HOST, path="*"),
        {"type": "lifespan"},
    ],
)
def test_what_is_allowed_reaches_the_application(scope: dict[str, Any]) -> None:
    assert run_virtual(_ask(scope)) == ["app"]


@pytest.mark.parametrize(
    ("scope", "status"),
    [
        (_http(), 403),
        (_http((b"host", b"evil.example")), 403),
        (_http(HOST, HOST), 403),
        (_http(HOST, (b"origin", b"http://evil.example")), 403),
        (_http(HOST, (b"origin", b"https://localhost")), 403),
        (_http(HOST, path="http://localhost/"), 400),
        (_http(HOST, (b"content-length", b"1"), (b"transfer-encoding", b"chunked")), 400),
        (_http(HOST, (b"content-length", b"1"), (b"content-length", b"1")), 400),
    ],
)
def test_what_is_not_allowed_gets_a_status_and_a_detail(scope: dict[str, Any], status: int) -> None:
    got_status, body = run_virtual(_ask(scope))

    assert got_status == status
    assert body.startswith(b'{"detail": "')
