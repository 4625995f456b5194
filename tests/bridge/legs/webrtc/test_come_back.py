"""A lost connection is had back; how that looks from the leg is in test_room_leg."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bridge.errors import JoinRefused
from bridge.legs.webrtc.come_back import LOSSES, PAUSES_S, ComeBack

Virtual = Callable[[Coroutine[Any, Any, None]], None]


class Tries:
    """Each try ends as it is told: None works."""

    def __init__(self, *ends: JoinRefused | None) -> None:
        self.ends = list(ends)
        self.at_s: list[float] = []
        self.backs = 0
        self.given_up: list[str] = []
        self.come_back = ComeBack(self.enter, self.back, self.given_up.append)

    async def enter(self) -> None:
        self.at_s.append(round(asyncio.get_running_loop().time(), 2))
        end = self.ends.pop(0)
        if end is not None:
            raise end

    def back(self) -> None:
        self.backs += 1


BUSY = JoinRefused("busy", status=503)


def test_pauses_grow_until_a_try_works(virtual: Virtual) -> None:
    async def lose() -> None:
        tries = Tries(BUSY, BUSY, BUSY, None)
        tries.come_back.lost("x")
        await asyncio.sleep(20)

        assert tries.at_s == [0, 0.25, 0.75, 1.75]
        assert (tries.backs, tries.given_up) == (1, [])

    virtual(lose())


def test_after_the_last_try_it_is_given_up_with_the_last_sentence(virtual: Virtual) -> None:
    async def lose() -> None:
        tries = Tries(*[BUSY] * len(PAUSES_S))
        tries.come_back.lost("x")
        await asyncio.sleep(20)

        assert tries.given_up == ["a lost connection could not be had back: busy"]
        assert tries.ends == []

    virtual(lose())


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_that_will_stand_is_not_asked_again(virtual: Virtual, status: int) -> None:
    async def lose() -> None:
        tries = Tries(JoinRefused("no", status=status), None)
        tries.come_back.lost("x")
        await asyncio.sleep(20)

        assert len(tries.at_s) == 1
        assert tries.given_up == ["a lost connection could not be had back: no"]

    virtual(lose())


def test_a_loss_while_it_is_tried_already_begins_nothing_more(virtual: Virtual) -> None:
    async def lose() -> None:
        tries = Tries(BUSY, None)
        tries.come_back.lost("x")
        await asyncio.sleep(0.1)
        tries.come_back.lost("y")
        await asyncio.sleep(20)

        assert tries.backs == 1
        assert len(tries.at_s) == 2

    virtual(lose())


def test_stopping_ends_the_tries(virtual: Virtual) -> None:
    async def lose() -> None:
        tries = Tries(BUSY, None)
        tries.come_back.lost("x")
        await asyncio.sleep(0.1)
        tries.come_back.stop()
        await asyncio.sleep(20)

        assert (tries.backs, len(tries.at_s)) == (0, 1)

    virtual(lose())


def test_too_many_losses_are_given_up_and_slow_ones_are_not(virtual: Virtual) -> None:
    async def lose() -> None:
        for pause_s, given_up in ((1.0, 1), (20.0, 0)):
            tries = Tries(*[None] * LOSSES)
            for _ in range(LOSSES):
                tries.come_back.lost("x")
                await asyncio.sleep(pause_s)
            assert len(tries.given_up) == given_up

    virtual(lose())
