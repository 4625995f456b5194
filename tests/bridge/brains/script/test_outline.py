"""Where everything in a script stands."""

from bridge.brains.script.model import Step
from bridge.brains.script.outline import names_set_by, step_name, walk
from tests.bridge.brains.script.scripts import script

NESTED = """
[[tools]]
name = "t"
[[steps]]
label = "ask"
wait.expect = [ { phrases = ["x"], set = { a = 1 }, steps = [ { label = "in", say = "y" } ] } ]
wait.otherwise = { goto = "ask" }
[[steps]]
tool = { name = "t", on = [ { has = ["b"], when = { c = 1 } } ], error = { say = "z" } }
"""


def test_every_part_is_met_once_with_its_place() -> None:
    places = [where for where, _ in walk(script(NESTED))]

    assert sorted(places) == [
        "step 1 ('ask')",
        "step 1 ('ask')",
        "step 1 ('ask'), wait.expect[1]",
        "step 1 ('ask'), wait.expect[1], step 1 ('in')",
        "step 1 ('ask'), wait.otherwise",
        "step 2",
        "step 2, tool.error",
        "step 2, tool.on[1]",
    ]


def test_variables_are_set_by_branches_and_by_the_fields_asked_for() -> None:
    names = {name for _, part in walk(script(NESTED)) for name in names_set_by(part)}

    assert names == {"a", "b", "c"}


def test_a_step_without_a_label_has_its_number() -> None:
    assert step_name(3, Step.model_validate({"say": "x"}).label) == "step 3"
