from typing import Any
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.talk.screen.board import ENTRIES_KEPT, LATENCIES_KEPT, LONGEST_TEXT, Board, shown


def say(board: Board, ordinal: int, text: str, **more: object) -> None:
    told = {"at_s": 1.0, "final": True} | more
    board.say("agent", ordinal, text, **told)  # type: ignore[arg-type]


def test_an_utterance_that_goes_on_stays_one_entry_with_a_new_revision() -> None:
    board = Board()
    say(board, 1, "Hel", final=False)
    before = board.entries[0].revision

    say(board, 1, "Hello")

    assert [entry.text for entry in board.entries] == ["Hello"]
    assert board.entries[0].revision > before


def test_a_blank_utterance_is_no_entry_but_one_that_nobody_heard_is() -> None:
    board = Board()

    say(board, 1, "  ")
    say(board, 2, "", unheard="never heard")

    assert [(entry.text, entry.unheard) for entry in board.entries] == [("", "never heard")]


def test_the_oldest_entries_leave_when_there_are_too_many() -> None:
    board = Board()

    for ordinal in range(ENTRIES_KEPT + 1):
        say(board, ordinal, f"words {ordinal}")

    assert len(board.entries) == ENTRIES_KEPT
    assert board.entries[0].text == "words 1"


def test_only_so_many_latencies_are_kept_and_a_turn_has_one() -> None:
    board = Board()

    for turn in range(LATENCIES_KEPT + 1):
        board.waited(turn, 100.0 + turn, None)
    board.waited(LATENCIES_KEPT, 7.0, None)

    assert len(board.latencies_ms) == LATENCIES_KEPT
    assert (board.latencies_ms[0], board.latencies_ms[-1]) == (101.0, 7.0)


def test_a_tool_waits_for_the_user_until_it_is_answered() -> None:
    board = Board()
    assert board.pending_tool is None
    board.tool_asked("a", "first", "x=1", at_s=1, by_hand=True)
    board.tool_asked("b", "second", "", at_s=2, by_hand=True)

    assert board.pending_tool is not None
    assert board.pending_tool[0] == "a"
    board.tool_answered("a", "yes", took_ms=10, failed=False)
    assert board.pending_tool is not None
    assert board.pending_tool[0] == "b"
    board.tool_answered("b", "no", took_ms=10, failed=True)
    assert board.pending_tool is None


def test_a_tool_of_the_server_is_shown_while_it_runs_and_when_it_is_done() -> None:
    board = Board()

    board.server_tool("a", "look", "", at_s=1, done=False)
    running = board.entries[0].outcome
    board.server_tool("a", "look", "", at_s=3, done=True)

    assert running is None
    assert [(entry.outcome, entry.took_ms) for entry in board.entries] == [("done", 2000)]


def test_a_tool_that_the_user_did_not_answer_in_time_waits_no_longer() -> None:
    board = Board()
    board.tool_asked("a", "look", "", at_s=1, by_hand=True)

    board.server_tool("a", "look", "", at_s=3, done=True)

    assert board.pending_tool is None
    assert [(e.outcome, e.failed) for e in board.entries] == [("nobody answered in time", True)]


def test_what_the_server_says_of_a_client_tool_changes_nothing_that_is_known() -> None:
    board = Board()
    board.server_tool("a", "look", "", at_s=1, done=False)
    board.tool_asked("a", "look", "x=1", at_s=1, by_hand=False)
    board.tool_answered("a", "seen", took_ms=5, failed=False)

    board.server_tool("a", "look", "", at_s=3, done=True)

    entry = board.entries[0]
    assert (entry.text, entry.outcome, entry.took_ms) == ("x=1", "seen", 5)


@given(st.text(max_size=LONGEST_TEXT * 2))
def test_nothing_that_is_shown_can_speak_to_the_terminal(text: str) -> None:
    words = shown(text)

    assert not [letter for letter in words if category(letter) in ("Cc", "Cs", "Zl", "Zp")]
    assert len(words) <= LONGEST_TEXT


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "a\x9bb", "x\u202egnp.exe"])
def test_escape_sequences_are_shown_as_letters(text: str) -> None:
    assert shown(text).isascii()


class _Counted(str):
    """Text that tells how much of it was split."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> "_Counted":
        return _Counted(super().__getitem__(key))

    def split(self, *args: Any, **kwargs: Any) -> list[str]:
        assert len(self) <= 2 * LONGEST_TEXT
        return super().split(*args, **kwargs)


@pytest.mark.parametrize("word", ["a ", " ", "abc"])
def test_no_more_of_a_long_text_is_looked_at_than_is_shown(word: str) -> None:
    words = shown(_Counted(word * 10 * LONGEST_TEXT))

    assert words.endswith("…")
    assert len(words) <= LONGEST_TEXT
