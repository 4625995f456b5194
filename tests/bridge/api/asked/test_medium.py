from typing import Any

import pytest

from bridge.api.asked.medium import medium_from
from bridge.api.bodies import fit
from bridge.api.problems import Problems
from bridge.api.refusal import Refused
from bridge.api.schemas.medium import CallMedium
from bridge.api.schemas.start_call import StartCallRequest
from bridge.calls.settings import (
    SAMPLE_RATES_HZ,
    Dial,
    DtmfHandling,
    Medium,
    PhoneMedium,
    ServerSocketMedium,
    WebRtcMedium,
)


def read_any(medium: object) -> Medium:
    problems = Problems()
    asked = None if medium is None else CallMedium.model_validate(medium)
    made = medium_from(asked, problems)
    problems.raise_any()
    return made


def read(medium: object) -> ServerSocketMedium:
    made = read_any(medium)
    assert isinstance(made, ServerSocketMedium)
    return made


def read_phone(medium: object) -> PhoneMedium:
    made = read_any(medium)
    assert isinstance(made, PhoneMedium)
    return made


def body_for(medium: object) -> dict[str, Any]:
    with pytest.raises(Refused) as caught:
        read_any(medium)
    assert caught.value.status == 400
    return dict(caught.value.body)


def test_a_server_socket_has_the_vendors_defaults() -> None:
    made = read({"serverWebSocket": {"inputSampleRate": 8000}})

    assert (made.input_hz, made.output_hz, made.client_buffer_ms) == (8000, 8000, 60)
    assert made.media_idle_timeout_s is None
    assert made.data_messages.playback_clear_buffer
    assert not made.data_messages.user_started_speaking


def test_a_server_socket_is_made_as_asked() -> None:
    asked = {
        "inputSampleRate": 16_000,
        "outputSampleRate": 24_000,
        "clientBufferSizeMs": 30_000,
        "dataMessages": {"playbackClearBuffer": False, "userStartedSpeaking": True},
        "mediaIdleTimeout": "45s",
    }

    made = read({"serverWebSocket": asked})

    assert (made.input_hz, made.output_hz, made.client_buffer_ms) == (16_000, 24_000, 30_000)
    assert made.media_idle_timeout_s == 45.0
    assert not made.data_messages.playback_clear_buffer
    assert made.data_messages.user_started_speaking
    assert made.data_messages.transcript


def test_an_idle_timeout_below_ten_seconds_counts_as_ten() -> None:
    made = read({"serverWebSocket": {"inputSampleRate": 8000, "mediaIdleTimeout": "0.5s"}})

    assert made.media_idle_timeout_s == 10.0


@pytest.mark.parametrize("rate_hz", SAMPLE_RATES_HZ)
def test_every_supported_rate_is_taken_both_ways(rate_hz: int) -> None:
    made = read({"serverWebSocket": {"inputSampleRate": rate_hz, "outputSampleRate": rate_hz}})

    assert (made.input_hz, made.output_hz) == (rate_hz, rate_hz)


@pytest.mark.parametrize("rate_hz", [-8000, 0, 7999, 48_001, 2**31 - 1])
def test_a_rate_outside_of_the_range_is_refused(rate_hz: int) -> None:
    body = body_for({"serverWebSocket": {"inputSampleRate": rate_hz}})

    sentence = "A rate from 8000 to 48000 Hz is needed here."
    assert body == {"serverWebSocket": {"inputSampleRate": [sentence]}}


@pytest.mark.parametrize("rate_hz", [8001, 44_000])
def test_a_rate_that_no_resampler_has_is_refused_with_those_there_are(rate_hz: int) -> None:
    body = body_for({"serverWebSocket": {"inputSampleRate": 8000, "outputSampleRate": rate_hz}})

    assert "11025" in str(body)
    assert "outputSampleRate" in str(body)


@pytest.mark.parametrize("medium", [None, {}, {"serverWebSocket": None}])
def test_a_call_without_a_medium_is_one_over_webrtc(medium: object) -> None:
    assert read_any(medium) == WebRtcMedium()


def test_a_call_over_webrtc_gets_the_data_messages_it_asks_for_and_no_clear_of_its_own() -> None:
    made = read_any({"webRtc": {"dataMessages": {"userStartedSpeaking": True, "pong": False}}})

    assert isinstance(made, WebRtcMedium)
    assert made.data_messages.user_started_speaking
    assert not made.data_messages.pong
    assert not made.data_messages.playback_clear_buffer


@pytest.mark.parametrize("medium", [{"vonage": {}}, {"twilo": {"outgoing": {}}, "sip": None}])
def test_an_unknown_medium_alone_is_said_with_the_known_ones(medium: object) -> None:
    with pytest.raises(Refused) as caught:
        fit(StartCallRequest, {"medium": medium})

    known = "webRtc, twilio, serverWebSocket, telnyx, plivo, exotel, sip"
    assert caught.value.status == 400
    assert caught.value.body == {"medium": [f"There is no such medium; known: {known}."]}


@pytest.mark.parametrize(
    "medium",
    [
        {"twilio": {}, "tomorrow": {}},
        {"server_web_socket": {"inputSampleRate": 8000}, "tomorrow": 1},
        {},
        {"tomorrow": None},
    ],
)
def test_what_is_unknown_beside_a_known_medium_or_unset_passes(medium: object) -> None:
    assert fit(StartCallRequest, {"medium": medium}).medium is not None


def test_another_medium_is_not_served() -> None:
    [sentence] = body_for({"sip": {}})["sip"]

    assert "does not serve this medium" in sentence


def test_two_media_are_one_too_many() -> None:
    body = body_for({"serverWebSocket": {"inputSampleRate": 8000}, "twilio": {}})

    assert body["non_field_errors"] == ["At most one medium can be set."]


@pytest.mark.parametrize(
    ("carrier", "rate_hz"),
    [("twilio", 8_000), ("telnyx", 16_000), ("plivo", 16_000), ("exotel", 8_000)],
)
def test_a_carriers_stream_is_a_medium_without_further_words(carrier: str, rate_hz: int) -> None:
    made = read_phone({carrier: {}})

    assert (made.carrier, made.outgoing, made.dtmf) == (carrier, None, DtmfHandling())
    assert (made.input_hz, made.output_hz) == (rate_hz, rate_hz)


def test_a_call_to_place_says_whom_from_whom_and_what_else_the_carrier_is_told() -> None:
    outgoing = {"to": "+15550100", "from": "+15550123", "additionalParams": {"Timeout": 20}}

    made = read_phone({"twilio": {"outgoing": outgoing}})

    assert made.outgoing == Dial("+15550100", "+15550123", {"Timeout": 20})


@pytest.mark.parametrize("field", ["to", "from"])
@pytest.mark.parametrize("number", [None, "", "+1\r\n2", "5" * 501])
def test_a_call_to_place_needs_both_numbers(field: str, number: str | None) -> None:
    outgoing = {"to": "+15550100", "from": "+15550123", field: number}

    body = body_for({"plivo": {"outgoing": outgoing}})

    assert body == {"plivo": {"outgoing": {field: ["A telephone number is needed here."]}}}


def test_a_number_of_five_hundred_characters_is_the_longest() -> None:
    made = read_phone({"plivo": {"outgoing": {"to": "5" * 500, "from": "1"}}})

    assert made.outgoing is not None
    assert len(made.outgoing.to) == 500


def test_what_becomes_of_keys_is_as_asked() -> None:
    message = {"text": "pressed {digits}", "urgency": "URGENCY_LATER"}

    told = read_phone({"exotel": {"dtmfHandling": {"userTextMessage": message}}})
    ignored = read_phone({"telnyx": {"dtmfHandling": {"ignore": True}}})

    assert told.dtmf == DtmfHandling(text="pressed {digits}", urgency="later")
    assert ignored.dtmf.ignore


def test_keys_cannot_be_both_ignored_and_told() -> None:
    asked = {"ignore": True, "userTextMessage": {"text": "x"}}

    body = body_for({"twilio": {"dtmfHandling": asked}})

    sentence = "Only one of ignore and userTextMessage can be set."
    assert body == {"twilio": {"dtmfHandling": [sentence]}}
