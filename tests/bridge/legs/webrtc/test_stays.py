"""Our stays in a room, played by a test: how they begin and end, and what waits for them."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from bridge.audio.lane import Lane
from bridge.errors import JoinRefused
from bridge.legs.base import Ended
from bridge.legs.webrtc.mailbox import MAX_WAITING
from bridge.legs.webrtc.room import Access, RoomUser
from bridge.legs.webrtc.stays import CLOSING_S, Stays
from tests.fakes.fake_room import FakeRoom

Virtual = Callable[[Coroutine[Any, Any, None]], None]
BUSY = JoinRefused("the room is busy")


class World:
    """Stays that begin as a test says."""

    def __init__(self, *begins: JoinRefused | float) -> None:
        self.rooms: list[FakeRoom] = []
        self.lost: list[int] = []
        self.ended: asyncio.Future[Ended] = asyncio.get_running_loop().create_future()
        self._begins = iter(begins)
        self.stays = Stays(self._make, self.ended, self.lost.append)

    def _make(self) -> FakeRoom:
        user = cast("RoomUser", None)  # nothing is told
        access, say = Access("ws://127.0.0.1:1/r", "t"), Lane(16_000, 100, "drop_oldest")
        self.rooms.append(FakeRoom(access, user, say, next(self._begins)))
        return self.rooms[-1]


def test_messages_wait_for_a_stay_and_for_the_next_one(virtual: Virtual) -> None:
    async def call() -> None:
        world = World(0.1, 0.1)
        world.stays.post("1")
        await world.stays.enter()
        world.stays.post("2")
        await asyncio.sleep(1)
        world.rooms[0].heard_s = asyncio.get_running_loop().time()
        world.stays.leave()
        world.stays.post("3")
        await world.stays.enter()
        assert [room.sent for room in world.rooms] == [[1, 2], [3]]
        assert [room.stopped for room in world.rooms] == [True, False]
        assert world.stays.current is world.rooms[1]
        world.stays.leave()
        await world.stays.closed()
        assert world.lost == []

    virtual(call())


def test_what_gave_way_while_there_was_no_stay_is_told(virtual: Virtual) -> None:
    async def call() -> None:
        world = World(0.1)
        for n in range(MAX_WAITING + 3):
            world.stays.post(str(n))
        await world.stays.enter()
        assert world.lost == [3]
        world.stays.leave()
        await world.stays.closed()

    virtual(call())


def test_a_stay_that_does_not_begin_is_left(virtual: Virtual) -> None:
    async def call() -> None:
        world = World(BUSY)
        with pytest.raises(JoinRefused, match="busy"):
            await world.stays.enter()
        assert world.rooms[0].stopped
        assert world.stays.current is None
        await world.stays.closed()

    virtual(call())


def test_a_call_that_ends_first_ends_the_beginning(virtual: Virtual) -> None:
    async def call() -> None:
        world, loop = World(60.0), asyncio.get_running_loop()
        loop.call_later(1, world.ended.set_result, Ended("agent_hangup"))
        with pytest.raises(JoinRefused, match="was over before we were in its room"):
            await world.stays.enter()
        assert loop.time() == 1
        assert world.rooms[0].stopped
        await world.stays.closed()

    virtual(call())


def test_a_stay_that_cannot_be_left_is_given_up_after_a_second(
    virtual: Virtual, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def call() -> None:
        world, loop = World(0.1), asyncio.get_running_loop()
        await world.stays.enter()

        async def never() -> None:
            await asyncio.sleep(3_600)

        monkeypatch.setattr(world.rooms[0], "closed", never)
        began_s = loop.time()
        world.stays.leave()
        await world.stays.closed()
        assert loop.time() - began_s == CLOSING_S
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1

    virtual(call())
