import pytest

from bridge.gateway.phone.carriers.configured import real_http


async def test_no_proxy_of_the_environment_stands_between_us_and_an_api(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with real_http("https://api.example") as client:
        assert not client.trust_env
