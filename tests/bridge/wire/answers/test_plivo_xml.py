from typing import Any

import pytest

from bridge.errors import UsageError
from bridge.wire.answers import plivo_xml
from tests.bridge.wire.answers.parsed import HOSTILE, seen

URL = "wss://voice.example.com/carriers/plivo/media/token?a=1&b=2"
STATUS = "https://voice.example.com/carriers/plivo/status?a=1&b=2"


def vendor() -> Any:
    """An empty document of the vendor's own builder."""
    from plivo.xml import ResponseElement

    return ResponseElement()


def test_a_stream_is_what_the_vendor_would_write() -> None:
    from plivo.xml import StreamElement

    opened = StreamElement(
        URL,
        bidirectional=True,
        audioTrack="inbound",
        keepCallAlive=True,
        contentType="audio/x-mulaw;rate=8000",
        statusCallbackUrl=STATUS,
        extraHeaders="call=c1,x=2",
    )
    theirs = vendor().add(opened).to_string()

    ours = plivo_xml.stream(URL, {"call": "c1", "x": "2"}, status_url=STATUS)

    assert seen(ours.body) == seen(theirs)


def test_a_call_that_nobody_can_hang_up_by_a_request_ends_behind_its_stream() -> None:
    from plivo.xml import HangupElement, StreamElement

    opened = StreamElement(
        URL,
        bidirectional=True,
        audioTrack="inbound",
        keepCallAlive=True,
        contentType="audio/x-mulaw;rate=8000",
    )
    theirs = vendor().add(opened).add(HangupElement()).to_string()

    assert seen(plivo_xml.stream(URL, then_hang_up=True).body) == seen(theirs)


def test_a_stream_may_be_wide_band() -> None:
    [(_, attributes, url, _)] = seen(
        plivo_xml.stream(URL, content_type="audio/x-l16;rate=16000").body
    )[3]

    assert attributes["contentType"] == "audio/x-l16;rate=16000"
    assert "statusCallbackUrl" not in attributes
    assert "extraHeaders" not in attributes
    assert url == URL


@pytest.mark.parametrize("odd", [*HOSTILE, "", "a,b=c", "a-b", "é"])
def test_extra_headers_are_letters_and_digits_only(odd: str) -> None:
    for headers in ({odd: "1"}, {"a": odd}):
        with pytest.raises(UsageError, match="letters and digits"):
            plivo_xml.stream(URL, headers)


@pytest.mark.parametrize("n", [510, 511, 10_240])
def test_extra_headers_have_a_bounded_length(n: int) -> None:
    if n + len("a=") <= 512:
        plivo_xml.stream(URL, {"a": "1" * n})
    else:
        with pytest.raises(UsageError, match="over 512 bytes"):
            plivo_xml.stream(URL, {"a": "1" * n})


def test_busy_and_hang_up_are_what_the_vendor_would_write() -> None:
    from plivo.xml import HangupElement

    assert seen(plivo_xml.busy().body) == seen(
        vendor().add(HangupElement(reason="busy")).to_string()
    )
    assert seen(plivo_xml.hang_up().body) == seen(vendor().add(HangupElement()).to_string())


def test_a_transfer_goes_to_a_number_or_to_a_sip_address() -> None:
    from plivo.xml import DialElement, NumberElement, UserElement

    number = vendor().add(DialElement().add(NumberElement("+4930123"))).to_string()
    sip = vendor().add(DialElement().add(UserElement("sip:a&b@pbx.example"))).to_string()

    assert seen(plivo_xml.transfer("+4930123").body) == seen(number)
    assert seen(plivo_xml.transfer("sip:a&b@pbx.example").body) == seen(sip)
    with pytest.raises(UsageError):
        plivo_xml.transfer("")


def test_a_fallback_plays_then_dials_or_hangs_up() -> None:
    from plivo.xml import DialElement, HangupElement, NumberElement, PlayElement

    both = vendor().add(PlayElement("https://x.example/a.wav?a=1&b=2"))
    both.add(DialElement().add(NumberElement("+4930123")))
    played = vendor().add(PlayElement("https://x.example/a.wav")).add(HangupElement())

    ours = plivo_xml.fallback("https://x.example/a.wav?a=1&b=2", "+4930123")
    assert seen(ours.body) == seen(both.to_string())
    assert seen(plivo_xml.fallback("https://x.example/a.wav").body) == seen(played.to_string())
    assert plivo_xml.fallback() == plivo_xml.hang_up()


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_number_says_nothing_but_itself(value: str) -> None:
    [(_, _, _, [(_, _, said, _)])] = seen(plivo_xml.transfer(value).body)[3]

    assert said == value.strip()
