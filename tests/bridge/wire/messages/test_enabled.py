"""The switches for data messages and their defaults per carrier."""

import pytest

from bridge.wire.messages import SERVER_TYPES, Carrier, EnabledDataMessages

ALWAYS_ON = {"pong", "state", "transcript", "client_tool_invocation", "call_started"}
ALWAYS_OFF = {
    "debug",
    "call_event",
    "tool_used",
    "user_started_speaking",
    "user_stopped_speaking",
    "invoking_tool",
}


@pytest.mark.parametrize(
    ("carrier", "own"),
    [
        ("server_web_socket", {"playback_clear_buffer"}),
        ("web_rtc", set()),
        ("data_connection", {"data_connection_tool_invocation"}),
    ],
)
def test_each_carrier_has_its_own_defaults(carrier: Carrier, own: set[str]) -> None:
    switches = EnabledDataMessages.for_carrier(carrier)

    on = {name for name in EnabledDataMessages.model_fields if switches.enabled(name)}

    assert on == ALWAYS_ON | own
    assert not on & ALWAYS_OFF


def test_a_switch_that_is_given_counts_and_the_others_keep_their_defaults() -> None:
    given = EnabledDataMessages.model_validate(
        {"callEvent": True, "playbackClearBuffer": False, "state": None}
    )

    switches = EnabledDataMessages.for_carrier("server_web_socket", given)

    assert switches.enabled("call_event")
    assert not switches.enabled("playback_clear_buffer")
    assert switches.enabled("state")
    assert switches.enabled("transcript")


def test_a_default_that_is_given_is_told_from_one_that_is_not() -> None:
    given = EnabledDataMessages.model_validate({"playbackClearBuffer": False})

    assert given.model_fields_set == {"playback_clear_buffer"}
    assert EnabledDataMessages().model_fields_set == set()


@pytest.mark.parametrize("message_type", ["thread_spawned", "room_info", "brand_new", "__class__"])
def test_messages_without_a_switch_are_always_sent(message_type: str) -> None:
    assert EnabledDataMessages.for_carrier("web_rtc").enabled(message_type)


def test_every_switch_is_a_message_of_the_server() -> None:
    assert set(EnabledDataMessages.model_fields) <= set(SERVER_TYPES)


def test_more_types_can_be_switched_on_and_unknown_ones_are_passed_over() -> None:
    before = EnabledDataMessages.for_carrier("web_rtc")
    after = before.with_more(["call_event", "no_such_thing", "model_fields", ""])
    assert after.call_event
    assert not before.call_event
    assert after.model_dump() == {**before.model_dump(), "call_event": True}
