import pytest

from bridge.wire.answers import texml, twiml
from bridge.wire.answers.texml import TelnyxFormat
from tests.bridge.wire.answers.parsed import HOSTILE, Seen, seen

URL = "wss://voice.example.com/carriers/telnyx/media/token"
STATUS = "https://voice.example.com/carriers/telnyx/status?a=1&b=2"


def opened(document: str) -> Seen:
    """The stream in the document; nothing stands beside it."""
    [(name, attributes, _, [stream])] = seen(document)[3]
    assert (name, attributes) == ("Connect", {})
    found: Seen = stream
    return found


def test_a_stream_goes_both_ways_in_mu_law_unless_said_otherwise() -> None:
    assert opened(texml.stream(URL, status_url=STATUS).body) == (
        "Stream",
        {
            "url": URL,
            "track": "inbound_track",
            "codec": "PCMU",
            "bidirectionalMode": "rtp",
            "bidirectionalCodec": "PCMU",
            "bidirectionalSamplingRate": "8000",
            "statusCallback": STATUS,
        },
        "",
        [],
    )


def test_what_comes_after_the_stream_is_asked_for_at_a_url() -> None:
    [connect, redirect] = seen(texml.stream(URL, next_url=STATUS).body)[3]

    assert connect[0] == "Connect"
    assert redirect == ("Redirect", {"method": "POST"}, STATUS, [])


@pytest.mark.parametrize(
    ("audio", "heard"),
    [
        (TelnyxFormat("PCMA"), "PCMA"),
        (TelnyxFormat("G722"), "G722"),
        (TelnyxFormat("OPUS", 48_000), "OPUS"),
        (TelnyxFormat("L16", 16_000), "default"),
    ],
)
def test_the_format_is_said_for_both_directions(audio: TelnyxFormat, heard: str) -> None:
    _, attributes, _, _ = opened(texml.stream(URL, audio=audio).body)

    assert attributes["codec"] == heard
    assert attributes["bidirectionalCodec"] == audio.codec
    assert attributes["bidirectionalSamplingRate"] == str(audio.rate_hz)
    assert attributes["bidirectionalMode"] == "rtp"
    assert "statusCallback" not in attributes


@pytest.mark.parametrize("value", [*HOSTILE, "", "1" * 10_240])
def test_a_hostile_caller_id_comes_through_as_it_is(value: str) -> None:
    _, _, _, parameters = opened(texml.stream(URL, {"from": value}).body)

    assert parameters == [("Parameter", {"name": "from", "value": value}, "", [])]


def test_all_other_verbs_are_those_of_twiml() -> None:
    assert texml.busy() == twiml.busy()
    assert texml.hang_up() == twiml.hang_up()
    assert texml.transfer("sip:a@b") == twiml.transfer("sip:a@b")
    assert texml.fallback("https://x", "+491") == twiml.fallback("https://x", "+491")
