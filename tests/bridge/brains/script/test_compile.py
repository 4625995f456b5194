"""What a program knows of the way ahead."""

import pytest

from bridge.brains.script.compile import compile_script
from bridge.brains.script.program import EndNode, SayNode, successors
from bridge.errors import ConfigError
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


def test_a_script_without_an_end_ends_with_a_hang_up() -> None:
    program = compile_script(script("[[steps]]\nsay = 'x'"))

    start = program.nodes[program.start]

    assert isinstance(start, SayNode)
    assert isinstance(program.nodes[start.next], EndNode)


@pytest.mark.parametrize("label", ["one", "two"])
def test_a_label_inside_a_branch_can_be_jumped_to(label: str) -> None:
    inner = "{ label = 'one', say = 'x' }, { label = 'two', say = 'y' }"
    text = f"""
        [[steps]]
        wait.expect = [ {{ phrases = ["a"], steps = [ {inner} ] }} ]
        [[steps]]
        wait = "any"
        [[steps]]
        goto = "{label}"
    """

    assert compile_script(script(text)).nodes


def test_a_loop_through_a_branch_of_a_wait_is_allowed() -> None:
    text = "[[steps]]\nlabel = 'a'\nwait.expect = [ { phrases = ['x'], goto = 'a' } ]"

    assert compile_script(script(text)).nodes


def test_a_loop_inside_a_branch_is_found() -> None:
    text = """
        [[steps]]
        wait.expect = [ { phrases = ["x"], steps = [ { label = "b", say = "x" }, { goto = "b" } ] } ]
    """

    with pytest.raises(ConfigError, match=r"wait\.expect\[1\], step 1 \('b'\): from here"):
        script(text)
