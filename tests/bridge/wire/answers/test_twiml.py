from typing import Any

import pytest

from bridge.errors import UsageError
from bridge.wire.answers import twiml
from bridge.wire.answers.answer import MAX_TARGET
from tests.bridge.wire.answers.parsed import HOSTILE, seen

URL = "wss://voice.example.com/carriers/twilio/media/token"
STATUS = "https://voice.example.com/carriers/twilio/status?a=1&b=2"


def vendor() -> Any:
    """An empty document of the vendor's own builder."""
    from twilio.twiml.voice_response import VoiceResponse

    return VoiceResponse()


def test_a_stream_is_what_the_vendor_would_write() -> None:
    parameters = {"call": "c1", "name": "O'Neill & <Söhne>"}
    theirs = vendor()
    opened = theirs.connect().stream(url=URL, status_callback=STATUS)
    for name, value in parameters.items():
        opened.parameter(name=name, value=value)

    ours = twiml.stream(URL, parameters, status_url=STATUS)

    assert seen(ours.body) == seen(str(theirs))
    assert ours.content_type.startswith("text/xml")


def test_nothing_follows_a_stream() -> None:
    [connect] = seen(twiml.stream(URL).body)[3]

    assert connect == ("Connect", {}, "", [("Stream", {"url": URL}, "", [])])


def test_a_parameter_with_an_empty_value_is_kept() -> None:
    [(_, _, _, [(_, _, _, parameters)])] = seen(twiml.stream(URL, {"empty": ""}).body)[3]

    assert parameters == [("Parameter", {"name": "empty", "value": ""}, "", [])]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_caller_id_comes_through_as_it_is(value: str) -> None:
    theirs = vendor()
    theirs.connect().stream(url=URL).parameter(name="from", value=value)

    assert seen(twiml.stream(URL, {"from": value}).body) == seen(str(theirs))


@pytest.mark.parametrize("n", [495, 496, 10_240])
def test_a_parameter_has_fewer_than_500_characters_with_its_name(n: int) -> None:
    if n + len("from") < 500:
        twiml.stream(URL, {"from": "1" * n})
    else:
        with pytest.raises(UsageError, match="500 characters or more"):
            twiml.stream(URL, {"from": "1" * n})


def test_a_stream_with_a_query_is_refused_before_twilio_refuses_it() -> None:
    with pytest.raises(UsageError, match="no query") as caught:
        twiml.stream(f"{URL}?token=SECRET")
    assert "SECRET" not in str(caught.value)


def test_busy_and_hang_up_are_what_the_vendor_would_write() -> None:
    reject, hangup = vendor(), vendor()
    reject.reject(reason="busy")
    hangup.hangup()

    assert seen(twiml.busy().body) == seen(str(reject))
    assert seen(twiml.hang_up().body) == seen(str(hangup))


def test_a_transfer_goes_to_a_number_or_to_a_sip_address() -> None:
    number, sip = vendor(), vendor()
    number.dial().number("+4930123")
    sip.dial().sip("sip:a&b@pbx.example;transport=tls")

    assert seen(twiml.transfer("+4930123").body) == seen(str(number))
    assert seen(twiml.transfer("sip:a&b@pbx.example;transport=tls").body) == seen(str(sip))


def test_a_transfer_to_nobody_or_to_ten_thousand_characters_is_refused() -> None:
    for target in ("", " ", "1" * (MAX_TARGET + 1)):
        with pytest.raises(UsageError):
            twiml.transfer(target)


def test_a_fallback_plays_then_dials_or_hangs_up() -> None:
    both, played, nothing = vendor(), vendor(), vendor()
    both.play("https://x.example/sorry.wav?a=1&b=2")
    both.dial().number("+4930123")
    played.play("https://x.example/sorry.wav")
    played.hangup()
    nothing.hangup()

    ours = twiml.fallback("https://x.example/sorry.wav?a=1&b=2", "+4930123")
    assert seen(ours.body) == seen(str(both))
    assert seen(twiml.fallback("https://x.example/sorry.wav").body) == seen(str(played))
    assert seen(twiml.fallback().body) == seen(str(nothing))


def test_keys_are_pressed_and_the_call_goes_on_at_the_url() -> None:
    theirs = vendor()
    theirs.play(digits="ww12#")
    theirs.redirect("https://x.example/answer?a=1&b=2")

    assert seen(twiml.press("ww12#", "https://x.example/answer?a=1&b=2").body) == seen(str(theirs))
    with pytest.raises(UsageError):
        twiml.press('1"', "https://x.example")
