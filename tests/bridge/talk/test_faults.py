"""Errors of a user's function, in one sentence."""

import pytest

from bridge.talk.faults import LONGEST, fault


def test_kind_words_and_place_are_said_on_one_line() -> None:
    with pytest.raises(ValueError, match="there is") as caught:
        raise ValueError("there is\nno table")

    told = fault(caught.value)
    assert told.startswith("ValueError: there is no table (test_faults.py, line ")


def test_an_error_without_words_or_place_is_said_by_its_kind() -> None:
    assert fault(KeyError()) == "KeyError"


def test_long_words_are_cut() -> None:
    assert len(fault(ValueError("x" * 10_000))) == LONGEST + len("ValueError: ")
