"""Well-formed frames that mean anything, in any order: an event, an ignored one, or one sentence that ends the session.

Damaged frames mostly cannot be read; these can, and reach everything behind the reading.
"""

import gzip
import random
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from livekit.protocol import models, rtc

from bridge.errors import RemoteWireError
from bridge.wire.livekit.client_session import ClientSession
from bridge.wire.livekit.data import PacketReader
from bridge.wire.livekit.events import AddTrack, Ignored, OfferReceived, Refused, Version
from bridge.wire.livekit.join_request import JoinRequest, Refusal, read_join
from bridge.wire.livekit.names import room_names
from bridge.wire.livekit.server_session import ServerSession
from tests.fakes.any_protobuf import any_of, anything

SEEDS = range(60)
FRAMES = 40
LONGEST_SENTENCE = 600
VERSIONS: tuple[Version, ...] = ("v0", "v1")


def fits(sentence: str) -> bool:
    """Whether a record and a terminal can have it."""
    return 0 < len(sentence) <= LONGEST_SENTENCE and sentence.isprintable()


@contextmanager
def refused_in_one_sentence() -> Iterator[None]:
    """What ends a session, if anything does."""
    try:
        yield
    except RemoteWireError as exc:
        sentence = str(exc)
    else:
        return
    assert fits(sentence)


def test_a_server_takes_whatever_a_client_means() -> None:
    for seed in SEEDS:
        with refused_in_one_sentence():
            serve(random.Random(f"server {seed}"), VERSIONS[seed % 2])


def serve(source: random.Random, version: Version) -> None:
    session = ServerSession(version, room_names("call", source), source)
    session.begin(JoinRequest(version), 0.0)
    for n in range(FRAMES):
        for event in session.receive(any_of(rtc.SignalRequest, source).SerializeToString(), n):
            if isinstance(event, Ignored):
                assert fits(event.sentence)
            elif isinstance(event, OfferReceived):
                session.answer(event.id, "v=0", "0")
            elif isinstance(event, AddTrack):
                session.track_published(event)


def test_a_client_takes_whatever_a_server_means() -> None:
    for seed in SEEDS:
        with refused_in_one_sentence():
            stay(random.Random(f"client {seed}"), VERSIONS[seed % 2])


def stay(source: random.Random, version: Version) -> None:
    session = ClientSession(version)
    session.offer("v=0")
    for n in range(FRAMES):
        for event in session.receive(any_of(rtc.SignalResponse, source).SerializeToString(), n):
            if isinstance(event, Ignored | Refused):
                assert fits(event.sentence)
            elif isinstance(event, OfferReceived):
                session.answer(event.id, "v=0")


def test_a_join_request_of_anything_is_one_or_a_refusal() -> None:
    for seed in SEEDS:
        source = random.Random(f"join {seed}")
        asked = anything(rtc.JoinRequest(), source).SerializeToString()
        zipped = source.random() < 0.5
        wrapped = rtc.WrappedJoinRequest(
            compression=int(zipped),  # type: ignore[arg-type]
            join_request=gzip.compress(asked) if zipped else asked,
        )
        text = urlsafe_b64encode(wrapped.SerializeToString()).decode()
        read = read_join("v1", {"join_request": text})
        assert isinstance(read, JoinRequest | Refusal)
        if isinstance(read, Refusal):
            assert fits(read.sentence)
            assert 400 <= read.status < 500


def test_a_packet_of_anything_is_read_passed_over_or_refused() -> None:
    for seed in SEEDS:
        source = random.Random(f"packet {seed}")
        reader = PacketReader(source.choice((None, "user")))
        for _ in range(FRAMES):
            packet = anything(models.DataPacket(), source).SerializeToString()
            with refused_in_one_sentence():
                reader.read(packet)
