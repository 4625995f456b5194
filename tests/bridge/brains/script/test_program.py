"""What a program knows of the way ahead."""

import pytest

from bridge.brains.script.compile import compile_script
from bridge.brains.script.program import successors
from tests.bridge.brains.script.scripts import script

AHEAD = """
[[tools]]
name = "t"
[[steps]]
say = "hello"
[[steps]]
goto = "ask"
[[steps]]
label = "free"
wait = "any"
[[steps]]
tool = { name = "t", on = [ { has = ["x"], goto = "ask" } ], error = { goto = "free" } }
[[steps]]
wait.expect = [ { phrases = ["three"] } ]
[[steps]]
label = "ask"
wait.expect = [ { phrases = ["one", "One more"], goto = "free" }, { phrases = ["two"] } ]
"""


@pytest.mark.parametrize(
    ("where", "phrases"),
    [
        ("step 1", ("one", "one more", "two")),
        ("step 3 ('free')", ()),
        ("step 4", ("one", "one more", "two", "three")),
        ("step 6 ('ask')", ("one", "one more", "two")),
        ("the end of the script", ()),
    ],
)
def test_expected_phrases_are_those_of_the_waits_that_can_come_first(
    where: str, phrases: tuple[str, ...]
) -> None:
    program = compile_script(script(AHEAD))
    at = next(index for index, node in enumerate(program.nodes) if node.where == where)

    assert program.expected_from(at) == phrases


def test_every_way_of_a_program_leads_to_one_of_its_nodes() -> None:
    program = compile_script(script(AHEAD))

    ways = [way for node in program.nodes for way in successors(node)]

    assert set(ways) <= set(range(len(program.nodes)))
