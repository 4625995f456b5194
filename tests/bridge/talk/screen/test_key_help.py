import pytest

from bridge.talk.screen.board import Board
from bridge.talk.screen.key_help import help_lines, keys_for
from bridge.talk.screen.palette import COLOURED
from bridge.talk.screen.paragraphs import Look
from bridge.talk.screen.status import key_lines
from tests.fakes.screen_talk import FakeTalk


def test_hanging_up_comes_first_unless_a_tool_waits() -> None:
    board = Board()
    assert keys_for("keys", FakeTalk(), board, push_to_talk=False)[0] == ("q", "hang up")

    board.tool_asked("a", "askManager", "", at_s=1, by_hand=True)

    keys = keys_for("keys", FakeTalk(), board, push_to_talk=False)
    assert keys[:2] == [("a", "answer askManager"), ("q", "hang up")]


def test_whoever_types_is_told_how_to_come_to_a_tool_that_waits() -> None:
    board = Board()
    assert ("Esc", "keys") in keys_for("text", FakeTalk(), board, push_to_talk=False)

    board.tool_asked("a", "askManager", "", at_s=1, by_hand=True)

    keys = keys_for("text", FakeTalk(), board, push_to_talk=False)
    assert ("Esc a", "answer askManager") in keys


def test_where_there_is_room_for_few_keys_the_one_for_help_is_among_them() -> None:
    keys = keys_for("keys", FakeTalk(), Board(), push_to_talk=False)

    lines = key_lines(keys, 40, Look(COLOURED), rows=2)

    assert "? help" in lines[0].plain


@pytest.mark.parametrize("mode", ["text", "answer", "dtmf", "help", "keys"])
def test_every_mode_says_how_to_hang_up(mode: str) -> None:
    keys = keys_for(mode, FakeTalk(), Board(), push_to_talk=False)

    assert "hang up" in [does for _, does in keys]


def test_the_words_follow_what_a_key_would_do_now() -> None:
    talk = FakeTalk(mic_muted=True, speaker_muted=True)
    keys = dict(keys_for("keys", talk, Board(medium="text"), push_to_talk=False))

    assert (keys["m"], keys["s"], keys["o"]) == ("unmute", "speaker on", "answers by voice")


def test_a_typed_conversation_has_no_keys_for_sound() -> None:
    keys = dict(keys_for("keys", FakeTalk(has_devices=False), Board(), push_to_talk=False))

    assert not {"m", "s", "space"} & keys.keys()


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_help_fits_the_width_and_says_what_terminals_do_not_tell(width: int) -> None:
    lines = help_lines(width, Look(COLOURED), devices=True)

    assert max(line.cell_len for line in lines) <= width
    assert any("Terminals" in line.plain for line in lines)
    assert len(help_lines(width, Look(COLOURED), devices=False)) < len(lines)
