import pytest

from bridge.gateway.public_url import PublicUrl


@pytest.mark.parametrize(
    ("configured", "web", "sockets"),
    [
        ("https://b.example", "https://b.example", "wss://b.example"),
        ("wss://b.example/", "https://b.example", "wss://b.example"),
        ("http://b.example:81/a/", "http://b.example:81/a", "ws://b.example:81/a"),
        ("ws://b.example", "http://b.example", "ws://b.example"),
    ],
)
def test_one_address_serves_webhooks_and_sockets(configured: str, web: str, sockets: str) -> None:
    url = PublicUrl(configured)

    assert url.web("other", secure=False) == web
    assert url.sockets("other", secure=False) == sockets


@pytest.mark.parametrize(("secure", "scheme"), [(True, "s"), (False, "")])
def test_without_one_the_request_says_its_own(secure: bool, scheme: str) -> None:
    url = PublicUrl()

    assert url.web("h:8080", secure=secure) == f"http{scheme}://h:8080"
    assert url.sockets("h:8080", secure=secure) == f"ws{scheme}://h:8080"
