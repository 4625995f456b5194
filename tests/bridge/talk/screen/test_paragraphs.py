from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bridge.talk.screen.board import Entry
from bridge.talk.screen.palette import COLOURED, PLAIN
from bridge.talk.screen.paragraphs import Look, paragraph

CONSOLE = Console(width=200)
LOOK = Look(COLOURED)
CUT = Entry("agent", 65.0, "Hello, I can book", unheard="an appointment for you")


def lines(entry: Entry, width: int = 80, look: Look = LOOK) -> list[str]:
    return [line.plain.rstrip() for line in paragraph(entry, width, look, CONSOLE)]


def test_the_speaker_stands_in_a_column_of_its_own() -> None:
    assert lines(CUT) == [" 1:05 agent   Hello, I can book an appointment for you"]


def test_in_a_narrow_terminal_the_words_stand_below_the_speaker() -> None:
    assert lines(CUT, 30) == [" 1:05 agent", "  Hello, I can book an", "  appointment for you"]


def test_what_was_not_heard_is_struck_through_and_nothing_else() -> None:
    (line,) = paragraph(CUT, 80, LOOK, CONSOLE)

    struck = [
        line.plain[span.start : span.end]
        for span in line.spans
        if not isinstance(span.style, str) and span.style.strike
    ]
    assert struck == ["an appointment for you"]


def test_a_terminal_that_cannot_strike_says_what_was_not_heard() -> None:
    (line,) = lines(CUT, look=replace(LOOK, strikes=False))

    assert line.endswith("Hello, I can book [not heard: an appointment for you]")


def test_a_response_shows_its_latency_as_a_bar_with_its_seconds() -> None:
    assert lines(Entry("agent", 1, "Yes.", latency_ms=1000))[0].endswith("Yes.  ███ 1.00 s")


def test_a_slow_response_is_marked_without_colours_too() -> None:
    slow = Entry("agent", 1, "Yes.", latency_ms=2000)
    (line,) = paragraph(slow, 80, Look(PLAIN), CONSOLE)

    assert any(not isinstance(s.style, str) and s.style.bold for s in line.spans if s.start > 20)


def test_a_figure_with_no_room_behind_the_words_has_a_line_of_its_own() -> None:
    assert lines(Entry("agent", 1, "x" * 60, latency_ms=1000))[1].strip() == "███ 1.00 s"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (Entry("tool", 1, "x=1", tool="look"), "look(x=1) → …"),
        (Entry("tool", 1, "x=1", tool="look", by_hand=True), "look(x=1) → press a to answer it"),
        (
            Entry("tool", 1, "x=1", tool="look", outcome="seen", took_ms=250),
            "look(x=1) → seen  0.25 s",
        ),
        (Entry("user", 1, "hi", typed=True), "hi  (typed)"),
        (Entry("agent", 1, "hi", final=False), "hi …"),
        (Entry("note", 1, "a device vanished"), "a device vanished"),
    ],
)
def test_an_entry_says_what_it_is(entry: Entry, words: str) -> None:
    assert lines(entry)[0][14:] == words


@given(
    st.sampled_from(["agent", "user", "tool", "note"]),
    st.text(max_size=300),
    st.text(max_size=100),
    st.integers(1, 130),
)
def test_no_line_is_wider_than_the_terminal(kind: str, text: str, unheard: str, width: int) -> None:
    entry = Entry(kind, 3, text, unheard=unheard, latency_ms=700, tool=text[:40])  # type: ignore[arg-type]

    for line in paragraph(entry, width, LOOK, CONSOLE):
        assert line.cell_len <= max(width, 12)
