import json
from typing import Any

import pytest

from bridge.api.asked.call import settings_from
from bridge.api.refusal import Refused
from bridge.api.schemas.start_call import StartCallRequest
from bridge.calls.settings import CallSettings, InitialMessage, ServerSocketMedium
from tests.fakes.calls import MEDIUM


def read(*, greeting_prompt: bool = True, **asked: Any) -> CallSettings:
    request = StartCallRequest.model_validate({"medium": MEDIUM, **asked})
    return settings_from(request, greeting_prompt=greeting_prompt)


def body_for(**asked: Any) -> dict[str, Any]:
    with pytest.raises(Refused) as caught:
        read(**asked)
    return dict(caught.value.body)


def test_a_medium_is_all_that_a_call_needs() -> None:
    made = read()

    assert made == CallSettings(
        medium=ServerSocketMedium(input_hz=16_000, output_hz=16_000), request={"medium": MEDIUM}
    )


def test_a_call_is_made_as_asked() -> None:
    made = read(
        greeting_prompt=False,
        systemPrompt="Be kind.",
        temperature=0.25,
        model="tipring/echo",
        voice="Mark",
        languageHint="de-CH",
        joinTimeout="10s",
        maxDuration="120.5s",
        timeExceededMessage="Time is up.",
        recordingEnabled=True,
        initialOutputMedium="MESSAGE_MEDIUM_TEXT",
        metadata={"case": "7"},
        initialState={"step": None},
    )

    assert (made.system_prompt, made.temperature, made.model) == ("Be kind.", 0.25, "tipring/echo")
    assert (made.voice, made.language_hint) == ("Mark", "de-CH")
    assert (made.join_timeout_s, made.max_duration_s) == (10.0, 120.5)
    assert (made.time_exceeded_message, made.recording_enabled) == ("Time is up.", True)
    assert (made.output_medium, made.greeting_prompt_enabled) == ("text", False)
    assert (made.metadata, made.initial_state) == ({"case": "7"}, {"step": None})


def test_empty_texts_are_unset() -> None:
    made = read(model="", voice="", languageHint="", timeExceededMessage="")

    assert made.model == "ultravox-v0.7"
    assert (made.voice, made.language_hint, made.time_exceeded_message) == (None, None, None)


def test_unspecified_enums_are_unset() -> None:
    made = read(
        initialOutputMedium="MESSAGE_MEDIUM_UNSPECIFIED",
        firstSpeaker="FIRST_SPEAKER_UNSPECIFIED",
        retentionPolicy="CALL_RETENTION_POLICY_UNSPECIFIED",
    )

    assert made.output_medium == "voice"


def test_initial_messages_keep_their_order() -> None:
    made = read(
        initialMessages=[
            {"role": "MESSAGE_ROLE_USER", "text": "Hi"},
            {"role": "MESSAGE_ROLE_AGENT", "text": "Hello", "medium": "MESSAGE_MEDIUM_VOICE"},
            {"role": "MESSAGE_ROLE_TOOL_CALL", "invocationId": "c1", "toolName": "t"},
            {"role": "MESSAGE_ROLE_TOOL_RESULT", "invocationId": "c1", "toolName": "t"},
        ]
    )

    assert made.initial_messages == (
        InitialMessage("user", "Hi"),
        InitialMessage("agent", "Hello", "voice"),
        InitialMessage("tool_call", invocation_id="c1", tool_name="t"),
        InitialMessage("tool_result", invocation_id="c1", tool_name="t"),
    )


@pytest.mark.parametrize("role", [None, "MESSAGE_ROLE_UNSPECIFIED"])
def test_an_initial_message_needs_a_role(role: str | None) -> None:
    body = body_for(initialMessages=[{"role": role, "text": "Hi"}])

    assert body == {"initialMessages": {"0": {"role": ["This field is required."]}}}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("dataConnection", {"websocketUrl": "wss://example.com"}),
        ("callbacks", {"ended": {"url": "https://example.com"}}),
        ("retentionPolicy", "CALL_RETENTION_POLICY_AUTO_DELETE"),
    ],
)
def test_what_is_not_served_is_refused_at_its_field(field: str, value: object) -> None:
    [sentence] = body_for(**{field: value})[field]

    assert sentence.startswith("This server")


def test_metadata_keys_of_the_system_are_reserved() -> None:
    body = body_for(metadata={"ultravox.x": "1", "ultravox": "2"})

    assert list(body["metadata"]) == ["ultravox.x"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    body = body_for(medium={"sip": {}}, metadata={"ultravox.x": ""}, selectedTools=[{}])

    assert set(body) == {"medium", "metadata", "selectedTools"}


def test_the_echo_holds_no_secrets() -> None:
    canary = "canary-canary-canary"
    generic = {"url": "https://tts.example.com", "headers": {"Authorization": canary}}

    made = read(
        sharedSecrets=[canary],
        externalVoice={"generic": generic},
        selectedTools=[
            {
                "temporaryTool": {"modelToolName": "t", "client": {}},
                "authTokens": {"key": canary},
            }
        ],
    )

    assert canary not in json.dumps(made.request)
    echoed = made.request["externalVoice"]
    assert echoed == {"generic": {**generic, "headers": {"Authorization": "[redacted]"}}}


def test_the_echo_uses_the_vendors_names_and_only_what_was_asked() -> None:
    vad = {"turnEndpointDelay": "0.5s"}

    made = read(vadSettings=vad, experimentalSettings={"a": {"b": None}}, voice=None)

    assert made.request == {
        "medium": MEDIUM,
        "vadSettings": vad,
        "experimentalSettings": {"a": {"b": None}},
    }
