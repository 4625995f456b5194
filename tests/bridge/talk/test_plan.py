"""What a talk shall be: what is refused together, and what is asked of an API."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.errors import UsageError
from bridge.talk.plan import RATES, TalkPlan, create_body
from bridge.talk.tools import make_tool
from bridge.wire.agent_socket import Rates
from tests.fakes.talk_world import SECRET_URL

API = "https://api.example"


def size_of(what: str) -> str:
    """Say how large it is."""
    return what


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"join_url": SECRET_URL, "api_url": API}, "exclude each other"),
        ({"join_url": SECRET_URL, "agent": "a"}, "whose agent is chosen"),
        ({"join_url": SECRET_URL, "body": {"model": "m"}}, "whose agent is chosen"),
        ({"api_key": SecretStr("k")}, "goes with the API's address"),
        ({"api_url": API, "api_key": SecretStr("a b")}, "has a blank"),
        ({"api_url": API, "script": Path("s.toml")}, "for the embedded server"),
        ({"script": Path("s.toml"), "agent": "a"}, "picks the agent already"),
        ({"script": Path("s.toml"), "model": "m"}, "picks the agent already"),
        ({"agent": "a", "model": "m"}, "both say who answers"),
        ({"api_url": API, "agent": "a", "system_prompt": "p"}, "has its own prompt"),
        ({"api_url": API, "virtual": True}, "embedded server only"),
        ({"medium": "webRtc", "virtual": True}, "no WebRTC in virtual time"),
        (
            {"body": {"medium": {"serverWebSocket": {"inputSampleRate": 16_000}}}},
            "other sample rates",
        ),
    ],
)
def test_what_cannot_be_together_is_refused_in_one_sentence(
    options: dict[str, Any], why: str
) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        TalkPlan(**options).check()
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"agent": "survey"},
        {"join_url": SECRET_URL},
        {"api_url": API, "api_key": SecretStr("k"), "agent": "a"},
        {"api_url": API, "model": "m", "system_prompt": "p"},
        {"virtual": True, "script": Path("s.toml")},
        {"body": {"medium": {"webRtc": {}}}},
        {"body": {"medium": {"serverWebSocket": {"inputSampleRate": "many"}}}},
        {
            "body": {"medium": {"serverWebSocket": {"inputSampleRate": 8_000}}},
            "rates": Rates(8_000, 8_000),
        },
    ],
)
def test_what_goes_together_passes(options: dict[str, Any]) -> None:
    TalkPlan(**options).check()


def test_a_call_of_an_api_is_asked_for_with_our_rates_and_tools() -> None:
    plan = TalkPlan(api_url=API, model="m", system_prompt="p")
    body: Any = create_body(plan, [make_tool(size_of)], [])

    assert body["medium"] == {
        "serverWebSocket": {
            "inputSampleRate": RATES.input_hz,
            "outputSampleRate": RATES.output_hz,
            "clientBufferSizeMs": 30_000,
        }
    }
    assert (body["model"], body["systemPrompt"]) == ("m", "p")
    [selected] = body["selectedTools"]
    assert selected["temporaryTool"]["modelToolName"] == "size_of"


def test_a_stored_agent_declares_its_own_tools() -> None:
    body = create_body(TalkPlan(api_url=API, agent="a"), [make_tool(size_of)], [])

    assert set(body) == {"medium"}


def test_over_webrtc_clears_are_asked_for() -> None:
    body = create_body(TalkPlan(api_url=API, medium="webRtc"), [], [])

    assert body["medium"] == {"webRtc": {"dataMessages": {"playbackClearBuffer": True}}}


def test_what_the_user_asks_for_wins() -> None:
    mine = {"model": "mine", "temperature": 0.5}
    body = create_body(TalkPlan(model="m", body=mine), [], [])

    assert (body["model"], body["temperature"]) == ("mine", 0.5)


@pytest.mark.parametrize(("by_hand", "timeouts"), [(True, ["40s", "3s"]), (False, [None, "3s"])])
def test_a_tool_that_a_person_answers_is_waited_for_as_long_as_the_api_does(
    by_hand: bool, timeouts: list[str | None]
) -> None:
    theirs: list[dict[str, object]] = [
        {"temporaryTool": {"modelToolName": "ask", "client": {}}},
        {"temporaryTool": {"modelToolName": "hurry", "client": {}, "timeout": "3s"}},
        {"toolName": "hangUp"},
    ]
    body: Any = create_body(TalkPlan(by_hand=by_hand), [], theirs)

    *own, hang_up = body["selectedTools"]
    assert [each["temporaryTool"].get("timeout") for each in own] == timeouts
    assert hang_up == {"toolName": "hangUp"}


def test_a_tool_of_the_user_takes_the_place_of_the_script_s() -> None:
    theirs: list[dict[str, object]] = [
        {"temporaryTool": {"modelToolName": name, "client": {}}} for name in ("size_of", "other")
    ]
    body: Any = create_body(TalkPlan(), [make_tool(size_of)], theirs)

    names = [each["temporaryTool"]["modelToolName"] for each in body["selectedTools"]]
    assert names == ["other", "size_of"]
    assert "dynamicParameters" in body["selectedTools"][1]["temporaryTool"]
