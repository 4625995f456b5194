"""Whom a talk is with: what is refused, what is asked for, and what is loaded for it."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bridge.client import ApiError
from bridge.errors import ConfigError, UsageError
from bridge.talk.tools import make_tool
from bridge.talk.world import RATES, TalkPlan, create_body, talking_place
from bridge.virtual import run_virtual
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


def test_a_tool_of_the_user_takes_the_place_of_the_script_s() -> None:
    theirs: list[dict[str, object]] = [
        {"temporaryTool": {"modelToolName": name, "client": {}}} for name in ("size_of", "other")
    ]
    body: Any = create_body(TalkPlan(), [make_tool(size_of)], theirs)

    names = [each["temporaryTool"]["modelToolName"] for each in body["selectedTools"]]
    assert names == ["other", "size_of"]
    assert "dynamicParameters" in body["selectedTools"][1]["temporaryTool"]


def test_the_embedded_agent_brings_its_canned_answers(tmp_path: Path) -> None:
    script = tmp_path / "shop.toml"
    script.write_text(
        '[[tools]]\nname = "lookUp"\nanswer = "42"\n[[steps]]\ntool.name = "lookUp"\n'
    )

    async def ask() -> tuple[str, list[str]]:
        async with talking_place(TalkPlan(virtual=True, script=script)) as place:
            assert place.api is not None
            return place.join_url, [tool.name for tool in place.tools]

    join_url, tools = run_virtual(ask())

    assert join_url.startswith("ws://")
    assert tools == ["lookUp"]


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"agent": "receptionis"}, UsageError),
        ({"model": "tipring/echoo"}, ApiError),
        ({"script": Path("/nowhere/x.toml")}, ConfigError),
    ],
)
def test_an_agent_that_does_not_exist_is_said(
    options: dict[str, Any], error: type[Exception]
) -> None:
    async def ask() -> None:
        async with talking_place(TalkPlan(virtual=True, **options)):
            pass

    with pytest.raises(error) as caught:
        run_virtual(ask())
    assert "\n" not in str(caught.value)


async def test_a_join_url_needs_no_api_and_nothing_is_started() -> None:
    async with talking_place(TalkPlan(join_url=SECRET_URL)) as place:
        assert (place.join_url, place.api, place.tools) == (SECRET_URL, None, ())


async def test_an_api_that_is_not_there_is_said() -> None:
    with pytest.raises(ApiError, match="cannot be reached"):
        async with talking_place(TalkPlan(api_url="http://127.0.0.1:9")):
            pass


def loaded(statement: str) -> set[str]:
    """Modules that are loaded after a statement, in a process of its own."""
    program = f"import sys; {statement}; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(told.stdout.split())


def test_the_package_loads_nothing_until_it_is_used() -> None:
    modules = loaded("import bridge")

    assert "bridge.talk" not in modules
    assert "numpy" not in modules


def test_a_program_s_call_loads_neither_our_server_nor_a_sound_system() -> None:
    modules = loaded("import bridge; bridge.join; bridge.tool")

    assert "bridge.talk.join" in modules
    assert not modules & {
        "fastapi",
        "aiortc",
        "livekit",
        "sounddevice",
        "textual",
        "bridge.gateway",
    }


def test_the_package_has_no_other_names() -> None:
    import bridge

    with pytest.raises(AttributeError, match="no attribute 'jion'"):
        _ = bridge.jion
