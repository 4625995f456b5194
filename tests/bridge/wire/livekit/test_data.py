"""Data packets."""

from contextlib import suppress

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol import models

from bridge.errors import RemoteWireError
from bridge.wire.livekit.data import MAX_PACKET, PacketReader, UserData, user_packet
from tests.fakes.livekit_frames import broken

MESSAGE = b'{"type":"ping","timestamp":1}'


def test_a_packet_comes_out_as_it_went_in() -> None:
    packet = user_packet(MESSAGE, identity="agent")

    assert PacketReader().read(packet) == UserData(MESSAGE)


def test_an_unnumbered_packet_names_no_sid_and_has_no_topic() -> None:
    packet = models.DataPacket.FromString(user_packet(MESSAGE, identity="agent"))

    assert (packet.sequence, packet.participant_sid) == (0, "")
    assert packet.participant_identity == "agent"
    assert packet.kind == models.DataPacket.Kind.RELIABLE
    assert not packet.user.HasField("topic")


def test_a_numbered_packet_must_name_its_senders_sid() -> None:
    numbered = models.DataPacket.FromString(
        user_packet(MESSAGE, identity="agent", sid="PA_1", sequence=3)
    )

    assert (numbered.sequence, numbered.participant_sid) == (3, "PA_1")
    with pytest.raises(ValueError, match="SID"):
        user_packet(MESSAGE, identity="agent", sequence=1)


def test_what_came_before_does_not_come_again() -> None:
    reader = PacketReader("user")
    packets = [user_packet(b"%d" % n, identity="user", sid="PA_1", sequence=n) for n in (1, 2, 3)]

    read = [reader.read(packets[n]) for n in (0, 1, 1, 0, 2)]

    assert [each and each.payload for each in read] == [b"1", b"2", None, None, b"3"]


def test_unnumbered_packets_all_come() -> None:
    reader = PacketReader()
    packet = user_packet(MESSAGE, identity="agent")

    assert reader.read(packet) == reader.read(packet) == UserData(MESSAGE)


def test_each_sender_counts_for_itself() -> None:
    reader = PacketReader()

    for sid in ("PA_1", "PA_2"):
        packet = user_packet(MESSAGE, identity="x", sid=sid, sequence=1)
        assert reader.read(packet) == UserData(MESSAGE)
        assert reader.read(packet) is None


def test_a_sender_that_changes_its_sid_is_still_one_sender_to_a_server() -> None:
    reader = PacketReader("user")
    first = user_packet(MESSAGE, identity="user", sid="PA_1", sequence=1)
    second = user_packet(MESSAGE, identity="user", sid="PA_2", sequence=1)

    assert reader.read(first) == UserData(MESSAGE)
    assert reader.read(second) is None


def test_a_packet_in_somebody_elses_name_is_refused() -> None:
    with pytest.raises(RemoteWireError, match="who is not its sender"):
        PacketReader("user").read(user_packet(MESSAGE, identity="agent"))


def test_a_packet_that_names_no_sender_is_the_peers() -> None:
    assert PacketReader("user").read(user_packet(MESSAGE, identity="")) == UserData(MESSAGE)


@pytest.mark.parametrize("kind", ["speaker", "rpcRequest", "streamHeader", "transcription"])
def test_packets_of_other_kinds_pass_unread(kind: str) -> None:
    packet = ParseDict({kind: {}}, models.DataPacket()).SerializeToString()

    assert PacketReader().read(packet) is None


def test_a_topic_is_kept() -> None:
    packet = models.DataPacket(user=models.UserPacket(payload=MESSAGE, topic="chat"))

    assert PacketReader().read(packet.SerializeToString()) == UserData(MESSAGE, "chat")


def test_the_largest_packet_is_read_and_a_larger_one_refused() -> None:
    overhead = len(user_packet(b"x" * 60_000, identity="u")) - 60_000
    largest = user_packet(b"x" * (MAX_PACKET - overhead), identity="u")
    assert len(largest) == MAX_PACKET

    assert PacketReader().read(largest) is not None
    with pytest.raises(RemoteWireError, match="has over") as refused:
        PacketReader().read(b"\x00" * (MAX_PACKET + 1))
    assert refused.value.close_code == 1009


def test_senders_without_end_are_not_remembered_without_end() -> None:
    reader = PacketReader()
    for n in range(1_000):
        reader.read(user_packet(MESSAGE, identity="x", sid=f"PA_{n}", sequence=1))

    assert len(reader._last) == 64


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(RemoteWireError):
        PacketReader("user").read(data)


def test_damaged_packets_are_read_or_refused() -> None:
    whole = user_packet(MESSAGE, identity="user", sid="PA_1", sequence=1)
    refused = 0
    for seed in range(500):
        try:
            PacketReader("user").read(broken(whole, seed))
        except RemoteWireError:
            refused += 1
    assert refused > 50
