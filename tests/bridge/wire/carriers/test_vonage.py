"""Vonage's WebSocket: its transcript, its exact frames, every order of events, and damaged messages."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.carriers.base import DigitIn, Ignored, MediaFormat, Started
from bridge.wire.carriers.make import make_wire, traits_of
from bridge.wire.carriers.vonage import VonageWire
from tests.fakes.carrier_orders import (
    Step,
    check_all_orders,
    check_bounded,
    names_of,
    try_mutants,
    try_order,
)
from tests.fakes.carrier_transcripts import replay

Fields = dict[str, Any]
START: Fields = {
    "event": "websocket:connected",
    "content-type": "audio/l16;rate=8000",
    "uuid": "u-1",
    "from": "1",
    "to": "2",
    "plan": {"a": 1},
}
GOOD: list[Fields] = [
    START,
    {"event": "websocket:dtmf", "digit": "5", "duration": 260},
    {"event": "websocket:notify", "payload": {"name": "m1"}},
    {"event": "websocket:cleared"},
]
STEPS: dict[str, Step] = {
    "start": json.dumps(START),
    "audio": bytes(320),
    "digit": json.dumps(GOOD[1]),
    "notify": json.dumps(GOOD[2]),
    "cleared": json.dumps(GOOD[3]),
    "nothing": b"",
    "garbage": "[]",
    "new event": '{"event":"websocket:tomorrow"}',
    "close": 1000,
}


def started(**changes: object) -> VonageWire:
    wire = VonageWire()
    [event] = wire.receive_text(json.dumps({**START, **changes}), 0.0)
    assert isinstance(event, Started)
    return wire


def test_a_documented_call_is_understood_line_by_line() -> None:
    replay("vonage", make_wire("vonage"))


def test_the_phone_call_is_ended_beside_the_socket() -> None:
    assert traits_of("vonage").ends_by == "rest"
    assert started().hang_up() == started().digits("1") == ()


@pytest.mark.parametrize(
    ("content_type", "rate_hz"),
    [
        ("audio/l16;rate=8000", 8_000),
        ("audio/l16;rate=16000", 16_000),
        (" Audio/L16; rate = 24000 ", 24_000),
    ],
)
def test_the_content_type_says_the_rate_of_both_directions(content_type: str, rate_hz: int) -> None:
    [event] = VonageWire().receive_text(json.dumps({**START, "content-type": content_type}), 0.0)

    assert isinstance(event, Started)
    assert event.heard == event.played == MediaFormat("l16le", rate_hz)


@pytest.mark.parametrize("content_type", ["", None, 16_000, "audio/pcmu;rate=8000", "audio/l16"])
def test_another_content_type_is_no_start(content_type: object) -> None:
    message = json.dumps({**START, "content-type": content_type})

    [event] = VonageWire().receive_text(message, 0.0)

    assert event == Ignored("bad", "content-type is not audio/l16 with a rate")


def test_a_rate_that_nobody_resamples_ends_the_call() -> None:
    with pytest.raises(RemoteWireError, match="Vonage has audio at 7000 Hz: not supported"):
        started(**{"content-type": "audio/l16;rate=7000"})


@pytest.mark.parametrize(("rate_hz", "n_bytes"), [(8_000, 320), (16_000, 640), (24_000, 960)])
def test_a_message_of_ours_holds_exactly_20_ms(rate_hz: int, n_bytes: int) -> None:
    wire = started(**{"content-type": f"audio/l16;rate={rate_hz}"})

    assert wire.audio(bytes(n_bytes)) == bytes(n_bytes)
    for wrong in (0, n_bytes - 2, n_bytes + 2, 2 * n_bytes):
        with pytest.raises(LocalWireError, match=f"takes {n_bytes} bytes at once, not {wrong}"):
            wire.audio(bytes(wrong))


def test_audio_before_the_start_is_a_bug_here() -> None:
    with pytest.raises(LocalWireError, match="takes 0 bytes"):
        VonageWire().audio(b"")


def test_their_messages_of_another_length_are_heard_and_complained_of_once() -> None:
    wire = started()

    events = [event for n in range(6) for event in wire.receive_bytes(bytes(640), 0.04 * n)]

    assert names_of(events).count("AudioIn") == 6
    assert names_of(events).count("CarrierWarning") == 1


def test_half_a_sample_is_dropped_whole() -> None:
    [event] = started().receive_bytes(bytes(319), 0.0)

    assert event == Ignored("bad", "a binary message ends inside a sample")


def test_a_key_inside_an_object_is_taken_too() -> None:
    wire = started()

    assert wire.receive_text('{"event":"websocket:dtmf","dtmf":{"digit":"9"}}', 0.0) == [
        DigitIn("9")
    ]
    assert wire.receive_text('{"event":"websocket:dtmf","digit":7}', 0.0) == [DigitIn("7")]


@pytest.mark.parametrize(
    "payload", [None, {}, "m1", {"name": ""}, {"name": "two words"}, {"name": ["m"]}]
)
def test_a_notify_that_is_not_ours_proves_nothing(payload: object) -> None:
    message = json.dumps({"event": "websocket:notify", "payload": payload})

    [event] = started().receive_text(message, 0.0)

    assert isinstance(event, Ignored)
    assert event.reason == "bad"


def test_headers_are_kept_within_bounds() -> None:
    wire = VonageWire()
    many = {f"{n:03}" + "k" * 300: "v" * (420 * n) for n in range(12)}

    few = {f"x{n}": n for n in range(100)}

    [event] = wire.receive_text(json.dumps({**many, **few, **START, "from": "9" * 5_000}), 0.0)

    assert isinstance(event, Started)
    check_bounded(event.info)


def test_a_second_connected_ends_the_call() -> None:
    with pytest.raises(RemoteWireError, match="Vonage started the stream a second time"):
        started().receive_text(json.dumps(START), 0.1)


def test_fifty_messages_before_the_start_are_ignored_and_one_more_ends_the_call() -> None:
    wire = VonageWire()

    for n in range(50):
        assert names_of(wire.receive_bytes(bytes(320), 0.02 * n)) == ["Ignored"]

    with pytest.raises(RemoteWireError, match="more than 50"):
        wire.receive_text(json.dumps(GOOD[1]), 1.0)


def test_every_order_of_events_keeps_the_rules() -> None:
    assert check_all_orders(VonageWire, STEPS, longest=4) == 7_380


@pytest.mark.slow
def test_every_order_of_five_events_keeps_the_rules() -> None:
    assert check_all_orders(VonageWire, STEPS, longest=5) == 66_429


@pytest.mark.parametrize("seed", range(20))
def test_damaged_messages_harm_nothing(seed: int) -> None:
    try_mutants(VonageWire, [json.dumps(START)], GOOD, seed)


@given(st.lists(st.text(max_size=60) | st.binary(max_size=700), max_size=12))
def test_any_texts_and_bytes_are_taken(steps: list[str | bytes]) -> None:
    try_order(VonageWire(), [json.dumps(START), *steps])
