import pytest
from pydantic import ValidationError

from bridge.api.problems import Problems, from_validation, refused, tree
from bridge.api.refusal import Refused
from bridge.api.schemas.start_call import StartCallRequest


def test_no_problem_raises_nothing() -> None:
    Problems().raise_any()


def test_views_collect_into_the_whole() -> None:
    problems = Problems()
    problems.at("medium").at("serverWebSocket").add("Too fast.", "inputSampleRate")
    problems.add("Reserved.", "metadata", "ultravox.x")

    with pytest.raises(Refused) as caught:
        problems.raise_any()

    assert caught.value.status == 400
    assert caught.value.body == {
        "medium": {"serverWebSocket": {"inputSampleRate": ["Too fast."]}},
        "metadata": {"ultravox.x": ["Reserved."]},
    }


def test_items_of_lists_stand_under_their_index() -> None:
    assert tree([(("tools", 1, "name"), "Bad.")]) == {"tools": {"1": {"name": ["Bad."]}}}


def test_a_sentence_about_the_whole_stands_beside_those_about_its_parts() -> None:
    whole, part = (("medium",), "Only one."), (("medium", "sip"), "Not served.")

    expected = {"medium": {"non_field_errors": ["Only one."], "sip": ["Not served."]}}
    assert tree([whole, part]) == expected
    assert tree([part, whole]) == expected


def test_a_sentence_about_everything_has_no_field() -> None:
    assert tree([((), "Bad.")]) == {"non_field_errors": ["Bad."]}


def test_what_pydantic_finds_is_told_without_what_was_sent() -> None:
    with pytest.raises(ValidationError) as caught:
        StartCallRequest.model_validate({"model": ["a secret"], "medium": "a secret"})

    assert refused(caught.value).body == {
        "model": ["A string is needed here."],
        "medium": ["A JSON object is needed here."],
    }


def test_the_first_part_of_a_place_can_be_left_out() -> None:
    error: dict[str, object] = {"loc": ("query", "pageSize"), "type": "other", "msg": "Too small"}

    assert from_validation([error], skip=1) == {"pageSize": ["Too small."]}
