"""What becomes of what a tool gives back."""

import enum
import itertools
import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, computed_field, field_serializer

from bridge.talk.tool_results import TOO_LONG, reply_of, result_text
from bridge.talk.tools import ToolFailed, ToolReply
from bridge.wire.strict_json import MESSAGE


class Guest(BaseModel):
    name: str
    age: int | None = None


@dataclass
class Table:
    seats: int


@dataclass
class Holder:
    held: Any


class Model(BaseModel):
    held: Any = None


class Numbers(BaseModel):
    numbers: Iterable[int]


class Computed(BaseModel):
    @computed_field  # type: ignore[prop-decorator]  # as pydantic's documents write it
    @property
    def numbers(self) -> Any:
        return itertools.count()


class Serialized(BaseModel):
    number: int = 1

    @field_serializer("number")
    def without_end(self, number: int) -> Any:
        return itertools.count(number)


class Private(BaseModel):
    open: str = "to all"
    kept: Any = Field(default=None, exclude=True)


def endless() -> Iterator[int]:
    yield from itertools.count()


class Colour(enum.Enum):
    RED = "red"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, ""),
        (True, "true"),
        (3, "3"),
        ({"a": [1, None]}, '{"a": [1, null]}'),
        (Table(4), '{"seats": 4}'),
        (Guest(name="Änn"), '{"name": "Änn", "age": null}'),
        (Colour.RED, '"red"'),
    ],
)
def test_results_become_text(value: object, text: str) -> None:
    assert result_text(value) == text


_ring: list[object] = []
_ring.append(_ring)
_held = Holder(None)
_held.held = _held
_model = Model()
_model.held = [_model]


def nested(depth: int) -> Any:
    value: Any = 0
    for _ in range(depth):
        value = Holder([value])
    return value


@pytest.mark.parametrize(
    "value",
    [
        itertools.count(),
        [itertools.count()],
        {"a": (iter("b"),)},
        Holder(endless()),
        Holder([Model(held=endless())]),
        Model(held={"a": Holder(endless())}),
        Numbers(numbers=endless()),
        Computed(),
        Serialized(),
        deque([endless()]),
    ],
)
def test_what_may_have_no_end_is_not_looked_through(value: object) -> None:
    with pytest.raises(ToolFailed, match="JSON cannot carry"):
        result_text(value)


def test_a_result_with_more_parts_than_a_message_has_bytes_is_not_looked_through() -> None:
    most = MESSAGE.max_bytes - 1
    with pytest.raises(ToolFailed, match="more than the 65536 bytes"):
        result_text([0] * most)
    with pytest.raises(ToolFailed, match="too many values"):
        result_text([0] * (most + 1))


@pytest.mark.parametrize(
    "value",
    [
        Holder([0] * MESSAGE.max_bytes),
        Model(held={"a": [0] * MESSAGE.max_bytes}),
        {"a": "x" * MESSAGE.max_bytes},
        {"x" * MESSAGE.max_bytes: 1},
        [b"x" * MESSAGE.max_bytes],
    ],
)
def test_what_is_huge_inside_is_not_copied(value: object) -> None:
    with pytest.raises(ToolFailed, match="too many values"):
        result_text(value)


def test_a_text_has_the_length_of_a_message_at_most() -> None:
    longest = "x" * MESSAGE.max_bytes
    assert result_text(longest) == longest
    with pytest.raises(ToolFailed) as caught:
        result_text(longest + "x")
    assert str(caught.value) == TOO_LONG


def test_what_a_model_does_not_tell_may_be_anything() -> None:
    assert result_text(Private(kept=endless())) == '{"open": "to all"}'


def test_objects_in_objects_are_objects_of_json() -> None:
    value = Model(held=[Holder(Guest(name="Ann")), deque([1])])

    assert result_text(value) == '{"held": [{"held": {"name": "Ann", "age": null}}, [1]]}'


def test_a_call_state_is_held_to_the_same() -> None:
    state: Any = {"table": Table(4)}
    assert reply_of(ToolReply(update_call_state=state)).update_call_state == {"table": {"seats": 4}}
    with pytest.raises(ToolFailed, match="JSON cannot carry"):
        reply_of(ToolReply(update_call_state={"n": endless()}))


@pytest.mark.parametrize(
    "value",
    [object(), float("nan"), [float("inf")], b"\xff", _ring, _held, _model, nested(5_000), print],
)
def test_what_json_cannot_carry_is_said(value: object) -> None:
    with pytest.raises(ToolFailed, match="JSON cannot carry"):
        result_text(value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(_JSON)
def test_what_json_can_carry_arrives(value: object) -> None:
    if isinstance(value, str) or value is None:
        return
    assert json.loads(result_text(value)) == value
