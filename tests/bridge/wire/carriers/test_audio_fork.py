"""mod_audio_fork: transcript, openings with and without metadata, its markers, and every order of events."""

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import LocalWireError, RemoteWireError
from bridge.wire.carriers.audio_fork import AudioForkWire
from bridge.wire.carriers.base import (
    AudioIn,
    DigitIn,
    Ignored,
    MarkFlushed,
    MarkReached,
    MediaFormat,
    SendsAway,
    Started,
)
from bridge.wire.carriers.make import WireOptions, make_wire, traits_of
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
METADATA: Fields = {"callid": "a-1", "from": "1", "sampleRate": 8000, "mixType": "mono"}
GOOD: list[Fields] = [
    METADATA,
    {"type": "mark", "data": {"name": "m1", "event": "playout"}},
    {"event": "dtmf", "dtmf": "5", "duration": "1600"},
]
STEPS: dict[str, Step] = {
    "metadata": json.dumps(METADATA),
    "words": "no JSON at all",
    "audio": bytes(320),
    "half": bytes(319),
    "mark": json.dumps(GOOD[1]),
    "digit": json.dumps(GOOD[2]),
    "nothing": b"",
    "new event": '{"type":"tomorrow"}',
    "close": 1000,
}


def started(**changes: object) -> AudioForkWire:
    wire = AudioForkWire()
    [event] = wire.receive_text(json.dumps({**METADATA, **changes}), 0.0)
    assert isinstance(event, Started)
    return wire


def test_a_documented_call_is_understood_line_by_line() -> None:
    replay("audio_fork", make_wire("audio_fork"))


@pytest.mark.parametrize("name", ["audio_fork", "jambonz"])
def test_messages_hold_what_the_module_holds_back(name: Any) -> None:
    traits = traits_of(name)

    assert traits.frame_ms * 8 >= 640  # samples at 8 kHz
    assert traits.whole_frames
    assert traits.marks == "told"


def test_a_stream_without_metadata_opens_with_its_first_audio() -> None:
    wire = AudioForkWire(WireOptions(l16_rate_hz=16_000))

    event, audio = wire.receive_bytes(bytes(640), 0.0)

    assert isinstance(event, Started)
    assert event.heard == event.played == MediaFormat("l16le", 16_000)
    assert event.info.call_id == ""
    assert audio == AudioIn(bytes(640))


def test_metadata_that_is_no_json_is_a_parameter() -> None:
    [event] = AudioForkWire().receive_text("sales, line 2", 0.0)

    assert isinstance(event, Started)
    assert event.info.parameters == {"metadata": "sales, line 2"}


def test_metadata_after_the_first_audio_opens_nothing_again() -> None:
    wire = AudioForkWire()
    wire.receive_bytes(bytes(320), 0.0)

    assert names_of(wire.receive_text(json.dumps(METADATA), 0.0)) == ["Ignored"]


@pytest.mark.parametrize(
    ("changes", "heard"),
    [
        ({"sampleRate": "16000"}, MediaFormat("l16le", 16_000)),
        ({"mixType": "Stereo"}, MediaFormat("l16le", 8_000, 2)),
        ({"mixType": "mixed", "sampleRate": None}, MediaFormat("l16le", 8_000)),
    ],
)
def test_metadata_may_say_rate_and_channels(changes: Fields, heard: MediaFormat) -> None:
    [event] = AudioForkWire().receive_text(json.dumps({**METADATA, **changes}), 0.0)

    assert isinstance(event, Started)
    assert event.heard == heard
    assert event.played == MediaFormat("l16le", heard.rate_hz)


def test_a_rate_that_nobody_resamples_ends_the_call() -> None:
    with pytest.raises(RemoteWireError, match="FreeSWITCH has audio at 64000 Hz: not supported"):
        started(sampleRate=64_000)


def test_what_the_module_plays_may_have_another_rate_by_configuration() -> None:
    wire = AudioForkWire(WireOptions(played=MediaFormat("l16le", 24_000)))

    [event] = wire.receive_text(json.dumps(METADATA), 0.0)

    assert isinstance(event, Started)
    assert event.played.rate_hz == 24_000


@given(st.lists(st.sampled_from([-2, -1, 0, 255, -256, 32_767]), min_size=1, max_size=50))
def test_no_sample_of_ours_passes_for_a_marker_and_all_others_stay(values: list[int]) -> None:
    samples = np.array(values, np.int16)

    sent = started().audio(samples.tobytes())

    assert isinstance(sent, bytes)
    assert np.frombuffer(sent, np.int16).tolist() == [
        0 if value == -1 else value for value in values
    ]


def test_a_message_has_at_most_65500_bytes_and_whole_samples() -> None:
    wire = started()

    assert wire.audio(bytes(65_500)) == bytes(65_500)
    for wrong in (0, 65_502):
        with pytest.raises(LocalWireError, match=f"{wrong} bytes"):
            wire.audio(bytes(wrong))
    with pytest.raises(LocalWireError, match="inside a sample"):
        wire.audio(bytes(3))
    with pytest.raises(LocalWireError, match="before its stream has started"):
        AudioForkWire().audio(bytes(320))


def test_a_mark_is_told_apart_from_a_cleared_one() -> None:
    wire = started()
    mark = {"type": "mark", "data": {"name": "m1"}}

    assert wire.receive_text(json.dumps(mark), 0.0) == [MarkReached("m1")]
    mark["data"] = {"name": "m1", "event": "cleared"}
    assert wire.receive_text(json.dumps(mark), 0.0) == [MarkFlushed("m1")]


@pytest.mark.parametrize("data", [None, {}, [], {"name": None}, {"name": "a b"}])
def test_a_mark_without_a_name_proves_nothing(data: object) -> None:
    [event] = started().receive_text(json.dumps({"type": "mark", "data": data}), 0.0)

    assert isinstance(event, Ignored)
    assert event.reason == "bad"


@pytest.mark.parametrize("message", [{"event": "dtmf", "dtmf": "5"}, {"type": "dtmf", "digit": 5}])
def test_a_key_is_taken_however_the_application_forwards_it(message: Fields) -> None:
    assert started().receive_text(json.dumps(message), 0.0) == [DigitIn("5")]


def test_two_channels_are_whole_only_together() -> None:
    wire = started(mixType="stereo")

    assert names_of(wire.receive_bytes(bytes(4), 0.0)) == ["AudioIn"]
    assert names_of(wire.receive_bytes(bytes(6), 0.0)) == ["Ignored"]


def test_metadata_is_kept_within_bounds() -> None:
    long = {**METADATA, "callid": "c" * 900, "from": "f" * 900, "k" * 900: "v" * 9_000}
    for text in (json.dumps(long), "w" * 9_000):
        [event] = AudioForkWire().receive_text(text, 0.0)

        assert isinstance(event, Started)
        check_bounded(event.info)


def test_every_order_of_events_keeps_the_rules() -> None:
    assert check_all_orders(AudioForkWire, STEPS, longest=4) == 7_380


@pytest.mark.slow
def test_every_order_of_five_events_keeps_the_rules() -> None:
    assert check_all_orders(AudioForkWire, STEPS, longest=5) == 66_429


@pytest.mark.parametrize("seed", range(20))
def test_damaged_messages_harm_nothing(seed: int) -> None:
    try_mutants(AudioForkWire, [json.dumps(METADATA)], GOOD, seed)


@given(st.lists(st.text(max_size=60) | st.binary(max_size=400), max_size=12))
def test_any_texts_and_bytes_are_taken(steps: list[str | bytes]) -> None:
    try_order(AudioForkWire(), [*steps])


def test_a_caller_is_sent_elsewhere_by_a_message_that_the_application_carries_out() -> None:
    wire = started()
    assert isinstance(wire, SendsAway)

    assert wire.transfer('+1"5') == ('{"type":"transfer","data":{"target":"+1\\"5"}}',)
    assert AudioForkWire().transfer("+15") == ()
    assert traits_of("audio_fork").transfers
    assert not traits_of("jambonz").transfers
