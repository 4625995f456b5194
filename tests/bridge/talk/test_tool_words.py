"""What a docstring says of parameters."""

import pytest

from bridge.talk.tool_words import described


@pytest.mark.parametrize(
    ("docstring", "description", "words"),
    [
        ("", "", {}),
        ("Book a table.", "Book a table.", {}),
        ("Book\na table.\n\nNow.", "Book a table. Now.", {}),
        (
            "Book.\n\nArgs:\n    day: The day.\n    time (str): The\n        hour.\n",
            "Book.",
            {"day": "The day.", "time": "The hour."},
        ),
        ("Book.\n\nReturns:\n    day: no parameter.\n", "Book.", {}),
        ("Args:\n    **rest: More.\n", "", {"rest": "More."}),
        ("Note: this is no section.\n", "Note: this is no section.", {}),
    ],
)
def test_a_docstring_is_read(docstring: str, description: str, words: dict[str, str]) -> None:
    assert described(docstring) == (description, words)
