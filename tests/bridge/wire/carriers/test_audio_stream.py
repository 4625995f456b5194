"""mod_audio_stream: transcript, the size of its messages, and every order of events."""

import json
from base64 import b64decode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.carriers.audio_stream import LONGEST_TEXT, RATES_HZ, AudioStreamWire
from bridge.wire.carriers.base import Ignored, MediaFormat, Started
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
METADATA: Fields = {"uuid": "u-1", "sampleRate": 16000}
GOOD: list[Fields] = [METADATA, {"event": "dtmf", "dtmf": "5"}]
STEPS: dict[str, Step] = {
    "metadata": json.dumps(METADATA),
    "words": "no JSON at all",
    "audio": bytes(640),
    "half": bytes(641),
    "digit": json.dumps(GOOD[1]),
    "nothing": b"",
    "new event": '{"type":"tomorrow"}',
    "close": 1000,
    "break": 1006,
}


def started(rate_hz: int = 16_000) -> AudioStreamWire:
    wire = AudioStreamWire()
    [event] = wire.receive_text(json.dumps({**METADATA, "sampleRate": rate_hz}), 0.0)
    assert isinstance(event, Started)
    return wire


def test_a_documented_call_is_understood_line_by_line() -> None:
    replay("audio_stream", make_wire("audio_stream"))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_frame_of_ours_fits_into_a_message_at_every_rate(rate_hz: int) -> None:
    frame = bytes(traits_of("audio_stream").frame_ms * rate_hz // 1_000 * 2)

    assert len(started(rate_hz).audio(frame)) <= LONGEST_TEXT


def test_a_message_has_at_most_8192_characters() -> None:
    wire = started()

    longest = str(wire.audio(bytes(6_078)))
    assert LONGEST_TEXT - 4 < len(longest) <= LONGEST_TEXT
    with pytest.raises(LocalWireError, match="6080 bytes"):
        wire.audio(bytes(6_080))
    with pytest.raises(LocalWireError, match="9000 bytes"):
        wire.audio(bytes(9_000))


@pytest.mark.parametrize("wrong", [0, 1, 319])
def test_half_a_sample_and_nothing_at_all_are_not_sent(wrong: int) -> None:
    with pytest.raises(LocalWireError, match=f"{wrong} bytes"):
        started().audio(bytes(wrong))


def test_audio_before_the_start_is_a_bug_here() -> None:
    with pytest.raises(LocalWireError, match="before its stream has started"):
        AudioStreamWire().audio(bytes(320))


@given(st.binary(min_size=1, max_size=2_000))
def test_what_is_sent_is_json_that_holds_the_audio(payload: bytes) -> None:
    sent = json.loads(started(8_000).audio(payload * 2))

    assert b64decode(sent["data"].pop("audioData")) == payload * 2
    assert sent == {"type": "streamAudio", "data": {"audioDataType": "raw", "sampleRate": 8_000}}


def test_nothing_else_can_be_asked_for() -> None:
    wire = started()

    assert wire.mark("m1") == wire.clear() == wire.hang_up() == wire.digits("1") == ()
    traits = traits_of("audio_stream")
    assert (traits.marks, traits.clears, traits.ends_by) == ("none", False, "close")


def test_the_rate_is_configured_where_metadata_does_not_say_it() -> None:
    wire = AudioStreamWire(WireOptions(l16_rate_hz=16_000))

    event, _ = wire.receive_bytes(bytes(640), 0.0)

    assert isinstance(event, Started)
    assert event.heard == event.played == MediaFormat("l16le", 16_000)


@pytest.mark.parametrize("rate_hz", [24_000, 48_000, 7])
def test_a_rate_that_the_module_does_not_have_ends_the_call(rate_hz: int) -> None:
    with pytest.raises(RemoteWireError, match=f"{rate_hz} Hz: not supported"):
        started(rate_hz)


def test_a_text_of_the_application_that_is_no_json_is_ignored() -> None:
    [event] = started().receive_text("hello", 0.0)

    assert event == Ignored("bad", "the text is not JSON")


def test_a_second_metadata_opens_nothing_again() -> None:
    assert names_of(started().receive_text(json.dumps(METADATA), 0.1)) == ["Ignored"]


def test_every_order_of_events_keeps_the_rules() -> None:
    assert check_all_orders(AudioStreamWire, STEPS, longest=4) == 7_380


@pytest.mark.slow
def test_every_order_of_five_events_keeps_the_rules() -> None:
    assert check_all_orders(AudioStreamWire, STEPS, longest=5) == 66_429


@pytest.mark.parametrize("seed", range(20))
def test_damaged_messages_harm_nothing(seed: int) -> None:
    try_mutants(AudioStreamWire, [json.dumps(METADATA)], GOOD, seed)


@given(st.lists(st.text(max_size=60) | st.binary(max_size=400), max_size=12))
def test_any_texts_and_bytes_are_taken(steps: list[str | bytes]) -> None:
    try_order(AudioStreamWire(), [*steps])
