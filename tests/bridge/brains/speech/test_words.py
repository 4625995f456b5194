import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.brains.speech.voice import Word
from bridge.brains.speech.words import sentences, timed_words, tokens

TEXTS = st.text(alphabet=st.sampled_from('ab.!?,\n \t…"é😀'), max_size=200) | st.text(max_size=100)


@pytest.mark.parametrize("part", [" ", "\n", ".", '."', "a. ", "a\n", ". ", '"', "x"])
def test_hostile_texts_are_cut_in_linear_time(part: str) -> None:
    # In quadratic time each of these would take minutes.
    text = part * 300_000

    assert "".join(tokens(text)) == text
    assert "".join(sentences(text, 200)) == text


@given(text=TEXTS)
def test_tokens_joined_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text


def test_tokens_are_words_with_the_space_before_and_their_punctuation() -> None:
    assert tokens(" Hello,  world! ") == [" Hello,", "  world! "]


def test_white_space_alone_is_one_token() -> None:
    assert tokens(" \n") == [" \n"]
    assert tokens("") == []


@given(text=TEXTS, most=st.integers(1, 50))
def test_sentences_joined_are_the_text_and_none_is_too_long(text: str, most: int) -> None:
    pieces = sentences(text, most)

    assert "".join(pieces) == text
    assert all(0 < len(piece) <= most for piece in pieces)


def test_short_sentences_stay_together_up_to_the_bound() -> None:
    text = "One. Two. Three."

    assert sentences(text, 16) == [text]
    assert sentences(text, 15) == ["One. Two.", " Three."]


def test_full_stop_within_a_word_ends_no_sentence() -> None:
    assert sentences("It is 3.30 now. Good.", 20) == ["It is 3.30 now.", " Good."]


def test_long_sentence_is_cut_between_words_and_a_long_word_anywhere() -> None:
    assert sentences("one two three", 8) == ["one two", " three"]
    assert sentences("abcdefgh", 3) == ["abc", "def", "gh"]


def test_word_starts_at_its_mark() -> None:
    words = timed_words("Hello, world!", [(0, 0), (7, 500)], 1_000)

    assert words == (Word("Hello,", 0), Word(" world!", 500))


def test_first_mark_within_a_word_counts() -> None:
    # A voice reads "3:30" as two words.
    words = timed_words("at 3:30", [(0, 0), (3, 100), (5, 200)], 300)

    assert words == (Word("at", 0), Word(" 3:30", 100))


def test_word_without_a_mark_starts_between_its_neighbours() -> None:
    [_, on, the, desk] = timed_words("put on the desk", [(0, 0), (4, 400), (11, 1_100)], 1_500)

    assert on.start == 400
    assert the.start == 700
    assert desk.start == 1_100


@pytest.mark.parametrize("marks", [[(5, 90), (9, 10)], [(5, 101)], [(-3, 5)], [(99, 5)]])
def test_senseless_marks_leave_starts_in_order(marks: list[tuple[int, int]]) -> None:
    starts = [word.start for word in timed_words("some more words", marks, 100)]

    assert starts == sorted(starts)
    assert all(0 <= start <= 100 for start in starts)


@given(
    text=TEXTS,
    marks=st.lists(st.tuples(st.integers(-5, 250), st.integers(-10, 2_000)), max_size=20),
    n_samples=st.integers(0, 1_000),
)
def test_any_marks_give_every_word_a_start_within(
    text: str, marks: list[tuple[int, int]], n_samples: int
) -> None:
    words = timed_words(text, marks, n_samples)

    starts = [word.start for word in words]
    assert "".join(word.text for word in words) == text
    assert starts == sorted(starts)
    assert all(0 <= start <= n_samples for start in starts)
