"""RTP, read and written."""

import pytest
from aiortc.rtp import RtpPacket as ForeignPacket
from hypothesis import given
from hypothesis import strategies as st

from bridge.legs.webrtc.rtp import RtpPacket, RtpWriter, is_rtcp, parse_rtp

MID = (0xBEDE, b"\x10\x30\x00\x00")


@given(st.integers(0, 127), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF), st.binary())
def test_what_is_written_is_read_by_us_and_by_others(
    kind: int, sequence: int, timestamp: int, payload: bytes
) -> None:
    data = RtpWriter(kind, 0xDEADBEEF, sequence, MID).write(payload, timestamp)
    assert parse_rtp(data) == RtpPacket(kind, sequence, timestamp, 0xDEADBEEF, payload)
    foreign = ForeignPacket.parse(data)
    assert foreign.payload == payload
    assert foreign.sequence_number == sequence


def test_numbers_go_up_and_wrap_around() -> None:
    writer = RtpWriter(96, 1, 0xFFFF)
    packets = [parse_rtp(writer.write(b"", 0)) for _ in range(3)]
    assert [packet.sequence_number for packet in packets if packet] == [0xFFFF, 0, 1]


def test_a_packet_of_others_is_read_without_its_padding_sources_and_extensions() -> None:
    foreign = ForeignPacket(payload_type=96, sequence_number=7, timestamp=9, payload=b"opus")
    foreign.ssrc, foreign.csrc, foreign.padding_size = 5, [1, 2], 4
    assert parse_rtp(foreign.serialize()) == RtpPacket(96, 7, 9, 5, b"opus")


def test_a_packet_cut_off_anywhere_is_none_or_shorter() -> None:
    data = RtpWriter(96, 1, 1, MID).write(b"payload", 1)
    for cut in range(len(data)):
        packet = parse_rtp(data[:cut])
        assert packet is None or packet.payload == b"payload"[: cut - 20]
        assert (packet is not None) == (cut >= 20)


@given(st.binary(max_size=80))
def test_whatever_comes_is_a_packet_or_none(data: bytes) -> None:
    packet = parse_rtp(data)
    assert packet is None or len(packet.payload) <= len(data) - 12


@pytest.mark.parametrize(
    "bad", [b"\x00" * 20, b"\xc0" + bytes(19), b"\xa0" + bytes(19), b"\xa0" + bytes(18) + b"\xff"]
)
def test_what_is_not_rtp_is_none(bad: bytes) -> None:
    assert parse_rtp(bad) is None


@pytest.mark.parametrize(
    ("kind", "rtcp"),
    [
        (200, True),
        (206, True),
        (192, True),
        (223, True),
        (96, False),
        (111, False),
        (0x80 | 111, False),
    ],
)
def test_rtcp_is_told_from_rtp_by_its_type(kind: int, rtcp: bool) -> None:
    assert is_rtcp(bytes([0x80, kind])) is rtcp
