from bridge.talk.screen.board import Board
from bridge.talk.screen.needs import Gauges
from bridge.talk.screen.palette import COLOURED
from bridge.talk.screen.paragraphs import Look
from bridge.talk.screen.side import side_lines

LOOK = Look(COLOURED)
GAUGES = Gauges(devices=("A microphone with a very long name indeed", "Out"))


def lines(n_answers: int, height: int = 10, gauges: Gauges = GAUGES) -> list[str]:
    board = Board()
    for turn in range(1, n_answers + 1):
        board.waited(turn, 100.0 * turn, None)
    return [line.plain.rstrip() for line in side_lines(board, gauges, 30, height, LOOK)]


def test_each_answer_has_a_bar_and_the_devices_stand_at_the_bottom() -> None:
    shown = lines(2)

    assert shown[0] == "answers"
    assert shown[1].startswith("  1 ▊")
    assert shown[2].endswith("0.20 s")
    assert len(shown) == 10
    assert shown[8].startswith("in  A microphone")
    assert shown[9] == "out Out"


def test_when_there_are_too_many_answers_the_newest_are_shown_with_their_numbers() -> None:
    shown = lines(40)

    assert len(shown) == 10
    assert [line.split()[0] for line in shown[1:7]] == ["35", "36", "37", "38", "39", "40"]


def test_no_line_is_wider_than_the_column() -> None:
    assert max(map(len, lines(3))) <= 30


def test_before_the_first_answer_it_says_so() -> None:
    assert lines(0)[:2] == ["answers", "none yet"]


def test_the_name_of_a_device_cannot_speak_to_the_terminal() -> None:
    gauges = Gauges(devices=("\x1b]0;evil\x07", "\u202eline\ntwo"))

    drawn = "\n".join(lines(0, gauges=gauges))

    assert r"in  \x1b]0;evil\x07" in drawn
    assert r"out \u202eline two" in drawn
