import pytest

from bridge.api.schemas.start_call import StartCallRequest
from bridge.gateway.phone.ai_call import PhoneFacts, ai_call
from bridge.gateway.phone.carriers.base import PhoneNumbers
from bridge.phone_config import RouteConfig
from bridge.wire.agent_socket import Rates
from bridge.wire.carriers.base import StartInfo

FACTS = PhoneFacts(
    "twilio",
    "CA1",
    PhoneNumbers("+1555", "+1666"),
    StartInfo("CA1", parameters={"name": "Ada", "from": "spoofed", "ultravox.x": "no"}),
)


def route(**config: object) -> RouteConfig:
    return RouteConfig.model_validate(config)


@pytest.mark.parametrize(
    ("caller_hz", "asked_hz"),
    [(8_000, 8_000), (16_000, 16_000), (12_000, 16_000), (44_100, 48_000), (192_000, 48_000)],
)
def test_the_callers_own_rate_is_asked_for_or_the_next_that_every_api_has(
    caller_hz: int, asked_hz: int
) -> None:
    made = ai_call(route(call={"model": "m"}), FACTS, caller_hz)

    assert made.rates == Rates(asked_hz, asked_hz)


@pytest.mark.parametrize(("said_ms", "asked_ms"), [(29_000, 29_000), (60_000, 30_000)])
def test_the_ai_is_never_told_to_send_further_ahead_than_can_be_kept(
    said_ms: int, asked_ms: int
) -> None:
    socket = {"clientBufferSizeMs": said_ms}
    made = ai_call(route(call={"medium": {"serverWebSocket": socket}}), FACTS, 8_000)

    asked = made.body["medium"]
    assert isinstance(asked, dict)
    assert asked["serverWebSocket"]["clientBufferSizeMs"] == asked_ms


@pytest.mark.parametrize(
    ("medium", "told"),
    [
        ({}, True),
        ({"serverWebSocket": {"dataMessages": {"pong": False}}}, True),
        ({"serverWebSocket": {"dataMessages": {"callEvent": False}}}, False),
        ({"webRtc": {}}, True),
    ],
)
def test_our_own_server_is_asked_for_events_unless_the_route_says_otherwise(
    medium: dict[str, object], told: bool
) -> None:
    config = route(call={"medium": medium})
    made = ai_call(config, FACTS, 8_000, ours=True).body["medium"]
    elsewhere = ai_call(config, FACTS, 8_000).body["medium"]

    assert isinstance(made, dict)
    [asked] = made.values()
    assert asked["dataMessages"]["callEvent"] is told
    assert ("pong" in asked["dataMessages"]) == ("pong" in str(medium))
    assert ("callEvent" in str(elsewhere)) == ("callEvent" in str(medium))


def test_what_the_route_says_of_the_medium_stands() -> None:
    socket = {"inputSampleRate": 48_000, "clientBufferSizeMs": 60}
    made = ai_call(route(call={"medium": {"serverWebSocket": socket}}), FACTS, 8_000)

    assert made.rates == Rates(48_000, 48_000)
    assert made.body["medium"] == {"serverWebSocket": {**socket, "outputSampleRate": 48_000}}


def test_no_parameter_of_the_stream_takes_the_place_of_what_is_known() -> None:
    metadata = ai_call(route(call={"model": "m"}), FACTS, 8_000).body["metadata"]

    assert metadata == {
        "name": "Ada",
        "from": "+1555",
        "to": "+1666",
        "carrier": "twilio",
        "callId": "CA1",
        "direction": "inbound",
    }


def test_names_are_filled_in_where_things_are_said_and_not_where_tools_lie() -> None:
    call = {
        "systemPrompt": "{{ from }} is {{parameters.name}}, not {{other}}",
        "firstSpeakerSettings": {"agent": {"text": "Hello {{parameters.name}}"}},
        "inactivityMessages": [{"duration": "5s", "message": "{{parameters.name}}?"}],
        "selectedTools": [{"temporaryTool": {"http": {"baseUrlPattern": "https://x/{{from}}"}}}],
    }
    body = ai_call(route(call=call), FACTS, 8_000).body

    assert body["systemPrompt"] == "+1555 is Ada, not {{other}}"
    assert body["firstSpeakerSettings"] == {"agent": {"text": "Hello Ada"}}
    assert body["inactivityMessages"] == [{"duration": "5s", "message": "Ada?"}]
    assert body["selectedTools"] == call["selectedTools"]


def test_a_name_that_comes_from_outside_is_not_filled_in_again() -> None:
    info = StartInfo("CA1", parameters={"name": "{{to}}"})
    facts = PhoneFacts("twilio", "CA1", PhoneNumbers("+1555", "+1666"), info)

    body = ai_call(route(call={"systemPrompt": "{{parameters.name}}"}), facts, 8_000).body

    assert body["systemPrompt"] == "{{to}}"


def test_an_agents_templates_are_filled_by_its_api() -> None:
    call = {"templateContext": {"shop": "7", "to": "ours"}, "metadata": {"a": "b"}}
    made = ai_call(route(agent="a1", call=call), FACTS, 8_000)

    assert made.agent == "a1"
    context = made.body["templateContext"]
    assert isinstance(context, dict)
    assert context["parameters"] == {"name": "Ada", "from": "spoofed", "ultravox.x": "no"}
    assert (context["shop"], context["to"], context["from"]) == ("7", "ours", "+1555")


def test_the_telephones_tools_are_client_tools_of_the_api() -> None:
    own = {"toolName": "hangUp"}
    config = route(call={"selectedTools": [own]}, tools=["playDtmfSounds", "coldTransfer"])
    body = ai_call(config, FACTS, 8_000).body

    asked = StartCallRequest.model_validate(body)
    assert asked.selected_tools is not None
    first, press, transfer = asked.selected_tools
    assert first.tool_name == "hangUp"
    assert press.temporary_tool is not None
    assert transfer.temporary_tool is not None
    assert press.temporary_tool.client is not None
    [digits] = press.temporary_tool.dynamic_parameters or []
    assert (digits.name, digits.required) == ("digits", True)
    [target] = transfer.temporary_tool.dynamic_parameters or []
    assert target.name == "target"
    assert "+15550100" in str(target.schema_)
    assert "SIP" not in str(target.schema_)


def test_the_route_is_not_changed_by_its_calls() -> None:
    config = route(call={"metadata": {"a": "b"}, "selectedTools": []}, tools=["playDtmfSounds"])
    before = config.model_dump()

    ai_call(config, FACTS, 8_000)

    assert config.model_dump() == before


def test_a_route_may_want_its_ai_call_over_webrtc() -> None:
    medium = {"webRtc": {"dataMessages": {"pong": False}}}
    made = ai_call(route(call={"medium": medium}), FACTS, 12_000)

    assert made.webrtc
    assert made.body["medium"] == medium
    assert made.rates == Rates(16_000, 16_000)
    assert not ai_call(route(), FACTS, 8_000).webrtc
