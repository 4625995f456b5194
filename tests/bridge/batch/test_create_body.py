from pathlib import Path
from typing import Any

import pytest

from bridge.batch.create_body import create_body
from bridge.batch.plan import CallerInput, CallPlan, VadOptions
from bridge.brains.registry import shipped_script

MEDIUM = {
    "serverWebSocket": {
        "inputSampleRate": 8_000,
        "outputSampleRate": 8_000,
        "clientBufferSizeMs": 30_000,
    }
}


def plan_of(**parts: Any) -> CallPlan:
    return CallPlan(inputs=(CallerInput(Path("a.wav")),), out_dir=Path("out"), **parts)


def test_a_plan_that_asks_for_nothing_asks_for_its_medium_alone() -> None:
    assert create_body(plan_of(), {}, model=None, script=None) == {"medium": MEDIUM}


def test_a_plan_over_webrtc_asks_for_that_medium() -> None:
    body = create_body(plan_of(api_url="u", webrtc=True), {}, model=None, script=None)

    assert body == {"medium": {"webRtc": {}}}


def test_what_a_plan_sets_stands_in_the_vendors_words() -> None:
    plan = plan_of(
        system_prompt="Be brief.",
        max_duration_s=90.5,
        vad=VadOptions(turn_endpoint_delay_ms=512),
    )

    assert create_body(plan, {"look": "ok"}, model="m", script=None) == {
        "medium": MEDIUM,
        "maxDuration": "90.5s",
        "model": "m",
        "systemPrompt": "Be brief.",
        "vadSettings": {"turnEndpointDelay": "0.512s"},
        "selectedTools": [
            {"temporaryTool": {"modelToolName": "look", "description": "look", "client": {}}}
        ],
    }


def test_a_tool_that_the_script_declares_is_not_declared_again() -> None:
    script = shipped_script("receptionist")
    names = [tool.name for tool in script.tools]

    body = create_body(plan_of(), {names[0]: "ok", "other": "ok"}, model=None, script=script)

    selected = body["selectedTools"]
    assert isinstance(selected, list)
    assert [each["temporaryTool"]["modelToolName"] for each in selected] == [*names, "other"]


@pytest.mark.parametrize(("api_url", "declared"), [("https://api.example", False), (None, True)])
def test_a_stored_agent_is_sent_no_tools_and_a_shipped_one_is(
    api_url: str | None, declared: bool
) -> None:
    plan = plan_of(agent="receptionist", api_url=api_url, max_duration_s=60)

    body = create_body(plan, {"look": "ok"}, model=None, script=None)

    assert ("selectedTools" in body) is declared
    assert body["maxDuration"] == "60s"
