from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.talk.screen.board import Board
from bridge.talk.screen.needs import Gauges
from bridge.talk.screen.palette import COLOURED
from bridge.talk.screen.paragraphs import Look
from bridge.talk.screen.status import figures_line, key_lines, meter_line, rule, title_line

LOOK = Look(COLOURED)
ASCII = Look(COLOURED, plain=True)
GAUGES = Gauges(-20, -30, 140.0, 2, 12.0, 38.0, ("mic", "out"))


@given(st.integers(1, 200), st.booleans())
def test_no_line_is_wider_than_the_terminal(width: int, plain: bool) -> None:
    look = ASCII if plain else LOOK
    board = Board("somebody with a long name")
    board.waited(1, 800, None)
    keys = [("q", "hang up"), ("m", "mute")]

    lines = [
        title_line(board, 7_000, width, look),
        meter_line("you", -3, width, look, remark="microphone off", active=True),
        figures_line(GAUGES, board, width, look, devices=True),
        rule(width, look, "words"),
        *key_lines(keys, width, look, rows=2),
    ]

    assert [line.plain for line in lines if line.cell_len > max(width, 12)] == []


@pytest.mark.parametrize(
    ("width", "last"), [(120, "answers by voice"), (50, "drops 2"), (40, "buffer 140 ms")]
)
def test_a_narrow_terminal_leaves_out_the_least_important_figures(width: int, last: str) -> None:
    board = Board()
    board.waited(1, 800, None)

    assert figures_line(GAUGES, board, width, LOOK, devices=True).plain.endswith(last)


def test_a_drift_of_nothing_has_no_minus() -> None:
    gauges = replace(GAUGES, drift_ppm=-0.3)

    assert "drift +0 ppm" in figures_line(gauges, Board(), 120, LOOK, devices=True).plain


def test_who_speaks_is_marked_without_colours_too() -> None:
    assert meter_line("you", -20, 80, LOOK, active=True).plain.startswith("▶you")
    assert meter_line("you", -20, 80, LOOK).plain.startswith(" you")


def test_a_silent_meter_says_so_and_a_muted_one_why() -> None:
    assert meter_line("you", -120, 80, LOOK).plain.endswith(" silent")
    assert meter_line("you", -9, 80, LOOK, remark="microphone off").plain.endswith("microphone off")


def test_the_title_says_that_the_call_is_over() -> None:
    board = Board("receptionist", state="speaking")
    assert "speaking" in title_line(board, 5, 80, LOOK).plain

    board.end("the agent hung up")

    assert title_line(board, 5, 80, LOOK).plain.endswith("● ended  0:05")


def test_a_typed_conversation_has_no_figures_of_devices() -> None:
    assert figures_line(GAUGES, Board(), 80, LOOK, devices=False).plain == " answers by voice"
