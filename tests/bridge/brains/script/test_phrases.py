"""Normalised comparison of what was said with the phrases of a step."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.brains.script.phrases import find_phrase, normalised


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("On Monday, please!", "on monday please"),
        ("  YES \n indeed ", "yes indeed"),
        ("I'd like that", "i'd like that"),
        ("I\N{RIGHT SINGLE QUOTATION MARK}d like that", "i'd like that"),
        ("'yes'", "yes"),
        ("dogs' day", "dogs day"),
        ("Größe: 2,5", "größe 2 5"),
        ("?!…", ""),
        ("snake_case", "snake case"),
    ],
)
def test_case_punctuation_and_spacing_do_not_count(text: str, words: str) -> None:
    assert normalised(text) == words


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Yes.", "yes"),
        ("Oh yes, thank you", "yes"),
        ("yes please", "yes please"),
        ("I know", None),
        ("eyes", None),
        ("please, yes", "yes"),
        ("", None),
    ],
)
def test_longest_phrase_whose_words_stand_together_is_found(text: str, phrase: str | None) -> None:
    assert find_phrase(text, ["no", "yes", "yes please"]) == phrase


def test_first_of_equally_long_phrases_is_found() -> None:
    assert find_phrase("red or tan", ["tan", "red"]) == "tan"
