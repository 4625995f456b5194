"""How long an agent's side may say nothing at all: asked once, then given up, in virtual time."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from bridge.legs.base import Ended
from bridge.legs.first_word import ANSWER_S, ASK_S, FirstWord
from bridge.wire.messages import Ping

Virtual = Callable[[Coroutine[Any, Any, None]], None]


class Call:
    """What is asked of a call, and when."""

    def __init__(self) -> None:
        self.came = False
        self.asked: list[float] = []
        self.ended: list[Ended] = []
        self.first_word = FirstWord(lambda: self.came, self.ask, self.ended.append)

    def ask(self, ping: Ping) -> None:
        self.asked.append(ping.timestamp)


def test_an_agent_that_never_says_anything_is_asked_and_then_given_up(virtual: Virtual) -> None:
    async def call() -> None:
        call = Call()
        call.first_word.begin()
        await asyncio.sleep(ASK_S + ANSWER_S - 0.1)
        assert call.asked == [ASK_S]
        assert call.ended == []
        await asyncio.sleep(0.2)

        [ended] = call.ended
        assert ended.reason == "connection_error"
        assert ended.detail.startswith("the agent's side said nothing for 10 s")

    virtual(call())


@pytest.mark.parametrize(("when_s", "n_asked"), [(ASK_S - 0.1, 0), (ASK_S + ANSWER_S - 0.1, 1)])
def test_one_word_is_enough_for_ever(virtual: Virtual, when_s: float, n_asked: int) -> None:
    async def call() -> None:
        call = Call()
        call.first_word.begin()
        await asyncio.sleep(when_s)
        call.came = True
        await asyncio.sleep(3_600)

        assert len(call.asked) == n_asked
        assert call.ended == []

    virtual(call())


def test_what_was_waited_for_already_counts(virtual: Virtual) -> None:
    async def call() -> None:
        call = Call()
        call.first_word.begin(silent_s=10)
        await asyncio.sleep(0.1)
        assert call.asked == [0]
        await asyncio.sleep(ANSWER_S)

        assert "for 15 s" in call.ended[0].detail

    virtual(call())


@pytest.mark.parametrize("when_s", [0, ASK_S + 0.1])
def test_who_has_stopped_waiting_asks_nothing_and_ends_nothing(
    virtual: Virtual, when_s: float
) -> None:
    async def call() -> None:
        call = Call()
        call.first_word.begin()
        await asyncio.sleep(when_s)
        n_asked = len(call.asked)
        call.first_word.stop()
        call.first_word.stop()
        await asyncio.sleep(60)

        assert len(call.asked) == n_asked
        assert call.ended == []

    virtual(call())


def test_waiting_begins_anew_when_it_is_said_again(virtual: Virtual) -> None:
    async def call() -> None:
        call = Call()
        call.first_word.begin()
        await asyncio.sleep(ASK_S + ANSWER_S - 0.1)
        call.first_word.begin()
        await asyncio.sleep(ASK_S + ANSWER_S - 0.1)
        assert call.ended == []
        await asyncio.sleep(0.2)
        assert len(call.ended) == 1

    virtual(call())
