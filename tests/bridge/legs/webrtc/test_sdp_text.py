"""Descriptions as text: bounds from both sides, candidates, and what is changed in ours."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import RemoteWireError
from bridge.legs.webrtc.sdp_text import (
    MAX_BYTES,
    MAX_CANDIDATES,
    MAX_FORMATS,
    MAX_LINE,
    MAX_SECTIONS,
    checked,
    is_usable,
    ours,
)

HEAD = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\na=fingerprint:sha-256 AB:CD\r\n"
AUDIO = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n"
CANDIDATE = "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host\r\n"


def refused(text: str, *, needs_audio: bool = True) -> str:
    with pytest.raises(RemoteWireError) as why:
        checked(text, needs_audio=needs_audio)
    return str(why.value)


def test_a_good_description_is_left_as_it_is() -> None:
    assert checked(HEAD + AUDIO + CANDIDATE, needs_audio=True) == HEAD + AUDIO + CANDIDATE


def test_lines_that_end_otherwise_are_read_too() -> None:
    text = (HEAD + AUDIO).replace("\r\n", "\n")
    assert checked(text, needs_audio=True) == HEAD + AUDIO


def test_bounds_hold_from_both_sides() -> None:
    filler = "a=x\r\n"
    room = MAX_BYTES - len(HEAD + AUDIO)
    full = HEAD + AUDIO + filler * (room // 5) + "\n" * (room % 5)
    checked(full, needs_audio=True)
    assert "64 KiB" in refused(full + "\n")
    checked(HEAD + AUDIO * MAX_SECTIONS, needs_audio=True)
    assert "sections" in refused(HEAD + AUDIO * (MAX_SECTIONS + 1))
    checked(HEAD + AUDIO + "a=" + "x" * (MAX_LINE - 2), needs_audio=True)
    assert "line" in refused(HEAD + AUDIO + "a=" + "x" * (MAX_LINE - 1))


def test_a_section_has_no_more_formats_than_there_are_payload_types() -> None:
    formats = [f"a=rtpmap:{n} opus/48000/2\r\n" for n in range(MAX_FORMATS)]
    section = "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + "".join(formats)
    checked(HEAD + section * 2, needs_audio=True)
    assert "a=rtpmap" in refused(HEAD + AUDIO + section + formats[0])


def test_feedback_is_not_multiplied_by_the_formats_it_is_for() -> None:
    text = checked(HEAD + AUDIO + "a=rtcp-fb:* nack\r\na=rtcp-fb:111 nack\r\n", needs_audio=True)
    assert text == HEAD + AUDIO


def test_length_counts_octets_not_characters() -> None:
    assert "64 KiB" in refused(HEAD + AUDIO + "a=é\r\n" * (MAX_BYTES // 6))


def test_audio_is_asked_for_only_where_it_is_needed() -> None:
    data = HEAD + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    assert "audio" in refused(data)
    checked(data, needs_audio=False)


def test_a_description_that_would_not_be_encrypted_is_refused() -> None:
    assert "fingerprint" in refused((HEAD + AUDIO).replace("sha-256", "md5"))


def test_candidates_beyond_the_most_are_left_out() -> None:
    kept = checked(HEAD + AUDIO + CANDIDATE * (MAX_CANDIDATES + 20), needs_audio=True)
    assert kept.count("a=candidate") == MAX_CANDIDATES


def test_what_would_hold_us_up_is_left_out() -> None:
    for line in (
        "a=end-of-candidates\r\n",
        CANDIDATE.replace("192.0.2.1", "x.local"),
        CANDIDATE.replace("udp", "tcp"),
    ):
        assert checked(HEAD + AUDIO + line, needs_audio=True) == HEAD + AUDIO


@pytest.mark.parametrize(
    ("candidate", "usable"),
    [
        ("candidate:1 1 udp 1 192.0.2.1 5000 typ host", True),
        ("candidate:1 1 UDP 1 2001:db8::1 65535 typ srflx raddr 0.0.0.0 rport 0", True),
        ("candidate:1 1 udp 1 192.0.2.1 0 typ host", False),
        ("candidate:1 1 udp 1 192.0.2.1 65536 typ host", False),
        ("candidate:1 2 udp 1 192.0.2.1 5000 typ host", False),
        ("candidate:1 1 udp 1 224.0.0.1 5000 typ host", False),
        ("candidate:1 1 udp 1 0.0.0.0 5000 typ host", False),
        ("candidate:1 1 udp x 192.0.2.1 5000 typ host", False),
        ("candidate:1 1 udp 1 192.0.2.1 5000 host", False),
        ("", False),
    ],
)
def test_an_address_is_worth_trying_or_not(candidate: str, usable: bool) -> None:
    assert is_usable(candidate) is usable


@given(st.text(max_size=120))
def test_whatever_a_candidate_is_it_is_usable_or_not(text: str) -> None:
    assert is_usable(text) in (True, False)


def test_ours_asks_for_copies_of_packets_once_for_each_section() -> None:
    said = ours(AUDIO * 2, None)
    assert said.count("a=fmtp:111 minptime=10;useinbandfec=1\r\n") == 2
    assert "\r\r" not in said
    assert "\r\n\r\n" not in said


def test_only_addresses_of_that_kind_are_moved_to_the_outside() -> None:
    lines = [
        CANDIDATE.replace("192.0.2.1", host) for host in ("192.168.1.5", "127.0.0.1", "2001:db8::9")
    ]
    said = ours(AUDIO + "".join(lines), "203.0.113.7").split("\r\n")
    hosts = [line.split()[4] for line in said if line.startswith("a=candidate")]
    assert hosts == ["203.0.113.7", "127.0.0.1", "2001:db8::9"]


def bundle(n: int, filler: str = "") -> str:
    """Sections that share a transport; the candidates stand in the first."""
    head = HEAD + f"a=group:BUNDLE {' '.join(map(str, range(n)))}\r\n"
    sections = [AUDIO + f"a=mid:{mid}\r\n" for mid in range(n)]
    found = [CANDIDATE.replace("5000", str(5_000 + k)) for k in range(MAX_CANDIDATES)]
    return head + sections[0] + "".join(found) + "".join(sections[1:]) + filler


def test_the_first_and_the_last_section_of_a_bundle_alone_get_the_candidates() -> None:
    text = checked(bundle(MAX_SECTIONS), needs_audio=True)
    counts = [each.count("a=candidate:") for each in text.split("m=audio")[1:]]
    assert counts == [MAX_CANDIDATES, *[0] * (MAX_SECTIONS - 2), MAX_CANDIDATES]


def test_a_section_with_two_names_is_refused() -> None:
    once = bundle(1)
    assert checked(once, needs_audio=True).count("a=candidate:") == MAX_CANDIDATES
    for again in ("a=mid:0\r\n", "a=mid:other\r\n"):
        assert "a=mid" in refused(once + again)


@given(st.lists(st.sampled_from([*"\n\r\v\f\x1c\x85\u2028", AUDIO, CANDIDATE, "a=mid:0\r\n", "x"])))
def test_no_description_becomes_more_than_three_times_as_long(parts: list[str]) -> None:
    text = bundle(2) + "".join(parts)
    with contextlib.suppress(RemoteWireError):
        assert len(checked(text, needs_audio=True)) <= 3 * len(text)


def test_nothing_that_ends_a_line_for_the_parser_hides_what_follows() -> None:
    for end in "\r\v\f\x1c\x1d\x1e\x85\u2028\u2029":
        hidden = end.join(["a=x", *["a=candidate:1 1 udp 1 192.0.2.1 5000 typ host"] * 60, ""])
        text = checked(HEAD + AUDIO + hidden, needs_audio=True)
        assert text.count("a=candidate:") == MAX_CANDIDATES


def test_each_section_of_a_bundle_has_the_candidates_that_stand_in_any_of_them() -> None:
    found = "a=candidate:1 1 udp 2130706431 192.0.2.7 4000 typ host"
    sections = [f"m=audio 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}" for mid in range(3)]
    sections[0] += f"\r\n{found}"
    head = ["v=0", "a=group:BUNDLE 0 1", "a=fingerprint:sha-256 AB"]
    text = checked("\r\n".join([*head, *sections, ""]), needs_audio=True)
    assert [each.count(found) for each in text.split("m=audio")[1:]] == [1, 1, 0]
    alone = "\r\n".join([head[0], head[2], *sections, ""])
    assert checked(alone, needs_audio=True).count(found) == 1
