"""Reading foreign fields: any way of writing a value passes, and nothing is kept that is too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.carriers.fields import (
    PARAMETERS,
    WORDS_CHARS,
    FieldError,
    identifier,
    object_in,
    optional_id,
    parameters,
    rest,
    text,
    whole,
    words,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "number"),
    [(0, 0), (5, 5), ("5", 5), ("007", 7), (10**15 - 1, 10**15 - 1), ("9" * 15, 10**15 - 1)],
)
def test_a_whole_number_may_be_a_string(value: object, number: int) -> None:
    assert whole(value) == number


@pytest.mark.parametrize(
    "value", [None, True, -1, "-1", "+1", "", " 1", "1.0", 1.0, "\u0665", 10**15, "9" * 16, [], {}]
)
def test_anything_else_is_no_whole_number(value: object) -> None:
    assert whole(value) is None


def test_an_id_may_be_a_number() -> None:
    assert identifier({"id": 500025}, "id") == "500025"
    assert optional_id({}, "id") == optional_id({"id": None}, "id") == ""


@pytest.mark.parametrize("value", [None, "", {}, [], True, "a b", "a\n", "\x7f", "é", "i" * 257])
def test_what_is_no_id_is_refused(value: object) -> None:
    with pytest.raises(FieldError, match="id"):
        identifier({"id": value}, "id")


@pytest.mark.parametrize("value", [None, "", [], "x", 5])
def test_what_is_no_object_is_refused(value: object) -> None:
    with pytest.raises(FieldError, match="start is not an object"):
        object_in({"start": value}, "start")
    assert object_in({"start": {"a": 1}}, "start") == {"a": 1}


def test_text_is_cut_and_numbers_are_written_out() -> None:
    assert text("abc", 2) == "ab"
    assert (text(5, 9), text(1.5, 9)) == ("5", "1.5")
    assert text(True, 9) == text(None, 9) == text([], 9) == text({}, 9) == ""


@given(JSON)
def test_words_are_one_short_printable_line(value: object) -> None:
    assert words(value).isprintable()
    assert len(words(value)) <= WORDS_CHARS


@given(JSON | st.dictionaries(st.text(max_size=200), JSON, max_size=80))
def test_parameters_are_few_and_short_whatever_is_said(value: object) -> None:
    found = parameters(value)

    assert len(found) <= PARAMETERS
    assert all(len(name) <= 128 and len(said) <= 4_096 for name, said in found.items())


def test_what_else_was_said_is_kept() -> None:
    assert rest({"a": 1, "b": 2}, frozenset({"a"})) == {"b": 2}
