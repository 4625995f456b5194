"""The limits that all carriers with binary audio share, each from both sides."""

import json

import pytest

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import AudioIn, CarrierWire, Ignored, Stopped
from bridge.wire.carriers.vonage import VonageWire
from tests.fakes.carrier_orders import names_of

START = json.dumps({"event": "websocket:connected", "content-type": "audio/l16;rate=16000"})
NEW_EVENT = '{"event":"websocket:tomorrow"}'


def started() -> CarrierWire:
    wire = VonageWire()
    wire.receive_text(START, 0.0)
    return wire


def test_a_message_without_audio_is_ignored() -> None:
    assert started().receive_bytes(b"", 0.0) == [Ignored("empty", "a binary message without audio")]


def test_a_binary_message_has_at_most_64_kib() -> None:
    wire = started()

    assert wire.receive_bytes(bytes(65_536), 0.0) == [AudioIn(bytes(65_536))]
    with pytest.raises(RemoteWireError) as refused:
        wire.receive_bytes(bytes(65_538), 0.0)
    assert refused.value.close_code == 1009


def test_ten_seconds_of_audio_may_come_at_once_and_more_is_dropped() -> None:
    wire = started()

    events = [event for _ in range(600) for event in wire.receive_bytes(bytes(640), 5.0)]

    assert names_of(events[:500]) == ["AudioIn"] * 500
    assert set(names_of(events[500:])) == {"Ignored"}
    assert names_of(wire.receive_bytes(bytes(640), 5.1)) == ["AudioIn"]


def test_audio_may_come_four_times_as_fast_as_time_and_no_faster() -> None:
    wire = started()
    for _ in range(500):
        wire.receive_bytes(bytes(640), 0.0)

    heard = [len(wire.receive_bytes(bytes(640), n / 200)) for n in range(1, 401)]
    faster = [wire.receive_bytes(bytes(640), 2 + n / 400)[0] for n in range(1, 401)]

    assert heard == [1] * 400
    assert 200 <= names_of(faster).count("AudioIn") <= 201


def test_a_thousand_messages_of_audio_may_come_at_once_and_one_more_ends_the_call() -> None:
    wire = started()

    for _ in range(1_000):
        assert names_of(wire.receive_bytes(bytes(2), 0.0)) in (
            ["AudioIn"],
            ["AudioIn", "CarrierWarning"],
        )

    with pytest.raises(RemoteWireError, match="more than 500 audio messages per second"):
        wire.receive_bytes(bytes(2), 0.0)


def test_two_hundred_texts_may_come_at_once_and_one_more_ends_the_call() -> None:
    wire = VonageWire()
    wire.receive_text(START, 0.0)

    for _ in range(199):
        assert wire.receive_text(NEW_EVENT, 0.0) == [Ignored("unknown", "websocket:tomorrow")]

    with pytest.raises(RemoteWireError, match="more than 100 messages per second"):
        wire.receive_text(NEW_EVENT, 0.0)


def test_99_bad_messages_in_ten_seconds_are_ignored_and_the_hundredth_ends_the_call() -> None:
    wire = started()

    for n in range(99):
        assert names_of(wire.receive_text("{", n / 10)) == ["Ignored"]

    with pytest.raises(RemoteWireError, match="100 bad messages in 10 s"):
        wire.receive_text("{", 9.99)


def test_bad_messages_now_and_then_are_only_ignored() -> None:
    wire = started()

    for n in range(300):
        assert names_of(wire.receive_bytes(bytes(3), n / 9)) == ["Ignored"]


def test_after_a_refusal_nothing_is_taken_and_the_end_comes_once() -> None:
    wire = started()
    with pytest.raises(RemoteWireError):
        wire.receive_text(START, 0.1)

    assert names_of(wire.receive_bytes(bytes(640), 0.2)) == ["Ignored"]
    assert names_of(wire.receive_text(NEW_EVENT, 0.2)) == ["Ignored"]
    assert wire.mark("m") == wire.clear() == wire.hang_up() == ()
    [stopped] = wire.receive_close(1008, "", ours=True)
    assert isinstance(stopped, Stopped)
    assert stopped.cause == "stopped"
    assert wire.receive_close(1006, "", ours=False) == []
