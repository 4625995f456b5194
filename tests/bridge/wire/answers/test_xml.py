import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.wire.answers.xml import element, response, text
from tests.bridge.wire.answers.parsed import HOSTILE, UNSAYABLE, seen

SAYABLE = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"))


@given(SAYABLE)
def test_a_reader_sees_a_value_as_it_was(value: str) -> None:
    document = response(element("A", {"b": f"x{value}"}, text(f"x{value}"))).body

    assert seen(document)[3] == [("A", {"b": f"x{value}"}, f"x{value}", [])]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_value_says_nothing_but_itself(value: str) -> None:
    document = response(element("A", {"b": value}, text(value))).body

    assert seen(document)[3] == [("A", {"b": value}, value, [])]


@given(st.text(st.characters()))
def test_every_string_makes_a_document_that_can_be_read(value: str) -> None:
    seen(response(element("A", {"b": value}, text(value))).body)


@pytest.mark.parametrize("value", UNSAYABLE)
def test_what_xml_cannot_say_becomes_the_replacement_character(value: str) -> None:
    [(_, _, said, _)] = seen(response(element("A", {}, text(value))).body)[3]

    assert len(said) == len(value)
    assert "\ufffd" in said
    assert said.isprintable()


def test_an_attribute_without_a_value_is_left_out() -> None:
    assert element("A", {"b": "", "c": "1"}) == '<A c="1"/>'


def test_the_document_says_its_encoding() -> None:
    answer = response()

    assert answer.body == '<?xml version="1.0" encoding="UTF-8"?><Response/>'
    assert answer.content_type == "text/xml; charset=utf-8"
