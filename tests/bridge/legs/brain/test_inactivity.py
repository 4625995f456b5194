import asyncio

import pytest

from bridge.legs.brain.host import TimedMessage
from bridge.legs.brain.inactivity import Inactivity
from bridge.virtual import run_virtual

MESSAGES = (TimedMessage(2.0, "one"), TimedMessage(1.0, "two"))


class Clock:
    def __init__(self) -> None:
        self.due: list[tuple[float, str]] = []
        self.inactivity = Inactivity(MESSAGES, self.note)

    def note(self, message: TimedMessage) -> None:
        self.due.append((asyncio.get_running_loop().time(), message.message))


def test_each_message_comes_its_duration_after_silence_began_again_and_once() -> None:
    async def call() -> None:
        clock = Clock()
        for _ in range(4):
            clock.inactivity.wait()
            await asyncio.sleep(5)

        assert [text for _, text in clock.due] == ["one", "two"]
        assert [at for at, _ in clock.due] == pytest.approx([2.0, 6.0])

    run_virtual(call())


def test_activity_starts_again_at_the_first_message() -> None:
    async def call() -> None:
        clock = Clock()
        clock.inactivity.wait()
        await asyncio.sleep(2.5)
        clock.inactivity.user_active()
        clock.inactivity.wait()
        await asyncio.sleep(2.5)

        assert [text for _, text in clock.due] == ["one", "one"]
        clock.inactivity.stop()

    run_virtual(call())


def test_while_somebody_speaks_nothing_is_counted() -> None:
    async def call() -> None:
        clock = Clock()
        clock.inactivity.wait()
        await asyncio.sleep(1.9)
        clock.inactivity.stop()
        await asyncio.sleep(10)

        assert clock.due == []

    run_virtual(call())


def test_waiting_anew_counts_from_now() -> None:
    async def call() -> None:
        clock = Clock()
        clock.inactivity.wait()
        await asyncio.sleep(1.5)
        clock.inactivity.wait()
        await asyncio.sleep(1.5)
        assert clock.due == []
        await asyncio.sleep(0.6)
        assert [text for _, text in clock.due] == ["one"]

    run_virtual(call())


def test_two_equal_readings_of_activity_mean_silence() -> None:
    async def call() -> None:
        inactivity = Inactivity((), lambda message: None)
        before = inactivity.activity
        inactivity.wait()  # no messages: nothing to wait for
        assert inactivity.activity == before
        inactivity.user_active()
        assert inactivity.activity != before

    run_virtual(call())
