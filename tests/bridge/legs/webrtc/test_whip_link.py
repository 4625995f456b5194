"""A client without LiveKit that says nothing any more, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, cast

from bridge.errors import RemoteWireError
from bridge.legs.webrtc.link import Link
from bridge.legs.webrtc.options import RtcOptions
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
        self.lost_because: str | None = None

    def hear(self, link: Link, samples: Int16) -> None: ...

    def take(self, link: Link, payload: bytes | str) -> None: ...

    def bad_message(self, link: Link, sentence: str) -> None: ...

    def mute(self, link: Link, *, disabled: bool) -> None: ...

    def refuse(self, link: Link, exc: RemoteWireError) -> None:
        raise exc

    def warn(self, link: Link, type_: str, sentence: str) -> None: ...

    def ready(self, link: Link) -> None:
        self.is_ready = True

    def lost(self, link: Link, why: str, *, left: bool = False) -> None:
        self.lost_because = why


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


def test_a_client_that_sends_nothing_for_five_seconds_is_gone() -> None:
    async def call() -> None:
        async with answered() as (_, peer, user):
            peer.become("connected")
            assert user.is_ready
            peer.ear.came_s = asyncio.get_running_loop().time() + 1
            await asyncio.sleep(SILENT_S + 0.9)
            assert user.lost_because is None
            await asyncio.sleep(0.2)
            assert user.lost_because == "no sign of life for 5 s"

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


def test_nobody_is_missed_after_the_end() -> None:
    async def call() -> None:
        async with answered() as (link, peer, user):
            peer.become("connected")
            link.stop("over")
            await asyncio.sleep(2 * SILENT_S)
            assert user.lost_because is None

    run_virtual(call())
