"""Calls over REST, through ASGI, against a call service without calls."""

import json
import string
from datetime import timedelta

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.api.schemas.start_call import StartCallRequest
from bridge.calls.errors import NoCapacity
from bridge.calls.records import CallRecord
from bridge.calls.settings import CallSettings
from bridge.wire.messages import ForcedAgentMessage, HangUp, UserTextMessage
from tests.fakes.calls import EPOCH, MEDIUM, FakeCalls, made, rest


async def test_a_call_is_made_and_shown(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/calls", json={"medium": MEDIUM, "systemPrompt": "Be kind."})

    assert response.status_code == 201
    assert response.json() == {
        "callId": "00000000-0000-0000-0000-000000000001",
        "clientVersion": None,
        "created": "2026-01-01T00:00:00.000000Z",
        "joined": None,
        "ended": None,
        "endReason": None,
        "billedDuration": None,
        "billedSideInputTokens": None,
        "billedSideOutputTokens": None,
        "billingStatus": "BILLING_STATUS_PENDING",
        "firstSpeaker": "FIRST_SPEAKER_AGENT",
        "firstSpeakerSettings": {"agent": {}},
        "inactivityMessages": [],
        "initialOutputMedium": "MESSAGE_MEDIUM_VOICE",
        "joinTimeout": "30s",
        "joinUrl": "ws://tipring.test/join/00000000-0000-0000-0000-000000000001?token=token",
        "languageHint": None,
        "maxDuration": "3600s",
        "medium": MEDIUM,
        "model": "ultravox-v0.7",
        "recordingEnabled": False,
        "retentionPolicy": "retain",
        "systemPrompt": "Be kind.",
        "temperature": 0.0,
        "timeExceededMessage": None,
        "voice": None,
        "transcriptOptional": True,
        "vadSettings": None,
        "shortSummary": None,
        "summary": None,
        "agent": None,
        "agentId": None,
        "experimentalSettings": {},
        "metadata": {},
        "initialState": {},
        "requestContext": {},
        "sipDetails": None,
    }


async def test_nulls_in_a_request_are_unset(client: httpx.AsyncClient) -> None:
    nulls = dict.fromkeys(["voice", "model", "vadSettings", "externalVoice", "maxDuration"])

    response = await client.post("/api/calls", json={"medium": MEDIUM, **nulls})

    assert response.status_code == 201
    assert response.json()["model"] == "ultravox-v0.7"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("systemPrompt", 1),
        ("temperature", "0.5"),
        ("temperature", True),
        ("temperature", 1.01),
        ("temperature", -0.01),
        ("model", {}),
        ("voice", []),
        ("externalVoice", "Mark"),
        ("voiceOverrides", 1),
        ("languageHint", 5),
        ("languageHint", "not a language"),
        ("languageHint", "en-abcdefgh-12345"),
        ("initialMessages", {}),
        ("initialMessages", [1]),
        ("initialMessages", [{"role": "user"}]),
        ("joinTimeout", 30),
        ("joinTimeout", "-30s"),
        ("joinTimeout", "0s"),
        ("joinTimeout", "30"),
        ("maxDuration", "-1s"),
        ("maxDuration", "86401s"),
        ("timeExceededMessage", 1),
        ("inactivityMessages", [{"message": "no duration"}]),
        ("inactivityMessages", [{"duration": "-5s"}]),
        ("inactivityMessages", [{"duration": "5s", "endBehavior": "HANG_UP"}]),
        ("selectedTools", "all"),
        ("selectedTools", [{"temporaryTool": []}]),
        ("medium", "serverWebSocket"),
        ("medium", {"serverWebSocket": {}}),
        ("medium", {"serverWebSocket": {"inputSampleRate": "16000"}}),
        ("medium", {"serverWebSocket": {"inputSampleRate": 16000.5}}),
        ("medium", {"serverWebSocket": {"inputSampleRate": 8000, "clientBufferSizeMs": 0}}),
        ("medium", {"serverWebSocket": {"inputSampleRate": 8000, "clientBufferSizeMs": 60001}}),
        ("medium", {"serverWebSocket": {"inputSampleRate": 8000, "dataMessages": {"pong": 1}}}),
        ("medium", {"serverWebSocket": {"inputSampleRate": 8000, "mediaIdleTimeout": "-10s"}}),
        ("recordingEnabled", "yes"),
        ("recordingEnabled", 1),
        ("firstSpeaker", "AGENT"),
        ("firstSpeakerSettings", {"agent": {"delay": "-1s"}}),
        ("firstSpeakerSettings", {"user": {"fallback": {"text": "no delay"}}}),
        ("transcriptOptional", 0),
        ("initialOutputMedium", "voice"),
        ("vadSettings", {"frameActivationThreshold": 0.09}),
        ("vadSettings", {"frameActivationThreshold": 1.01}),
        ("vadSettings", {"turnEndpointDelay": "-0.1s"}),
        ("experimentalSettings", []),
        ("metadata", {"key": 1}),
        ("metadata", "key=value"),
        ("initialState", []),
        ("dataConnection", {"headers": {"a": 1}}),
        ("callbacks", {"ended": {"secrets": "one"}}),
        ("retentionPolicy", "auto_delete"),
        ("sharedSecrets", ["x" * 15]),
        ("sharedSecrets", ["x" * 128]),
        ("sharedSecrets", "x" * 20),
    ],
)
async def test_a_field_that_does_not_fit_is_400_at_its_name_and_no_call_is_made(
    client: httpx.AsyncClient, calls: FakeCalls, field: str, value: object
) -> None:
    response = await client.post("/api/calls", json={"medium": MEDIUM, field: value})

    assert response.status_code == 400
    assert set(response.json()) == {field}
    assert calls.n_ids == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("temperature", 0),
        ("temperature", 1),
        ("sharedSecrets", ["x" * 16, "x" * 127]),
        ("languageHint", "zh-Hant-TW"),
        ("maxDuration", "86400s"),
        ("joinTimeout", "0.001s"),
        ("vadSettings", {"frameActivationThreshold": 0.1}),
        ("vadSettings", {"frameActivationThreshold": 1}),
        ("medium", {"serverWebSocket": {"inputSampleRate": 48_000, "clientBufferSizeMs": 60_000}}),
        ("medium", {"server_web_socket": {"input_sample_rate": 8000, "clientBufferSizeMs": 1}}),
    ],
)
async def test_what_lies_just_within_a_limit_is_taken(
    client: httpx.AsyncClient, field: str, value: object
) -> None:
    response = await client.post("/api/calls", json={"medium": MEDIUM, field: value})

    assert response.status_code == 201


async def test_an_error_never_repeats_what_was_sent(client: httpx.AsyncClient) -> None:
    body = {"sharedSecrets": ["canary"], "model": ["canary"], "joinTimeout": "canary"}

    response = await client.post("/api/calls", json=body)

    assert response.status_code == 400
    assert "canary" not in response.text


async def test_a_model_nobody_has_is_400_at_model(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/calls", json={"medium": MEDIUM, "model": "ultravox-9"})

    assert response.status_code == 400
    assert response.json() == {"model": ["No such model; did you mean ultravox-v0.7?"]}


@pytest.mark.parametrize("name", ["priorCallId", "throttle"])
async def test_a_query_that_is_not_served_is_400(client: httpx.AsyncClient, name: str) -> None:
    response = await client.post(f"/api/calls?{name}=x", json={"medium": MEDIUM})

    assert response.status_code == 400
    assert set(response.json()) == {name}


@pytest.mark.parametrize(("text", "expected"), [("false", False), ("true", True)])
async def test_the_greeting_prompt_can_be_switched_off(
    client: httpx.AsyncClient, calls: FakeCalls, text: str, expected: bool
) -> None:
    path = f"/api/calls?enableGreetingPrompt={text}"

    call_id = (await client.post(path, json={"medium": MEDIUM})).json()["callId"]

    assert (await calls.get(call_id)).settings.greeting_prompt_enabled is expected


async def test_a_switch_that_is_no_switch_is_400(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/calls?enableGreetingPrompt=maybe", json={"medium": MEDIUM})

    assert response.status_code == 400
    assert set(response.json()) == {"enableGreetingPrompt"}


async def test_no_capacity_is_503_with_when_to_ask_again() -> None:
    class Full(FakeCalls):
        async def create(self, settings: CallSettings) -> CallRecord:
            raise NoCapacity("too many calls", retry_after_s=3)

    async with rest(Full()) as client:
        response = await client.post("/api/calls", json={"medium": MEDIUM})

    assert (response.status_code, response.headers["Retry-After"]) == (503, "3")
    assert response.json() == {"detail": "Too many calls."}


async def test_a_call_shows_its_end_and_its_bill(
    client: httpx.AsyncClient, calls: FakeCalls
) -> None:
    call_id = await made(client)
    call = await calls.get(call_id)
    call.joined, call.client_version = EPOCH, "python 0.1.0"
    call.end("agent_hangup", EPOCH + timedelta(seconds=61))

    shown = (await client.get(f"/api/calls/{call_id}")).json()

    assert (shown["joined"], shown["ended"]) == (
        "2026-01-01T00:00:00.000000Z",
        "2026-01-01T00:01:01.000000Z",
    )
    assert (shown["endReason"], shown["clientVersion"]) == ("agent_hangup", "python 0.1.0")
    assert (shown["billedDuration"], shown["billingStatus"]) == ("66s", "BILLING_STATUS_BILLED")


@pytest.mark.parametrize(
    "path", ["", "/messages", "/events", "/recording", "/stages", "/stages/x", "/tools"]
)
@pytest.mark.parametrize("call_id", ["00000000-0000-0000-0000-000000000009", "nonsense", "..%2f"])
async def test_a_call_that_is_not_there_is_404(
    client: httpx.AsyncClient, path: str, call_id: str
) -> None:
    response = await client.get(f"/api/calls/{call_id}{path}")

    assert response.status_code == 404
    assert set(response.json()) == {"detail"}


async def test_an_ended_call_is_deleted_once(client: httpx.AsyncClient, calls: FakeCalls) -> None:
    call_id = await made(client)

    early = await client.delete(f"/api/calls/{call_id}")
    (await calls.get(call_id)).end("hangup", EPOCH)
    first = await client.delete(f"/api/calls/{call_id}")
    second = await client.delete(f"/api/calls/{call_id}")

    assert (early.status_code, early.json()) == (425, {"detail": "The call has not ended."})
    assert (first.status_code, first.content) == (204, b"")
    assert second.status_code == 404


async def live(client: httpx.AsyncClient, calls: FakeCalls) -> str:
    call_id = await made(client)
    (await calls.get(call_id)).joined = EPOCH
    return f"/api/calls/{call_id}/send_data_message"


async def test_messages_reach_a_live_call(client: httpx.AsyncClient, calls: FakeCalls) -> None:
    path = await live(client, calls)
    bodies = [
        {"type": "hang_up", "message": "Bye."},
        {"type": "user_text_message", "text": "Hi", "urgency": "later"},
        {"type": "forced_agent_message", "content": "Well,", "extra": 1},
    ]

    answers = [await client.post(path, json=body) for body in bodies]

    assert [(each.status_code, each.content) for each in answers] == [(204, b"")] * 3
    assert calls.sent == [
        HangUp(message="Bye."),
        UserTextMessage(text="Hi", urgency="later"),
        ForcedAgentMessage(content="Well,"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"type": 1},
        {"type": "ping", "timestamp": 1},
        {"type": "unheard_of"},
        {"type": "user_text_message"},
        {"type": "user_text_message", "text": 1},
        {"type": "user_text_message", "text": "Hi", "urgency": "now"},
        {"type": "hang_up", "message": []},
    ],
)
async def test_other_messages_are_400(
    client: httpx.AsyncClient, calls: FakeCalls, body: object
) -> None:
    response = await client.post(await live(client, calls), json=body)

    assert response.status_code == 400
    assert calls.sent == []


async def test_what_is_wrong_with_a_message_is_told_field_by_field(
    client: httpx.AsyncClient, calls: FakeCalls
) -> None:
    body = {"type": "forced_agent_message", "content": 1, "toolCalls": [{"arguments": {}}]}
    response = await client.post(await live(client, calls), json=body)

    assert response.json() == {
        "content": ["A string is needed here."],
        "toolCalls": {"0": {"name": ["This field is required."]}},
    }


async def test_a_message_for_a_call_that_is_not_live_is_422(client: httpx.AsyncClient) -> None:
    call_id = await made(client)

    response = await client.post(
        f"/api/calls/{call_id}/send_data_message", json={"type": "hang_up"}
    )

    assert (response.status_code, response.json()) == (422, {"detail": "The call is not joined."})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
FIELDS = st.sampled_from([str(field.alias) for field in StartCallRequest.model_fields.values()])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=JSON | st.dictionaries(FIELDS, JSON, max_size=4))
async def test_no_json_makes_the_server_fail(client: httpx.AsyncClient, body: object) -> None:
    response = await client.post("/api/calls", content=json.dumps(body))

    assert response.status_code in {201, 400}
    assert response.json()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(field=FIELDS, value=JSON)
async def test_no_field_makes_the_server_fail(
    client: httpx.AsyncClient, field: str, value: object
) -> None:
    response = await client.post("/api/calls", content=json.dumps({"medium": MEDIUM, field: value}))

    assert response.status_code in {201, 400}
    assert response.json()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=300) | st.text(string.printable, max_size=300).map(str.encode))
async def test_no_bytes_make_the_server_fail(client: httpx.AsyncClient, body: bytes) -> None:
    response = await client.post("/api/calls/none/send_data_message", content=body)

    assert response.status_code in {400, 404}
