"""The models of the language: short forms, defaults and bounds."""

import pytest
from pydantic import ValidationError

from bridge.brains.script.model import Branch, Script, Step


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ({"say": "x"}, {"say": {"text": "x", "uninterruptible": False}}),
        ({"wait": "any"}, {"wait": {"expect": []}}),
        ({"hang_up": "x"}, {"hang_up": {"message": "x"}}),
        ({"hang_up": True}, {"hang_up": {}}),
    ],
)
def test_a_short_form_is_its_table(short: dict[str, object], long: dict[str, object]) -> None:
    assert Step.model_validate(short) == Step.model_validate(long)


@pytest.mark.parametrize("wrong", [{"hang_up": False}, {"hang_up": 1}, {"say": []}, {"wait": True}])
def test_other_short_forms_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Step.model_validate(wrong)


def test_an_empty_branch_does_nothing() -> None:
    branch = Branch.model_validate({})

    assert (branch.set, branch.say, branch.steps, branch.goto) == ({}, None, [], None)


@pytest.mark.parametrize(("count", "good"), [(1_000, True), (1_001, False)])
def test_a_script_has_at_most_1000_steps(count: int, good: bool) -> None:
    try:
        Script.model_validate({"steps": [{"wait": "any"}] * count})
    except ValidationError:
        assert not good
    else:
        assert good
