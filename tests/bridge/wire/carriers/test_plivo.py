"""Plivo, and Vobiz as well: what their documents say, line by line, formats, headers and keys."""

import base64
import json
import random
from typing import Any

import pytest

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import (
    AudioIn,
    AudioMissing,
    CarrierEvent,
    MarkReached,
    MediaFormat,
    Started,
    Stopped,
)
from bridge.wire.carriers.make import traits_of
from bridge.wire.carriers.plivo import PlivoWire
from tests.fakes.carrier_dialects import Plivo
from tests.fakes.carrier_transcripts import replay

PLIVO = Plivo()


def take(wire: PlivoWire, fields: dict[str, Any]) -> list[CarrierEvent]:
    return wire.receive_text(json.dumps(fields), 0.0)


def started(fields: dict[str, Any] | None = None, **changed: Any) -> Started:
    """The event of a start with some fields changed; None takes a field away."""
    fields = {**PLIVO.start(), **(fields or {})}
    start = {**fields["start"], **changed}
    fields["start"] = {key: value for key, value in start.items() if value is not None}
    [event] = take(PlivoWire(), fields)
    assert isinstance(event, Started)
    return event


def live() -> PlivoWire:
    wire = PlivoWire()
    take(wire, PLIVO.start())
    return wire


@pytest.mark.parametrize("name", ["plivo", "plivo_vobiz"])
def test_a_documented_call_is_understood_line_by_line(name: str) -> None:
    replay(name, PlivoWire())


def test_plivo_is_silent_about_flushed_marks_and_presses_keys_by_message() -> None:
    traits = traits_of("plivo")

    assert (traits.marks, traits.clears, traits.ends_by) == ("silent", True, "rest")
    assert (traits.digits_by, traits.transfers) == ("message", True)


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ({"encoding": "audio/x-mulaw", "sampleRate": 8000}, MediaFormat("ulaw", 8_000)),
        ({"encoding": "audio/x-mulaw"}, MediaFormat("ulaw", 8_000)),
        ({"encoding": "AUDIO/X-L16; rate=16000"}, MediaFormat("l16le", 16_000)),
        ({"encoding": "audio/x-l16", "sampleRate": "8000"}, MediaFormat("l16le", 8_000)),
    ],
)
def test_formats_may_be_written_in_several_ways(said: Any, heard: MediaFormat) -> None:
    event = started(mediaFormat=said)

    assert event.heard == event.played == heard


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"encoding": "audio/opus"},
        {"encoding": "audio/x-l16", "sampleRate": 24000},
        {"encoding": "audio/x-mulaw", "sampleRate": 16000},
        {"encoding": 5},
    ],
)
def test_other_formats_end_the_call(said: Any) -> None:
    with pytest.raises(RemoteWireError, match="neither mu-law"):
        started(mediaFormat=said)


@pytest.mark.parametrize("changed", [{"callId": None}, {"callId": "a b"}, {"streamId": None}])
def test_a_call_or_stream_without_an_id_ends(changed: dict[str, Any]) -> None:
    with pytest.raises(RemoteWireError, match=next(iter(changed))):
        started(**changed)


def test_ids_may_be_numbers() -> None:
    assert started(accountId=500025).info.account_id == "500025"


def test_the_stream_may_be_named_outside_the_start_only() -> None:
    event = started({"streamId": "outside"}, streamId=None)

    assert event.info.stream_id == "outside"


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("a=1,b=2", {"a": "1", "b": "2"}),
        (" a = 1 , b ,=, c=x=y", {"a": "1", "": "", "c": "x=y"}),
        ("{}", {}),
        ('{"a": "1", "b": 2}', {"a": "1", "b": "2"}),
        ('{"a": "1"', {}),
        ({"a": "1"}, {"a": "1"}),
        ("", {}),
        (None, {}),
        (5, {}),
        ([], {}),
    ],
)
def test_extra_headers_are_parameters_however_they_are_written(
    said: Any, found: dict[str, str]
) -> None:
    assert started({"extra_headers": said}).info.parameters == found


def test_a_checkpoint_that_was_played_needs_no_stream_id() -> None:
    assert take(live(), {"event": "playedStream", "name": "m"}) == [MarkReached("m")]


def test_a_stop_is_taken_though_none_is_documented() -> None:
    [event] = take(live(), {"event": "stop"})

    assert event == Stopped("stopped")


def test_only_keys_that_telephones_have_are_pressed() -> None:
    wire = live()

    assert wire.digits("1a2 w#'}*") == ('{"event":"sendDTMF","dtmf":"1A2#*"}',)
    assert wire.digits("wx") == wire.digits("") == ()
    assert PlivoWire().digits("1") == ()


# The caller's audio


def jittered(number: int, chance: random.Random) -> dict[str, Any]:
    """A chunk whose timestamp is late by a little, or by more than the one after it."""
    fields = PLIVO.media(number)
    late_ms = round(1_000 * chance.expovariate(1 / 0.008))
    fields["media"]["timestamp"] = str(int(fields["media"]["timestamp"]) + late_ms)
    return fields


@pytest.mark.parametrize("seed", range(5))
def test_timestamps_that_jitter_are_no_fault_of_the_audio_and_cost_nothing(seed: int) -> None:
    wire, chance = live(), random.Random(seed)
    n_short = 0
    for number in range(1, 1_001):
        text, now_s = json.dumps(jittered(number, chance)), number * 0.02
        if wire.hear(text, now_s) is None:
            assert [type(event) for event in wire.receive_text(text, now_s)] == [AudioIn]
        else:
            n_short += 1

    assert n_short >= 998


def test_a_chunk_that_is_missing_is_told_by_its_number_whatever_the_timestamps_say() -> None:
    wire, chance = live(), random.Random(1)
    for number in (1, 2, 3):
        assert len(wire.receive_text(json.dumps(jittered(number, chance)), 0.1)) == 1
    fields = jittered(6, chance)
    fields["media"]["timestamp"] = "1"

    assert take(wire, fields) == [
        AudioMissing(40.0),
        AudioIn(base64.b64decode(fields["media"]["payload"])),
    ]
    assert wire.hear(json.dumps(jittered(7, chance)), 0.2) is not None
