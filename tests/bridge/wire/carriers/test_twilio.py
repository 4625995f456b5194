"""Twilio: what its documents say, line by line, and what its start may hold."""

import json
from typing import Any

import pytest

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import MediaFormat, Started, StartInfo
from bridge.wire.carriers.make import traits_of
from bridge.wire.carriers.twilio import TwilioWire
from tests.fakes.carrier_dialects import Twilio
from tests.fakes.carrier_transcripts import replay

TWILIO = Twilio()


def started(**changed: Any) -> Started:
    """The event of a start with some fields changed; None takes a field away."""
    fields = TWILIO.start()
    start = {**fields["start"], **changed}
    fields["start"] = {key: value for key, value in start.items() if value is not None}
    [event] = TwilioWire().receive_text(json.dumps(fields), 0.0)
    assert isinstance(event, Started)
    return event


def test_a_documented_call_is_understood_line_by_line() -> None:
    replay("twilio", TwilioWire())


def test_twilio_echoes_marks_and_hangs_up_by_rest() -> None:
    traits = traits_of("twilio")

    assert (traits.marks, traits.clears, traits.ends_by) == ("echoed", True, "rest")
    assert (traits.digits_by, traits.transfers) == ("tones", True)


def test_the_start_says_who_is_on_the_line() -> None:
    event = started(customParameters={"agent": "a1", "from": "+15550100", "n": 5, "o": {"a": 1}})

    assert event.info == StartInfo(
        call_id="CA0123456789abcdef0123456789abcdef",
        stream_id=TWILIO.stream_id,
        account_id="AC0123456789abcdef0123456789abcdef",
        parameters={"agent": "a1", "from": "+15550100", "n": "5", "o": '{"a":1}'},
        more={"tracks": ["inbound"]},
    )
    assert event.heard == event.played == MediaFormat("ulaw", 8_000)


@pytest.mark.parametrize("said", [None, {}, {"encoding": "AUDIO/X-MULAW", "sampleRate": "8000"}])
def test_the_format_may_be_left_out_or_written_otherwise(said: object) -> None:
    assert started(mediaFormat=said).heard == MediaFormat("ulaw", 8_000)


@pytest.mark.parametrize(
    "said",
    [{"encoding": "audio/x-alaw"}, {"sampleRate": 16000}, {"channels": 2}, {"sampleRate": "x"}],
)
def test_another_format_ends_the_call(said: object) -> None:
    with pytest.raises(RemoteWireError, match="mu-law at 8 kHz"):
        started(mediaFormat=said)


@pytest.mark.parametrize("call_id", [None, "", "CA 1", "CA\n1", "C" * 257, {}, "\u0421A1"])
def test_a_call_without_a_proper_id_ends(call_id: object) -> None:
    with pytest.raises(RemoteWireError, match="callSid"):
        started(callSid=call_id)


def test_an_id_may_have_256_characters() -> None:
    assert started(callSid="C" * 256).info.call_id == "C" * 256


def test_the_stream_may_be_named_outside_the_start_only() -> None:
    assert started(streamSid=None).info.stream_id == TWILIO.stream_id


def test_parameters_are_bounded() -> None:
    many = {f"name-{n}": "v" for n in range(100)}
    event = started(customParameters={"n" * 1_000: "v" * 10_000, **many})

    assert len(event.info.parameters) == 64
    assert event.info.parameters["n" * 128] == "v" * 4_096


@pytest.mark.parametrize("said", [None, [], "x", 5])
def test_parameters_that_are_no_object_are_none(said: object) -> None:
    assert started(customParameters=said).info.parameters == {}
