"""Texts with variables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.brains.script.template import Scalar, as_text, fill, fill_value, variables_in

VARIABLES: dict[str, Scalar] = {"day": "Monday", "count": 3, "open": True, "price": 2.5}


def test_variables_are_put_into_the_text() -> None:
    assert fill("{count} on {day}, {open}", VARIABLES) == "3 on Monday, true"


def test_a_variable_without_a_value_is_empty() -> None:
    assert fill("on {nothing}.", VARIABLES) == "on ."


def test_doubled_braces_stand_for_themselves() -> None:
    assert fill("{{day}} {{{day}}}", VARIABLES) == "{day} {Monday}"


def test_names_are_given_in_order() -> None:
    assert variables_in("{b} {{c}} {a} {b}") == ["b", "a", "b"]


@pytest.mark.parametrize("text", ["{", "}", "{day", "{1st}", "{a b}", "{}", "{{}"])
def test_a_brace_alone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="stands alone"):
        variables_in(text)


def test_an_argument_that_is_one_variable_keeps_its_type() -> None:
    value = fill_value({"n": "{count}", "all": ["{open}", "{day}!", 7, None]}, VARIABLES)

    assert value == {"n": 3, "all": [True, "Monday!", 7, None]}


def test_a_braced_word_in_doubled_braces_is_text() -> None:
    assert fill_value("{{", VARIABLES) == "{"


@pytest.mark.parametrize(
    ("value", "text"), [(True, "true"), (False, "false"), (2.0, "2"), (2.5, "2.5"), (7, "7")]
)
def test_values_read_as_people_write_them(value: object, text: str) -> None:
    assert as_text(value) == text


@pytest.mark.parametrize(("length", "spoken"), [(1_000, 1_000), (1_001, 1_000)])
def test_a_value_is_spoken_up_to_1000_characters(length: int, spoken: int) -> None:
    assert len(as_text("x" * length)) == spoken


def test_control_characters_of_a_value_become_spaces() -> None:
    assert as_text("a\x00\x1bb\nc") == "a b c"


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_filling_any_text_never_fails(text: str, variables: dict[str, str]) -> None:
    assert isinstance(fill(text, dict(variables)), str)
