"""Keys that are no text, pressed on the screen."""

import pytest

from tests.fakes.screen_talk import FakeTalk
from tests.fakes.shown_screen import Screen


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("q", ("hang up",)),
        ("ctrl+c", ("hang up",)),
        ("o", ("medium", "text")),
        ("space", ("push_to_talk", True)),
        ("p", ("push_to_talk", False)),
    ],
)
async def test_a_key_is_a_command(key: str, asked: tuple[object, ...]) -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press(key)

    assert screen.talk.asked == [asked]


async def test_a_capital_letter_is_the_same_command() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("M")

    assert screen.talk.mic_muted


async def test_telephone_keys_are_pressed_one_by_one_and_enter_sends_them() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("d", "1", "asterisk", "b", "number_sign")
        await screen.redrawn(pilot)
        prompt = screen.visible()
        await pilot.press("enter")

        assert screen.app.mode == "dtmf"
    pressed: list[tuple[object, ...]] = [("key", each) for each in "1*B#"]
    assert screen.talk.asked == [*pressed, ("keys go",)]
    assert "1*B#" in prompt


async def test_keys_that_were_sent_leave_the_prompt_and_later_ones_stay() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("d", "4", "2", "7")
        screen.board.keys_sent("42", at_s=1.0)
        await screen.redrawn(pilot)
        prompt = screen.rows("prompt-words")[0]

        assert "427" not in prompt
        assert "telephone keys: 7 " in prompt
        assert "keys 42 sent" in screen.transcript


async def test_leaving_the_telephone_keys_sends_those_that_wait() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("d", "1", "escape", "2")
        await pilot.press("d", "escape")

    assert screen.talk.asked == [("key", "1"), ("keys go",)]


async def test_a_waiting_tool_is_answered_by_hand() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        screen.board.tool_asked("t1", "askManager", "", at_s=1, by_hand=True)
        await screen.redrawn(pilot)
        keys = screen.rows("keys")[0]
        await pilot.press("a", "y", "e", "s", "enter")

    assert "a answer askManager" in keys
    assert screen.talk.asked == [("answer", "t1", "yes")]
    assert screen.app.mode == "keys"


async def test_without_a_waiting_tool_there_is_nothing_to_answer() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("a", "a")
        await screen.redrawn(pilot)

        assert screen.app.mode == "keys"
        assert screen.transcript.count("no tool waits for an answer") == 1


async def test_a_held_space_bar_opens_the_microphone_until_it_is_let_go() -> None:
    screen = Screen(push_to_talk=True)
    async with screen.shown() as pilot:
        closed = screen.rows("meters")[0]
        await pilot.press("space")
        for _ in range(3):
            screen.now_s += 0.1
            await pilot.press("space")
        await screen.redrawn(pilot)
        open_ = screen.rows("meters")[0]
        await screen.redrawn(pilot, after_s=0.3)

    assert "hold space to talk" in closed
    assert "hold space" not in open_
    held = [told for told in screen.talk.asked if told[0] == "push_to_talk"]
    assert held[0] == ("push_to_talk", False)
    assert held[-2:] == [("push_to_talk", True), ("push_to_talk", False)]


async def test_keys_of_devices_do_nothing_in_a_typed_conversation() -> None:
    screen = Screen(FakeTalk(has_devices=False))
    async with screen.shown() as pilot:
        await pilot.press("escape", "m", "s", "space", "p")

    assert screen.talk.asked == []
    assert not screen.talk.mic_muted
