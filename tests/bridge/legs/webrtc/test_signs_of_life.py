"""Noticing that a peer has fallen silent, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bridge.legs.webrtc.signs_of_life import SignsOfLife

Virtual = Callable[[Coroutine[Any, Any, None]], None]
SILENT_S = 15.0


class Peer:
    """Somebody of whom something comes now and then."""

    def __init__(self) -> None:
        self.heard_s = asyncio.get_running_loop().time()
        self.lost: list[str] = []
        self.signs = SignsOfLife(SILENT_S, lambda: self.heard_s, self.lost.append)

    def speak(self) -> None:
        self.heard_s = asyncio.get_running_loop().time()


def test_a_peer_is_lost_when_nothing_came_for_so_long_and_not_before(virtual: Virtual) -> None:
    async def call() -> None:
        peer = Peer()
        peer.signs.begin()
        await asyncio.sleep(10)
        peer.speak()
        await asyncio.sleep(SILENT_S - 0.1)
        assert peer.lost == []
        await asyncio.sleep(0.2)
        assert peer.lost == ["no sign of life for 15 s"]
        await asyncio.sleep(60)
        assert len(peer.lost) == 1

    virtual(call())


def test_a_peer_that_speaks_up_in_time_stays(virtual: Virtual) -> None:
    async def call() -> None:
        peer = Peer()
        peer.signs.begin()
        for _ in range(100):
            await asyncio.sleep(SILENT_S - 0.1)
            peer.speak()
        peer.signs.stop()
        assert peer.lost == []

    virtual(call())


def test_a_peer_that_is_watched_no_more_is_not_lost(virtual: Virtual) -> None:
    async def call() -> None:
        peer = Peer()
        peer.signs.begin()
        peer.signs.stop()
        peer.signs.stop()
        await asyncio.sleep(60)
        assert peer.lost == []

    virtual(call())
