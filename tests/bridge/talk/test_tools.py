"""Functions as client tools: what their signatures say, what pydantic refuses, what a result becomes."""

import io
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from bridge.api.schemas.start_call import StartCallRequest
from bridge.errors import UsageError
from bridge.talk.tools import (
    MAX_DEADLINE_S,
    Tool,
    ToolFailed,
    given_tool,
    make_tool,
    tool,
)


class Guest(BaseModel):
    name: str
    age: int | None = None


class Tree(BaseModel):
    branches: "list[Tree]" = []


@dataclass
class Table:
    seats: int


def book(
    day: Annotated[str, Field(description="Day of the week.")],
    people: int = 2,
    kind: Literal["inside", "outside"] = "inside",
    guest: Guest | None = None,
) -> str:
    """Book a table.

    It is free of charge.

    Args:
        day: not this, the annotation says it.
        people: How many come,
            children too.
    """
    return f"{day} {people} {kind} {guest}"


def definition(made: Tool) -> dict[str, Any]:
    selected: Any = made.selected["temporaryTool"]
    return dict(selected)


def test_annotations_become_parameters_and_docstrings_their_words() -> None:
    told = definition(make_tool(book))
    parameters = {each["name"]: each for each in told["dynamicParameters"]}

    assert told["modelToolName"] == "book"
    assert told["description"] == "Book a table. It is free of charge."
    assert [name for name, each in parameters.items() if each["required"]] == ["day"]
    assert parameters["day"]["schema"] == {"type": "string", "description": "Day of the week."}
    assert parameters["people"]["schema"] == {
        "type": "integer",
        "default": 2,
        "description": "How many come, children too.",
    }
    assert parameters["kind"]["schema"]["enum"] == ["inside", "outside"]


def test_a_type_of_one_s_own_stands_in_the_schema_itself() -> None:
    told = definition(make_tool(book))
    guest = next(each for each in told["dynamicParameters"] if each["name"] == "guest")

    assert "$ref" not in str(guest)
    assert guest["schema"]["anyOf"][0]["properties"]["name"]["type"] == "string"


def test_our_own_api_takes_the_definition() -> None:
    asked = StartCallRequest.model_validate({"selectedTools": [make_tool(book).selected]})

    assert asked.selected_tools is not None


def test_arguments_are_converted_and_what_is_unknown_is_left_out() -> None:
    made = make_tool(book)

    said = made.bind({"day": "Friday", "people": "4", "guest": {"name": "Ann"}, "more": 1})()

    assert said == "Friday 4 inside name='Ann' age=None"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "day: Field required"),
        ({"day": 3}, "day: "),
        ({"day": "x", "people": "many"}, "people: "),
        ({"day": "x", "kind": "roof"}, "kind: "),
        ({"day": "x", "guest": {}}, "guest.name: "),
    ],
)
def test_arguments_that_do_not_fit_are_refused_by_name(
    arguments: dict[str, object], why: str
) -> None:
    with pytest.raises(ToolFailed, match=f"the arguments do not fit: {why}"):
        make_tool(book).bind(arguments)


@given(st.dictionaries(st.text(max_size=8), st.one_of(st.none(), st.integers(), st.text())))
def test_whatever_an_agent_gives_is_taken_or_refused(arguments: dict[str, object]) -> None:
    made = make_tool(book)
    with suppress(ToolFailed):
        made.bind(arguments)


def test_parameters_may_have_names_that_a_model_of_pydantic_has() -> None:
    def odd(json: str, copy: int, model_fields: str, _hidden: str = "") -> str:
        return f"{json}{copy}{model_fields}{_hidden}"

    made = make_tool(odd)

    assert made.bind({"json": "a", "copy": 1, "model_fields": "b", "_hidden": "c"})() == "a1bc"


def test_a_method_and_a_callable_object_are_tools_too() -> None:
    class Shop:
        def open(self, day: str) -> str:
            return day

        def __call__(self, day: str) -> str:
            return day

    assert make_tool(Shop().open).bind({"day": "x"})() == "x"
    assert make_tool(Shop(), name="shop").bind({"day": "x"})() == "x"


def _no_type(what) -> None:  # type: ignore[no-untyped-def]
    pass


def _many(*what: str) -> None:
    pass


def _more(**what: str) -> None:
    pass


def _by_place(what: str, /) -> None:
    pass


def _stream(what: io.StringIO) -> None:
    pass


def _function(what: Callable[[int], int]) -> None:
    pass


def _itself(what: Tree) -> None:
    pass


def _nowhere(what: "Nowhere") -> None:  # type: ignore[name-defined] # noqa: F821 - that is the point
    pass


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (_no_type, "the parameter what of _no_type has no type"),
        (_many, "cannot take"),
        (_more, "cannot take"),
        (_by_place, "cannot take"),
        (_stream, "a type without JSON"),
        (_function, "a type without JSON"),
        (_itself, "contains itself: Tree"),
        (_nowhere, "cannot be read"),
        (dict, "can be read"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_in_one_sentence(
    function: Callable[..., object], why: str
) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        make_tool(function)
    assert "\n" not in str(caught.value)


def test_a_mark_gives_name_and_deadline() -> None:
    @tool(name="book-table", deadline_s=3)
    def book_table() -> None:
        """Book."""

    made = make_tool(book_table)

    assert (made.name, made.deadline_s) == ("book-table", 3)
    assert definition(made)["timeout"] == "4s"


@pytest.mark.parametrize("name", ["", "a b", "é", "x" * 65])
def test_a_name_that_no_model_takes_is_refused(name: str) -> None:
    def function() -> None:
        pass

    with pytest.raises(UsageError, match="no name of a tool"):
        make_tool(tool(name=name or "?")(function))


@pytest.mark.parametrize("deadline_s", [0, -1, MAX_DEADLINE_S + 0.1, float("nan")])
def test_a_deadline_beyond_what_the_api_waits_is_refused(deadline_s: float) -> None:
    @tool(deadline_s=deadline_s)
    def function() -> None:
        pass

    with pytest.raises(UsageError, match="deadline"):
        make_tool(function)


def test_the_longest_deadline_is_within_what_the_api_waits() -> None:
    @tool(deadline_s=MAX_DEADLINE_S)
    def function() -> None:
        pass

    assert definition(make_tool(function))["timeout"] == "40s"


# Registered by hand, as in the vendor's SDKs


def _whole(parameters: dict[str, Any]) -> object:
    return parameters


def _mapping(parameters: Mapping[str, Any]) -> object:
    return parameters


@pytest.mark.parametrize("function", [lambda parameters: parameters, _whole, _mapping])
def test_a_function_of_one_dict_gets_all_arguments(function: Callable[..., object]) -> None:
    assert given_tool("x", function).bind({"a": 1, "b": [2]})() == {"a": 1, "b": [2]}


def test_a_function_of_typed_parameters_gets_them_by_name() -> None:
    assert given_tool("x", book).bind({"day": "Monday"})() == "Monday 2 inside None"


def test_what_is_no_function_is_refused() -> None:
    with pytest.raises(UsageError, match="no function"):
        given_tool("x", 3)  # type: ignore[arg-type]
