"""What joining waits for."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bridge.errors import JoinRefused
from bridge.legs.webrtc.milestones import Milestones

Virtual = Callable[[Coroutine[Any, Any, None]], None]


def test_the_first_event_of_a_kind_that_was_expected_is_the_one(virtual: Virtual) -> None:
    async def wait() -> None:
        miles = Milestones()
        miles.reach("too early")
        word, number = miles.expect(str), miles.expect(int)
        miles.reach(5)
        miles.reach("first")
        miles.reach("second")

        assert await miles.wait(word, "word", 1) == "first"
        assert await miles.wait(number, "number", 1) == 5

    virtual(wait())


def test_what_does_not_come_in_time_is_named(virtual: Virtual) -> None:
    async def wait() -> None:
        miles = Milestones()
        with pytest.raises(JoinRefused, match=r"the agent's room sent no word within 2\.5 s"):
            await miles.wait(miles.expect(str), "word", 2.5)
        assert asyncio.get_running_loop().time() == pytest.approx(2.5)

    virtual(wait())


def test_what_breaks_ends_every_wait_with_its_own_sentence(virtual: Virtual) -> None:
    async def wait() -> None:
        miles = Milestones()
        asyncio.get_running_loop().call_later(1, miles.break_off, "it closed")
        with pytest.raises(JoinRefused, match=r"^it closed$"):
            await miles.wait(miles.expect(str), "word", 60)
        miles.break_off("again")
        with pytest.raises(JoinRefused, match=r"^it closed$"):
            await miles.wait(miles.expect(str), "word", 60)

    virtual(wait())


def test_what_came_before_it_broke_counts(virtual: Virtual) -> None:
    async def wait() -> None:
        miles = Milestones()
        word = miles.expect(str)
        miles.reach("came")
        miles.break_off("it closed")

        assert await miles.wait(word, "word", 1) == "came"

    virtual(wait())
