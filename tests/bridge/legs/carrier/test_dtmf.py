import asyncio
from collections.abc import Coroutine

import pytest

from bridge.legs.carrier.dtmf import (
    MAX_DIGITS,
    MAX_PER_S,
    MAX_WAITING,
    QUICK_S,
    DtmfHandling,
    Keypad,
)
from bridge.legs.carrier.figures import CarrierFigures
from bridge.virtual import run_virtual
from bridge.wire.messages import UserTextMessage


class Pressed:
    """A keypad, and what it said when."""

    def __init__(self, handling: DtmfHandling | None = None, *, is_open: bool = True) -> None:
        self.said: list[tuple[float, UserTextMessage]] = []
        self.figures = CarrierFigures()
        self.keypad = Keypad(handling or DtmfHandling(), self._send, self.figures)
        if is_open:
            self.keypad.open()

    def _send(self, message: UserTextMessage) -> None:
        self.said.append((asyncio.get_running_loop().time(), message))

    async def press(self, digits: str, apart_s: float = 0.1) -> None:
        for index, digit in enumerate(digits):
            if index:
                await asyncio.sleep(apart_s)
            self.keypad.press(digit)

    @property
    def texts(self) -> list[str]:
        return [message.text for _, message in self.said]


def run(main: Coroutine[None, None, None]) -> None:
    run_virtual(main)


def test_quick_presses_become_one_message_half_a_second_after_the_last() -> None:
    async def call() -> None:
        pressed = Pressed()
        await pressed.press("12#", apart_s=QUICK_S - 0.01)
        last = asyncio.get_running_loop().time()
        await asyncio.sleep(1)

        assert pressed.said == [(last + QUICK_S, UserTextMessage(text="12#", urgency="immediate"))]

    run(call())


def test_a_press_after_the_half_second_begins_a_new_message() -> None:
    async def call() -> None:
        pressed = Pressed()
        await pressed.press("12", apart_s=QUICK_S + 0.01)
        await asyncio.sleep(1)

        assert pressed.texts == ["1", "2"]

    run(call())


def test_the_digits_stand_in_the_configured_text_with_its_urgency() -> None:
    async def call() -> None:
        pressed = Pressed(DtmfHandling(text="keys: {digits} ({other})", urgency="later"))
        await pressed.press("7")
        await asyncio.sleep(1)

        assert pressed.said[0][1] == UserTextMessage(text="keys: 7 ({other})", urgency="later")

    run(call())


def test_ignored_keys_are_counted_and_not_told() -> None:
    async def call() -> None:
        pressed = Pressed(DtmfHandling(ignore=True))
        await pressed.press("123")
        await asyncio.sleep(1)

        assert (pressed.texts, pressed.figures.digits) == ([], 3)

    run(call())


def test_keys_pressed_before_the_agent_is_there_wait_for_it() -> None:
    async def call() -> None:
        pressed = Pressed(is_open=False)
        await pressed.press("12")
        await asyncio.sleep(1)
        assert pressed.texts == []
        pressed.keypad.open()

        assert pressed.texts == ["12"]
        pressed.keypad.shut()
        await pressed.press("3")
        await asyncio.sleep(1)
        assert pressed.texts == ["12"]
        pressed.keypad.open()
        assert pressed.texts == ["12", "3"]

    run(call())


def test_no_more_than_so_many_messages_wait_for_an_agent() -> None:
    async def call() -> None:
        pressed = Pressed(is_open=False)
        await pressed.press("1" * (MAX_WAITING + 3), apart_s=1)
        await asyncio.sleep(1)
        pressed.keypad.open()

        assert len(pressed.texts) == MAX_WAITING

    run(call())


@pytest.mark.parametrize(("n", "told"), [(MAX_PER_S, MAX_PER_S), (MAX_PER_S + 1, MAX_PER_S)])
def test_no_more_than_twenty_keys_a_second_are_told(n: int, told: int) -> None:
    async def call() -> None:
        pressed = Pressed()
        await pressed.press("5" * n, apart_s=0)
        await asyncio.sleep(1)

        assert pressed.texts == ["5" * told]
        assert pressed.figures.digits == n

    run(call())


def test_a_caller_who_never_stops_pressing_is_told_in_pieces() -> None:
    async def call() -> None:
        pressed = Pressed()
        await pressed.press("5" * (MAX_DIGITS + 1), apart_s=0.1)
        await asyncio.sleep(1)

        assert pressed.texts == ["5" * MAX_DIGITS, "5"]

    run(call())


def test_a_caller_who_left_says_nothing_more() -> None:
    async def call() -> None:
        pressed = Pressed()
        await pressed.press("1")
        pressed.keypad.stop()
        pressed.keypad.stop()
        await asyncio.sleep(1)

        assert pressed.texts == []

    run(call())
