import pytest

from bridge.config import Config
from bridge.errors import ConfigError
from bridge.gateway.phone.carriers.configured import real_http
from bridge.gateway.phone.gateway import check_routes


def config(**tables: object) -> Config:
    return Config.model_validate(tables)


@pytest.mark.parametrize(
    ("route", "sentence"),
    [
        ({}, "routes.0: says neither call nor agent"),
        ({"agent": "a"}, "routes.0.agent: the embedded call server has no stored agents; "),
        ({"call": {"temperature": "hot"}}, "routes.0.call.temperature: "),
        ({"call": {"joinTimeout": "soon"}}, "routes.0.call.joinTimeout: "),
    ],
)
def test_a_route_that_makes_no_call_is_refused_before_anybody_calls(
    route: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        check_routes(config(routes=[route]))

    assert str(refused.value).startswith(sentence)


@pytest.mark.parametrize(
    ("route", "ai"),
    [
        ({"call": {"systemPrompt": "x"}}, {}),
        ({"agent": "a"}, {"base_url": "https://ai.example"}),
        ({"agent": "a", "call": {"templateContext": {}}}, {"base_url": "https://ai.example"}),
        ({"call": {"a field of tomorrow": 1}}, {}),
    ],
)
def test_a_route_that_makes_a_call_is_taken(route: dict[str, object], ai: dict[str, str]) -> None:
    check_routes(config(routes=[route], ai=ai))


async def test_no_proxy_of_the_environment_stands_between_us_and_an_api(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    async with real_http("https://api.example") as client:
        assert not client.trust_env
