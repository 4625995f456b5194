"""The screen with textual's pilot: keys become commands, changes become lines."""

import pytest

from bridge.talk.screen.needs import Gauges
from tests.fakes.screen_talk import FakeTalk
from tests.fakes.shown_screen import Screen


async def test_what_happens_is_on_the_screen() -> None:
    screen = Screen(FakeTalk(measured=Gauges(-20, -30, 140, 2, 12, 38)))
    async with screen.shown() as pilot:
        screen.board.set_state("speaking")
        screen.board.say("agent", 1, "Hello there", at_s=1, final=True, unheard="and more")
        screen.board.waited(1, 640, 1)
        await screen.redrawn(pilot)

        seen = screen.visible()

    for words in ("receptionist", "● speaking", "▶you", "-20 dB", "▶agent", "-30 dB"):
        assert words in seen
    for words in ("buffer 140 ms", "drops 2", "Hello there and more", "0.64 s", "q hang up"):
        assert words in seen


async def test_muting_is_shown_at_the_meter_that_falls_silent() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("m", "s")
        await screen.redrawn(pilot)

        you, agent = screen.rows("meters")[:2]
        keys = screen.rows("keys")[0]

    assert you.endswith("microphone off")
    assert agent.endswith("loudspeaker off")
    assert "m unmute" in keys


async def test_text_is_typed_and_sent_and_the_keys_are_back() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("t", "m", "q", "space", "question_mark", "enter")
        mode_after = screen.app.mode
        await pilot.press("m")

    assert screen.talk.asked == [("text", "mq ?")]
    assert mode_after == "keys"
    assert screen.talk.mic_muted


async def test_escape_leaves_the_text_unsent() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("t", "x", "escape", "t", "y", "enter")

    assert screen.talk.asked == [("text", "y")]


async def test_ctrl_c_hangs_up_while_something_is_typed() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("t", "x", "ctrl+c")

    assert screen.talk.asked == [("hang up",)]


async def test_a_typed_conversation_begins_with_its_input_line_and_has_no_meters() -> None:
    screen = Screen(FakeTalk(has_devices=False))
    async with screen.shown() as pilot:
        await pilot.press("h", "i", "enter")
        await pilot.press("h", "o", "enter")
        await screen.redrawn(pilot)

        assert len(screen.rows("meters")) == 2
        assert screen.app.mode == "text"
    assert screen.talk.asked == [("text", "hi"), ("text", "ho")]


async def test_help_shows_all_keys_and_goes_again() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("question_mark")
        await screen.redrawn(pilot)
        shown = screen.visible()
        await pilot.press("question_mark")
        await screen.redrawn(pilot)

        assert "telephone keys" not in screen.visible()
    assert "telephone keys" in shown
    assert "no key-up" in shown
    for counted in ("buffer ", "drops "):
        assert counted in shown.partition("keys ")[2]


async def test_the_transcript_follows_the_talk_unless_the_user_reads_back() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        for ordinal in range(60):
            screen.board.say("user", ordinal, f"line {ordinal}", at_s=1, final=True)
        await screen.redrawn(pilot)
        assert "line 59" in screen.visible()
        await pilot.press("pageup")
        await pilot.pause()
        screen.board.say("user", 60, "line 60", at_s=1, final=True)
        await screen.redrawn(pilot)
        assert "line 60" not in screen.visible()
        await pilot.press("end")
        await screen.redrawn(pilot)

        assert "line 60" in screen.visible()


async def test_the_last_words_stay_in_sight_when_an_input_line_appears() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        for ordinal in range(60):
            screen.board.say("user", ordinal, f"line {ordinal}", at_s=1, final=True)
        await screen.redrawn(pilot)
        await pilot.press("t")
        await screen.redrawn(pilot)

        assert "line 59" in screen.visible()


@pytest.mark.parametrize(("width", "height"), [(40, 12), (20, 6), (80, 24), (200, 60)])
async def test_any_size_of_terminal_shows_the_last_words_and_how_to_hang_up(
    width: int, height: int
) -> None:
    screen = Screen()
    async with screen.shown(width, height) as pilot:
        screen.board.say("agent", 1, "goodbye now", at_s=1, final=True)
        await screen.redrawn(pilot)

        seen = screen.visible()

    assert "now" in seen
    assert "q hang up" in seen


async def test_a_terminal_that_grows_gets_the_column_at_the_side() -> None:
    screen = Screen()
    screen.board.waited(1, 640, None)
    async with screen.shown(80, 24) as pilot:
        narrow = screen.visible()
        await pilot.resize_terminal(120, 40)
        await screen.redrawn(pilot)

        assert "answers" in screen.visible()
    assert "none yet" not in narrow
    assert "answers  " not in narrow


async def test_foreign_words_cannot_speak_to_the_terminal() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        screen.board.say("agent", 1, "[bold]x[/bold]\x1b[2J\x07", at_s=1, final=True)
        await screen.redrawn(pilot)

        seen = screen.visible()

    assert "[bold]x[/bold]\\x1b[2J\\x07" in seen


async def test_the_end_is_seen_for_a_moment_before_the_screen_goes() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        screen.board.end("the agent hung up")
        await screen.redrawn(pilot, after_s=0.1)
        assert screen.app.is_running
        assert "ended" in screen.visible()
        await screen.redrawn(pilot, after_s=1.3)

        assert screen.app._exit


async def test_hanging_up_twice_leaves_whatever_the_far_end_does() -> None:
    screen = Screen()
    async with screen.shown() as pilot:
        await pilot.press("q")
        assert not screen.app._exit
        await pilot.press("ctrl+c")

        assert screen.app._exit
