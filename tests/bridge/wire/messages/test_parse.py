"""Every data message, read and written, and what is said about broken ones."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire import messages as m
from tests.fakes.data_message_samples import CLIENT_SAMPLES, SERVER_SAMPLES

Read = Callable[[object], object]
Sample = tuple[Read, m.JsonObject, m.ClientMessage | m.ServerMessage]
SAMPLES: list[Sample] = [
    *((m.client_message, fields, message) for fields, message in CLIENT_SAMPLES),
    *((m.server_message, fields, message) for fields, message in SERVER_SAMPLES),
]
SECRET = "CANARY"

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
OBJECTS = st.dictionaries(
    TEXTS,
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
        lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
        max_leaves=8,
    ),
    max_size=5,
)


def snake_case(value: Any) -> Any:
    """The same message with the keys of the older documentation."""
    if isinstance(value, list):
        return [snake_case(item) for item in value]
    if not isinstance(value, dict):
        return value
    # What is inside a free object belongs to its user.
    free = {"parameters", "arguments", "extras", "updateCallState"}
    return {
        re.sub("[A-Z]", lambda c: "_" + c[0].lower(), key): item
        if key in free
        else snake_case(item)
        for key, item in value.items()
    }


def test_the_samples_show_every_message_of_both_directions() -> None:
    assert {fields["type"] for fields, _ in CLIENT_SAMPLES} == set(m.CLIENT_TYPES)
    assert {fields["type"] for fields, _ in SERVER_SAMPLES} == set(m.SERVER_TYPES)


@pytest.mark.parametrize(("read", "fields", "message"), SAMPLES)
def test_a_documented_message_is_read(
    read: Read, fields: m.JsonObject, message: m.DataMessage
) -> None:
    assert read(fields) == message


@pytest.mark.parametrize(("read", "fields", "message"), SAMPLES)
def test_a_message_is_written_as_documented(
    read: Read, fields: m.JsonObject, message: m.ClientMessage
) -> None:
    text = m.encode(message)

    assert json.loads(text) == fields
    assert text.startswith(f'{{"type":"{message.type}"')


@pytest.mark.parametrize(("read", "fields", "message"), SAMPLES)
def test_snake_case_keys_are_read(read: Read, fields: m.JsonObject, message: m.DataMessage) -> None:
    assert read(snake_case(fields)) == message


@pytest.mark.parametrize(("read", "fields", "message"), SAMPLES)
def test_null_is_read_as_absent(read: Read, fields: m.JsonObject, message: m.DataMessage) -> None:
    missing = {name: None for name in type(message).model_fields if name not in snake_case(fields)}

    assert read({**fields, **missing, "else": None}) == message


@pytest.mark.parametrize(("read", "fields", "message"), SAMPLES)
def test_unknown_keys_pass(read: Read, fields: m.JsonObject, message: m.DataMessage) -> None:
    read_back = read({**fields, "__proto__": {"x": 1}, "somethingNew": [1, 2]})

    assert isinstance(read_back, type(message))
    assert not hasattr({}, "x")


@pytest.mark.parametrize(("read", "fields", "message"), SAMPLES)
def test_messages_cannot_be_changed(
    read: Read, fields: m.JsonObject, message: m.DataMessage
) -> None:
    with pytest.raises(ValueError, match="frozen"):
        message.type = "other"


def test_text_is_parsed_for_each_direction() -> None:
    assert m.parse_client_message('{"type":"hang_up"}') == m.HangUp(message="")
    assert m.parse_server_message(b'{"type":"state","state":"idle"}') == m.State(state="idle")


def test_both_spellings_of_a_key_at_once_read_as_the_documented_one() -> None:
    both = {"type": "client_tool_result", "invocationId": "a", "invocation_id": "b"}

    assert m.client_message(both) == m.ClientToolResult(invocation_id="a")


@pytest.mark.parametrize("keys", [("name", "arguments"), ("toolName", "parameters")])
def test_a_forced_tool_call_is_read_in_both_spellings_and_written_in_the_first(
    keys: tuple[str, str],
) -> None:
    call = {keys[0]: "book", keys[1]: {"guests": 2}}
    message = m.client_message({"type": "forced_agent_message", "toolCalls": [call]})

    assert isinstance(message, m.ForcedAgentMessage)
    assert message.tool_calls == (m.ToolCall(name="book", arguments={"guests": 2}),)
    assert '"toolCalls":[{"name":"book","arguments":{"guests":2}}]' in m.encode(message)


def test_a_tool_result_tells_an_unsaid_reaction_from_a_said_one() -> None:
    unsaid = m.client_message({"type": "client_tool_result", "invocationId": "a", "result": "ok"})
    said = m.client_message(
        {"type": "client_tool_result", "invocationId": "a", "agentReaction": "speaks"}
    )

    assert isinstance(unsaid, m.ClientToolResult)
    assert (unsaid.agent_reaction, unsaid.response_type) == (None, "tool-response")
    assert isinstance(said, m.ClientToolResult)
    assert said.agent_reaction == "speaks"


@pytest.mark.parametrize(("defer", "urgency"), [(None, "soon"), (False, "soon"), (True, "later")])
def test_an_input_text_message_says_the_same_as_a_user_text_message(
    defer: bool | None, urgency: m.Urgency
) -> None:
    old = m.InputTextMessage(text="Hi", defer_response=defer)

    assert old.as_user_text() == m.UserTextMessage(text="Hi", urgency=urgency)


@pytest.mark.parametrize("read", [m.client_message, m.server_message])
def test_an_unknown_type_passes_with_its_fields_and_goes_out_as_it_came(read: Read) -> None:
    fields: m.JsonObject = {"type": "brand_new", "some_thing": {"Deep": None}, "x": "é"}

    message = read(fields)

    assert message == m.UnknownMessage("brand_new", {"some_thing": {"Deep": None}, "x": "é"})
    assert isinstance(message, m.UnknownMessage)
    assert json.loads(m.encode(message)) == fields


def test_a_message_of_the_other_direction_is_unknown() -> None:
    assert isinstance(m.client_message({"type": "playback_clear_buffer"}), m.UnknownMessage)
    assert isinstance(m.server_message({"type": "hang_up"}), m.UnknownMessage)


def test_fields_that_only_a_server_knows_are_kept_in_events() -> None:
    event = m.server_message({"type": "call_event", "turnId": 7, "model_dump": [{"a_b": None}]})

    assert isinstance(event, m.CallEvent)
    assert json.loads(m.encode(event)) == {
        "type": "call_event",
        "turnId": 7,
        "model_dump": [{"a_b": None}],
    }


@pytest.mark.parametrize(
    ("given_fields", "expected"),
    [
        ({"text": "Hi", "delta": None}, {"text": "Hi"}),
        ({"text": "", "delta": " there"}, {"delta": " there"}),
        ({"text": "Hi", "delta": ""}, {"text": "Hi"}),
        ({"text": "", "delta": ""}, {"delta": ""}),
        ({"text": ""}, {"text": ""}),
        ({}, {"delta": ""}),
    ],
)
def test_a_transcript_without_exactly_one_text_is_read_as_what_it_must_mean(
    given_fields: m.JsonObject, expected: dict[str, str]
) -> None:
    message = m.server_message({"type": "transcript", "role": "user", **given_fields})

    assert message == m.Transcript(
        role="user",
        medium="voice",
        final=False,
        ordinal=0,
        **expected,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("both", [{}, {"text": "a", "delta": "b"}, {"text": "", "delta": ""}])
def test_our_own_transcript_must_have_exactly_one_of_text_and_delta(both: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one of text and delta"):
        m.Transcript(role="agent", final=False, ordinal=0, **both)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("read", "fields", "sentence"),
    [
        (m.client_message, [], "a data message must be a JSON object"),
        (m.client_message, None, "a data message must be a JSON object"),
        (m.server_message, {}, "a data message must have a type, a string"),
        (m.server_message, {"type": 7}, "a data message must have a type, a string"),
        (m.client_message, {"type": "x" * 101}, "the type of a data message has over 100"),
        (m.client_message, {"type": "ping"}, "ping: timestamp is missing"),
        (m.client_message, {"type": "ping", "timestamp": None}, "ping: timestamp is missing"),
        (
            m.client_message,
            {"type": "ping", "timestamp": SECRET},
            "ping: timestamp must be a number",
        ),
        (m.client_message, {"type": "ping", "timestamp": True}, "timestamp must be a number"),
        (
            m.client_message,
            {"type": "user_text_message", "text": {SECRET: 1}},
            "user_text_message: text must be a string",
        ),
        (
            m.client_message,
            {"type": "user_text_message", "text": "", "urgency": SECRET},
            "user_text_message: urgency must be 'immediate', 'soon' or 'later'",
        ),
        (
            m.client_message,
            {"type": "input_text_message", "text": "", "deferResponse": 1},
            "input_text_message: deferResponse must be true or false",
        ),
        (
            m.client_message,
            {"type": "client_tool_result", "invocationId": "x" * 257},
            "client_tool_result: invocationId must have at most 256 characters",
        ),
        (
            m.client_message,
            {"type": "client_tool_result", "invocationId": "", "updateCallState": [SECRET]},
            "client_tool_result: updateCallState must be an object",
        ),
        (
            m.client_message,
            {"type": "forced_agent_message", "toolCalls": {SECRET: 1}},
            "forced_agent_message: toolCalls must be a list",
        ),
        (
            m.client_message,
            {"type": "forced_agent_message", "toolCalls": [{"name": "a"}, SECRET]},
            "forced_agent_message: toolCalls[1] must be an object",
        ),
        (
            m.client_message,
            {"type": "forced_agent_message", "toolCalls": [{"arguments": {}}]},
            "forced_agent_message: toolCalls[0].name is missing",
        ),
        (
            m.client_message,
            {"type": "spawn_thread", "additionalMessages": [{"type": SECRET}]},
            "spawn_thread: additionalMessages[0] must have one of the types 'user_text_message',",
        ),
        (
            m.client_message,
            {"type": "spawn_thread", "additionalMessages": [{}]},
            "spawn_thread: additionalMessages[0] must have a type",
        ),
        (
            m.client_message,
            {"type": "spawn_thread", "limits": {"generationLimit": -1}},
            "spawn_thread: limits.generationLimit must be at least 0",
        ),
        (
            m.client_message,
            {"type": "spawn_thread", "limits": {"generationLimit": 1.5}},
            "spawn_thread: limits.generationLimit must be a whole number",
        ),
        (
            m.server_message,
            {"type": "transcript", "role": "agent", "text": "a", "delta": SECRET},
            "transcript: must have exactly one of text and delta",
        ),
        (
            m.server_message,
            {"type": "transcript", "role": "agent", "text": "a", "ordinal": 2**31},
            "transcript: ordinal must be at most 2147483647",
        ),
        (
            m.server_message,
            {"type": "client_tool_invocation", "toolName": "a", "invocationId": "b",
             "parameters": SECRET},
            "client_tool_invocation: parameters must be an object",
        ),
    ],
)  # fmt: skip
def test_a_broken_message_is_refused_naming_field_and_expectation_but_no_value(
    read: Read, fields: object, sentence: str
) -> None:
    with pytest.raises(RemoteWireError, match=re.escape(sentence)) as caught:
        read(fields)

    assert SECRET not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "message",
    [
        m.Debug(message="\ud800"),
        m.ClientToolInvocation(tool_name="a", invocation_id="b", parameters={"a": object()}),
        m.UnknownMessage("new", {"a": object()}),
        m.UnknownMessage("new", {"a": "\ud800"}),
    ],
)
def test_what_json_cannot_say_is_our_own_error(message: m.ServerMessage) -> None:
    with pytest.raises(LocalWireError, match="what JSON cannot say"):
        m.encode(message)


def test_the_token_of_a_room_is_not_in_its_printed_form() -> None:
    assert SECRET not in repr(m.RoomInfo(room_url="wss://127.0.0.1", token=SECRET))


@given(TEXTS, OBJECTS)
def test_an_invocation_comes_back_as_it_was_sent(name: str, parameters: m.JsonObject) -> None:
    sent = m.ClientToolInvocation(tool_name=name, invocation_id="a", parameters=parameters)

    assert m.server_message(json.loads(m.encode(sent))) == sent


@given(TEXTS, st.booleans(), st.booleans(), st.integers(0, 2**31 - 1))
def test_a_transcript_comes_back_as_it_was_sent(
    said: str, whole: bool, final: bool, ordinal: int
) -> None:
    sent = m.Transcript(
        role="agent",
        text=said if whole else None,
        delta=None if whole else said,
        final=final,
        ordinal=ordinal,
    )

    text = m.encode(sent)

    assert m.parse_server_message(text) == sent
    assert set(json.loads(text)) == {
        "type", "role", "medium", "final", "ordinal", "text" if whole else "delta",
    }  # fmt: skip


@given(st.sampled_from(SAMPLES), st.dictionaries(TEXTS, OBJECTS | TEXTS, max_size=3), st.data())
def test_any_object_gives_a_message_or_one_refusal(
    sample: Sample, extra: m.JsonObject, data: st.DataObject
) -> None:
    read, fields, _ = sample
    key = data.draw(st.sampled_from(sorted(fields)))

    try:
        message = read({**fields, **extra, key: data.draw(OBJECTS | TEXTS | st.integers())})
    except RemoteWireError as exc:
        message, sentence = None, str(exc)
    else:
        sentence = ""

    assert "\n" not in sentence
    assert sentence or isinstance(message, (m.DataMessage, m.UnknownMessage))
