import pytest

from bridge.talk.screen.board import Board
from bridge.talk.typed import carry_out, line_help
from tests.fakes.screen_talk import FakeTalk


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        ("hello there ", [("text", "hello there")]),
        ("/dtmf 12#a", [("dtmf", "12#A")]),
        ("/medium text", [("medium", "text")]),
        ("/medium voice", [("medium", "voice")]),
        ("/hangup", [("hang up",)]),
        ("  ", []),
    ],
)
def test_a_line_is_words_or_a_command(line: str, asked: list[tuple[object, ...]]) -> None:
    talk = FakeTalk()

    assert carry_out(line, talk, Board()) == ""
    assert talk.asked == asked


@pytest.mark.parametrize("line", ["/", "/help", "/what now"])
@pytest.mark.parametrize("devices", [True, False])
def test_what_is_no_command_is_answered_with_the_commands(line: str, devices: bool) -> None:
    talk = FakeTalk(has_devices=devices)

    told = carry_out(line, talk, Board())

    assert told == line_help(devices=devices)
    assert ("/mute" in told) == devices
    assert talk.asked == []


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/dtmf", "telephone keys are"),
        ("/dtmf 12x", "telephone keys are"),
        ("/medium fax", "by voice or in text"),
        ("/medium", "by voice or in text"),
    ],
)
def test_what_a_command_cannot_take_is_answered_with_what_it_takes(line: str, words: str) -> None:
    talk = FakeTalk()

    assert words in carry_out(line, talk, Board())
    assert talk.asked == []


def test_muting_is_for_devices_only() -> None:
    talk = FakeTalk()
    carry_out("/mute", talk, Board())
    carry_out("/speaker", talk, Board())
    assert (talk.mic_muted, talk.speaker_muted) == (True, True)

    assert "typed conversation" in carry_out("/mute", FakeTalk(has_devices=False), Board())


def test_an_answer_goes_to_the_tool_that_has_waited_longest() -> None:
    talk, board = FakeTalk(), Board()
    assert carry_out("/answer yes", talk, board) == "no tool waits for an answer"
    board.tool_asked("a", "first", "", at_s=1, by_hand=True)
    board.tool_asked("b", "second", "", at_s=2, by_hand=True)

    assert carry_out("/answer  yes, two ", talk, board) == ""

    assert talk.asked == [("answer", "a", "yes, two")]
