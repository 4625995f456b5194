"""The small values of a script, at their bounds."""

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from bridge.brains.script.fields import Label, Phrase, Text, ToolName, Value, Variable


@pytest.mark.parametrize(
    ("kind", "value", "good"),
    [
        (Text, "x" * 5_000, True),
        (Text, "x" * 5_001, False),
        (Text, "\n ", False),
        (Phrase, "x" * 200, True),
        (Phrase, "x" * 201, False),
        (Phrase, "?!", False),
        (Variable, "_a1" + "x" * 61, True),
        (Variable, "_a1" + "x" * 62, False),
        (Variable, "1a", False),
        (Variable, "a\n", False),
        (Label, "ask-day_2" + "x" * 55, True),
        (Label, "ask-day_2" + "x" * 56, False),
        (Label, "", False),
        (ToolName, "bookIt-2_" + "x" * 55, True),
        (ToolName, "bookIt-2_" + "x" * 56, False),
        (ToolName, "a.b", False),
        (Value, True, True),
        (Value, 2.5, True),
        (Value, None, False),
        (Value, ["x"], False),
    ],
)
def test_a_value_is_taken_up_to_its_bounds(kind: Any, value: object, good: bool) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(kind)

    try:
        adapter.validate_python(value)
    except ValidationError:
        assert not good
    else:
        assert good


def test_line_breaks_in_a_text_become_spaces() -> None:
    assert TypeAdapter(Text).validate_python("\none\n two\n") == "one two"


def test_a_phrase_is_kept_as_its_words() -> None:
    assert TypeAdapter(Phrase).validate_python("On Monday, please!") == "on monday please"
