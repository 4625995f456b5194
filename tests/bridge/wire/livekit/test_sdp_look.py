"""One look at a session description."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.livekit.sdp_look import has_channel, sends_audio, takes_audio

AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111"


@pytest.mark.parametrize(
    ("lines", "takes"),
    [
        ([AUDIO, "a=recvonly"], True),
        ([AUDIO, "a=sendrecv"], True),
        ([AUDIO], True),
        ([AUDIO, "a=sendonly"], False),
        ([AUDIO, "a=inactive"], False),
        (["a=inactive", AUDIO], False),
        (["a=inactive", AUDIO, "a=recvonly"], True),
        (["m=audio 0 UDP/TLS/RTP/SAVPF 111", "a=recvonly"], False),
        (["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=recvonly"], False),
        (["m=application 9 UDP/DTLS/SCTP webrtc-datachannel"], False),
        ([AUDIO, "a=sendonly", AUDIO, "a=recvonly"], True),
        ([], False),
    ],
)
def test_a_describer_takes_audio_where_it_says_so(lines: list[str], takes: bool) -> None:
    for end in ("\r\n", "\n"):
        assert takes_audio(end.join(["v=0", *lines, ""])) is takes


@pytest.mark.parametrize(
    ("lines", "sends"),
    [
        ([AUDIO, "a=sendonly"], True),
        ([AUDIO], True),
        ([AUDIO, "a=recvonly"], False),
        ([AUDIO, "a=recvonly", AUDIO, "a=sendonly"], True),
        (["m=audio 0 UDP/TLS/RTP/SAVPF 111", "a=sendonly"], False),
        # What Firefox writes for all sections but the first
        (["m=audio 0 UDP/TLS/RTP/SAVPF 111", "a=sendonly", "a=bundle-only"], True),
        (["m=video 9 UDP/TLS/RTP/SAVPF 96", "a=sendonly"], False),
    ],
)
def test_a_describer_sends_audio_where_it_says_so(lines: list[str], sends: bool) -> None:
    for end in ("\r\n", "\n"):
        assert sends_audio(end.join(["v=0", *lines, ""])) is sends


def test_a_section_for_data_channels_is_seen() -> None:
    assert has_channel("v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n")
    assert not has_channel(f"v=0\r\n{AUDIO}\r\n")


@given(st.text(alphabet="m=audio 09\r\na=recvonly", max_size=300))
def test_any_text_is_looked_at(text: str) -> None:
    for look in (takes_audio, sends_audio, has_channel):
        assert look(text) in (True, False)
