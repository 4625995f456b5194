import logging

import pytest

from bridge.brains.registry import Brains
from bridge.brains.speech.kit import SpeechKit
from bridge.config import Config
from bridge.errors import ConfigError
from bridge.gateway.phone.route_check import check_calls, check_routes
from bridge.gateway.server import call_server


def config(**tables: object) -> Config:
    return Config.model_validate(tables)


async def checked(**tables: object) -> None:
    """As the service does it, with the shipped models."""
    kit = SpeechKit.load(voice="tone", ear="off", vad="energy")
    try:
        async with call_server(Brains(kit, None), recordings=None) as server:
            check_calls(config(**tables), server.service)
    finally:
        await kit.close()


@pytest.mark.parametrize(
    ("route", "sentence"),
    [
        ({}, "routes.0: says neither call nor agent"),
        ({"agent": "a"}, "routes.0.agent: the embedded call server has no stored agents; "),
        (
            {"call": {"medium": {"webRtc": {}}}},
            "routes.0.call.medium: calls of the embedded call server are joined in memory; ",
        ),
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


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ({"model": "tipring/ecko"}, r"routes\.0\.call\.model: .*did you mean 'tipring/echo'\?"),
        ({"model": "tipring/script:receptionst"}, r"\.model: .*did you mean 'receptionist'\?"),
        ({"voice": "a", "externalVoice": {}}, r"routes\.0\.call\.externalVoice: Either"),
        ({"callbacks": {}}, r"routes\.0\.call\.callbacks: This server sends no callbacks"),
        (
            {"selectedTools": [{"toolName": "mine"}]},
            r"routes\.0\.call\.selectedTools\.0\.toolName: This server keeps no tools",
        ),
    ],
)
async def test_a_call_that_the_embedded_server_would_refuse_is_refused_at_the_start(
    call: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        await checked(routes=[{"call": call}])


@pytest.mark.parametrize(
    "route",
    [
        {"call": {"model": "tipring/script:receptionist", "systemPrompt": "{{from}} calls"}},
        {"call": {"model": "tipring/echo"}, "tools": ["playDtmfSounds", "coldTransfer"]},
        {
            "call": {
                "system_prompt": "x",
                "medium": {"serverWebSocket": {"inputSampleRate": 16_000}},
            }
        },
    ],
)
async def test_a_call_that_the_embedded_server_takes_is_taken(route: dict[str, object]) -> None:
    await checked(routes=[route])


async def test_the_models_of_an_api_elsewhere_are_its_own() -> None:
    await checked(routes=[{"call": {"model": "theirs"}}], ai={"base_url": "https://ai.example"})


@pytest.mark.parametrize(
    ("key", "hint"), [("sytemPrompt", "did you mean 'systemPrompt'?"), ("xyz", "known: ")]
)
async def test_a_field_that_nobody_knows_is_named_with_the_nearest_known_one(
    key: str, hint: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        await checked(routes=[{"call": {"model": "tipring/echo"}}, {"call": {key: "x"}}])

    [line] = caplog.messages
    assert line.startswith(f"! routes.1.call: unknown field {key!r} is ignored; {hint}")
