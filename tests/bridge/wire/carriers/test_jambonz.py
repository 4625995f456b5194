"""jambonz listen: transcript, what it says of a call, and every order of events."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import Ignored, MediaFormat, Started
from bridge.wire.carriers.jambonz import JambonzWire
from bridge.wire.carriers.make import WireOptions, make_wire, traits_of
from tests.fakes.carrier_orders import (
    Step,
    check_all_orders,
    names_of,
    try_mutants,
    try_order,
)
from tests.fakes.carrier_transcripts import replay

Fields = dict[str, Any]
START: Fields = {
    "sampleRate": 16000,
    "mixType": "mono",
    "callSid": "c-1",
    "callId": "sip-1",
    "from": "1",
    "to": "2",
    "accountSid": "a-1",
    "direction": "inbound",
    "topic": {"id": 7},
}
GOOD: list[Fields] = [
    START,
    {"type": "mark", "data": {"name": "m1", "event": "cleared"}},
    {"event": "dtmf", "dtmf": "5", "duration": "1600"},
]
STEPS: dict[str, Step] = {
    "start": json.dumps(START),
    "words": "no JSON at all",
    "audio": bytes(640),
    "half": bytes(641),
    "mark": json.dumps(GOOD[1]),
    "digit": json.dumps(GOOD[2]),
    "new event": '{"type":"tomorrow"}',
    "close": 1000,
    "break": 1006,
}


def test_a_documented_call_is_understood_line_by_line() -> None:
    replay("jambonz", make_wire("jambonz"))


def test_the_verb_is_ended_by_a_message() -> None:
    assert traits_of("jambonz").name == "jambonz"
    assert traits_of("jambonz").ends_by == "message"


def test_the_verbs_metadata_is_told_apart_from_the_calls_attributes() -> None:
    [event] = JambonzWire().receive_text(json.dumps(START), 0.0)

    assert isinstance(event, Started)
    assert event.info.call_id == "c-1"
    assert event.info.parameters == {"topic": '{"id":7}'}
    assert set(event.info.more) == set(START) - {"topic"}
    assert event.heard == event.played == MediaFormat("l16le", 16_000)


def test_the_rate_towards_the_caller_is_configured_where_it_is_another_one() -> None:
    wire = JambonzWire(WireOptions(played=MediaFormat("l16le", 8_000)))

    [event] = wire.receive_text(json.dumps(START), 0.0)

    assert isinstance(event, Started)
    assert (event.heard.rate_hz, event.played.rate_hz) == (16_000, 8_000)


def test_a_rate_that_nobody_resamples_ends_the_call() -> None:
    with pytest.raises(RemoteWireError, match="jambonz has audio at 64000 Hz: not supported"):
        JambonzWire().receive_text(json.dumps({**START, "sampleRate": 64_000}), 0.0)


def test_a_first_text_that_is_no_json_opens_nothing() -> None:
    [event] = JambonzWire().receive_text("words", 0.0)

    assert event == Ignored("bad", "the text is not JSON")


def test_fifty_messages_before_the_attributes_are_ignored_and_one_more_ends_the_call() -> None:
    wire = JambonzWire()

    for n in range(50):
        assert names_of(wire.receive_bytes(bytes(320), 0.02 * n)) == ["Ignored"]

    with pytest.raises(RemoteWireError, match="more than 50"):
        wire.receive_bytes(bytes(320), 1.0)


def test_every_order_of_events_keeps_the_rules() -> None:
    assert check_all_orders(JambonzWire, STEPS, longest=4) == 7_380


@pytest.mark.slow
def test_every_order_of_five_events_keeps_the_rules() -> None:
    assert check_all_orders(JambonzWire, STEPS, longest=5) == 66_429


@pytest.mark.parametrize("seed", range(20))
def test_damaged_messages_harm_nothing(seed: int) -> None:
    try_mutants(JambonzWire, [json.dumps(START)], GOOD, seed)


@given(st.lists(st.text(max_size=60) | st.binary(max_size=400), max_size=12))
def test_any_texts_and_bytes_are_taken(steps: list[str | bytes]) -> None:
    try_order(JambonzWire(), [json.dumps(START), *steps])
