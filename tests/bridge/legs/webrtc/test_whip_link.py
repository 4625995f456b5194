"""A client without LiveKit that says nothing any more, in virtual time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest

from bridge.errors import RemoteWireError
from bridge.legs.webrtc.link import Link
from bridge.legs.webrtc.options import RtcOptions
from bridge.legs.webrtc.peer import PeerState
from bridge.legs.webrtc.whip_link import SILENT_S, WhipLink
from bridge.virtual import run_virtual
from bridge_codecs.pcm import Int16
from tests.fakes.fake_peer import MICROPHONE, FakePeer, FakePeers

if TYPE_CHECKING:
    from bridge.legs.webrtc.voice import Voice

OFFER = f"{MICROPHONE}a=fingerprint:sha-256 {':'.join(['AB'] * 32)}\r\n"


class User:
    """What a leg is told."""

    def __init__(self) -> None:
        self.is_ready = False
        self.took: list[bytes | str] = []
        self.lost_because: str | None = None
        self.losses = 0

    def hear(self, link: Link, samples: Int16) -> None: ...

    def take(self, link: Link, payload: bytes | str) -> None:
        self.took.append(payload)

    def bad_message(self, link: Link, sentence: str) -> None: ...

    def mute(self, link: Link, *, disabled: bool) -> None: ...

    def refuse(self, link: Link, exc: RemoteWireError) -> None:
        raise exc

    def warn(self, link: Link, type_: str, sentence: str) -> None: ...

    def ready(self, link: Link) -> None:
        self.is_ready = True

    def lost(self, link: Link, why: str, *, left: bool = False) -> None:
        self.is_ready = False
        self.lost_because = why
        self.losses += 1


@asynccontextmanager
async def answered() -> AsyncIterator[tuple[WhipLink, FakePeer, User]]:
    """A link whose client has our answer."""
    peers, user = FakePeers(), User()
    link = WhipLink(OFFER, RtcOptions(), peers)
    link.start(user, cast("Voice", None))
    await link.answered()
    yield link, peers.made[0], user
    link.stop("over")
    await link.closed()


def test_a_client_that_sends_nothing_for_12_seconds_is_gone() -> None:
    async def call() -> None:
        async with answered() as (_, peer, user):
            peer.become("connected")
            assert user.is_ready
            peer.ear.came_s = asyncio.get_running_loop().time() + 1
            await asyncio.sleep(SILENT_S + 0.9)
            assert user.lost_because is None
            await asyncio.sleep(0.2)
            assert user.lost_because == "no sign of life for 12 s"

    run_virtual(call())


def test_a_client_whose_connection_never_comes_about_is_gone_too() -> None:
    async def call() -> None:
        async with answered() as (_, _peer, user):
            await asyncio.sleep(SILENT_S - 0.1)
            assert user.lost_because is None
            await asyncio.sleep(0.2)
            assert user.lost_because is not None
            assert not user.is_ready

    run_virtual(call())


def test_a_client_that_is_heard_stays_however_long() -> None:
    async def call() -> None:
        async with answered() as (link, peer, user):
            peer.become("connected")
            for _ in range(20):
                await asyncio.sleep(SILENT_S - 0.5)
                peer.ear.came_s = asyncio.get_running_loop().time()
            assert user.lost_because is None
            assert link.heard_s == peer.ear.came_s

    run_virtual(call())


def test_an_offer_is_taken_as_it_came_not_as_it_was_read() -> None:
    """What is read has the candidates twice: it would be checked again, and might be too long then."""
    candidate = "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n"
    offer = OFFER.replace("m=", "a=group:BUNDLE a b\r\nm=", 1) + f"a=mid:a\r\n{candidate}"
    offer += "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:b\r\n"

    async def call() -> None:
        peers, user = FakePeers(), User()
        link = WhipLink(offer, RtcOptions(), peers)
        link.start(user, cast("Voice", None))
        await link.answered()
        assert peers.made[0].answered == [offer]
        link.stop("over")
        await link.closed()

    run_virtual(call())


def speaks(link: WhipLink, peer: FakePeer) -> None:
    peer.ear.came_s = asyncio.get_running_loop().time()
    assert peer.sink is not None
    peer.sink(np.zeros(320, np.int16))


def writes(link: WhipLink, peer: FakePeer) -> None:
    channel = peer.channels[0]
    assert channel.on_message is not None
    channel.on_message("{}")


def opens_its_channel(link: WhipLink, peer: FakePeer) -> None:
    for channel in peer.channels:
        channel.open = False
    peer.channel("another")


@pytest.mark.parametrize("sign", [speaks, writes, opens_its_channel])
def test_a_client_that_was_missed_is_back_with_its_next_sign_of_life(
    sign: Callable[[WhipLink, FakePeer], None],
) -> None:
    async def call() -> None:
        async with answered() as (link, peer, user):
            peer.channel("tipring")
            peer.become("connected")
            for losses in (1, 2):
                await asyncio.sleep(SILENT_S + 1)
                assert (user.losses, user.is_ready) == (losses, False)
                assert peer.sink is not None
                peer.sink(np.zeros(320, np.int16))  # made up: nothing came
                assert not user.is_ready
                sign(link, peer)
                assert user.is_ready
            link.send("there you are")
            assert sum("there you are" in channel.sent for channel in peer.channels) == 1

    run_virtual(call())


def test_a_connection_that_comes_about_late_is_taken_all_the_same() -> None:
    async def call() -> None:
        async with answered() as (_, peer, user):
            await asyncio.sleep(SILENT_S + 3)
            assert user.losses == 1
            peer.become("connected")
            assert user.is_ready

    run_virtual(call())


@pytest.mark.parametrize("state", ["failed", "closed"])
def test_a_client_that_was_missed_and_whose_connection_goes_is_lost_once_and_for_good(
    state: PeerState,
) -> None:
    async def call() -> None:
        async with answered() as (link, peer, user):
            peer.channel("tipring")
            peer.become("connected")
            await asyncio.sleep(SILENT_S + 1)
            peer.become(state)
            writes(link, peer)
            assert (user.losses, user.is_ready) == (1, False)

    run_virtual(call())


def test_nobody_is_missed_after_the_end() -> None:
    async def call() -> None:
        async with answered() as (link, peer, user):
            peer.become("connected")
            link.stop("over")
            await asyncio.sleep(2 * SILENT_S)
            assert user.lost_because is None

    run_virtual(call())
