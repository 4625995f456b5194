"""A peer that sends what never becomes a message is bounded; what comes out of order or cannot be read ends nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiortc.rtcsctptransport import (
    SCTP_DATA_FIRST_FRAG,
    SCTP_DATA_LAST_FRAG,
    WEBRTC_DCEP,
    WEBRTC_STRING,
    DataChunk,
    RTCSctpCapabilities,
)

from bridge.legs.webrtc.data_guard import MAX_AHEAD, MAX_PIECES, MAX_STREAMS, GuardedSctp
from tests.fakes.rtc_pair import Side, connect, sides, until

WHOLE = SCTP_DATA_FIRST_FRAG | SCTP_DATA_LAST_FRAG


class Attacker:
    """Hands pieces of a data channel to its peer, as if they had come through DTLS."""

    def __init__(self, victim: Side) -> None:
        transport = victim.peer._connection.sctp
        assert isinstance(transport, GuardedSctp)
        assert transport._last_received_tsn is not None
        self.victim = victim
        self.transport = transport
        self.stream = next(iter(transport._data_channels))
        self.next = transport._last_received_tsn + 1

    @property
    def state(self) -> str:
        """Of the connection."""
        return self.victim.peer.state

    @property
    def kept(self) -> int:
        """Pieces that wait."""
        return sum(len(stream.reassembly) for stream in self.transport._inbound_streams.values())

    async def send(
        self,
        data: bytes,
        *,
        flags: int = 0,
        skip: int = 0,
        stream: int | None = None,
        kind: int = WEBRTC_STRING,
    ) -> None:
        chunk = DataChunk(flags=flags)
        chunk.tsn = (self.next + skip) & 0xFFFF_FFFF
        chunk.stream_id = self.stream if stream is None else stream
        streams = self.transport._inbound_streams
        known = streams.get(chunk.stream_id)
        chunk.stream_seq = 0 if known is None else known.sequence_number
        chunk.protocol = kind
        chunk.user_data = data
        self.next += 1
        await self.transport._receive_chunk(chunk)
        await asyncio.sleep(0)  # as between two datagrams


@asynccontextmanager
async def attacked() -> AsyncIterator[Attacker]:
    async with sides() as (caller, answerer):
        channel = await connect(caller, answerer)
        assert channel is not None
        await until(lambda: channel.open)
        assert channel.send("hello")
        await until(lambda: answerer.messages == ["hello"])
        yield Attacker(answerer)


@pytest.mark.parametrize(
    ("size", "n_taken"), [(1_024, 1_024), (1, MAX_PIECES)], ids=["large pieces", "small pieces"]
)
async def test_a_message_that_never_ends_ends_its_connection(size: int, n_taken: int) -> None:
    async with attacked() as attacker:
        await attacker.send(b"x" * size, flags=SCTP_DATA_FIRST_FRAG)
        for _ in range(n_taken - 1):
            await attacker.send(b"x" * size)
        assert attacker.kept == n_taken
        assert attacker.state == "connected"

        await attacker.send(b"x" * size)
        assert attacker.state == "failed"
        assert attacker.kept == 0

        await attacker.send(b"more", flags=WHOLE)
        assert attacker.kept == 0
        assert attacker.victim.states.count("failed") == 1


async def test_streams_without_end_end_the_connection() -> None:
    async with attacked() as attacker:
        for stream in range(1_000, 1_000 + MAX_STREAMS - 1):
            await attacker.send(b"x", stream=stream, flags=SCTP_DATA_FIRST_FRAG)
        assert attacker.state == "connected"
        await attacker.send(b"x", stream=9_999, flags=SCTP_DATA_FIRST_FRAG)
        assert attacker.state == "failed"


async def test_what_comes_too_far_ahead_waits_at_the_peers_and_a_closed_gap_lets_all_in() -> None:
    async with attacked() as attacker:
        first = attacker.next
        for _ in range(MAX_AHEAD + 50):
            await attacker.send(b"ahead", flags=WHOLE, skip=1)
        assert len(attacker.transport._sack_misordered) == MAX_AHEAD
        attacker.next = first
        await attacker.send(b"the one that was lost", flags=WHOLE)
        assert not attacker.transport._sack_misordered
        assert attacker.state == "connected"
        assert "the one that was lost" in attacker.victim.messages


@pytest.mark.parametrize(
    ("kind", "data", "stream"),
    [
        (WEBRTC_STRING, b"\xff\xfe no text", None),
        (WEBRTC_DCEP, b"\x03" + bytes(11), None),
        (WEBRTC_DCEP, b"\x03" + bytes(7) + b"\x00\x02\x00\x00\xff\xff", 4_000),
        (WEBRTC_DCEP, b"\x02", 4_000),
    ],
    ids=["no text", "a channel again", "a label that is no text", "an answer to nothing"],
)
async def test_a_message_that_cannot_be_read_is_passed_over(
    kind: int, data: bytes, stream: int | None
) -> None:
    async with attacked() as attacker:
        await attacker.send(data, kind=kind, stream=stream, flags=WHOLE)
        await attacker.send(b"still here", flags=WHOLE)
        assert attacker.victim.messages[-1] == "still here"
        assert attacker.state == "connected"


async def test_channels_that_were_stopped_while_their_connection_came_about_never_begin() -> None:
    async with sides() as (caller, answerer):
        caller.peer.open_channel("tipring")
        caller.peer.expect_audio()
        await answerer.peer.answer(await caller.peer.offer())
        sctp = answerer.peer._connection.sctp
        assert sctp is not None
        await answerer.close()
        await sctp.start(RTCSctpCapabilities(maxMessageSize=65_536), 5_000)

        assert sctp.state == "closed"
        assert sctp._t1_handle is None
