"""The program made of a script, and the paths that are refused."""

import pytest

from bridge.brains.script.compile import compile_script
from bridge.brains.script.program import EndNode, SayNode
from bridge.errors import ConfigError
from tests.bridge.brains.script.scripts import script


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


@pytest.mark.parametrize(("count", "good"), [(100, True), (101, False)])
def test_at_most_100_steps_follow_without_a_wait(count: int, good: bool) -> None:
    text = "[[steps]]\nsay = 'x'\n" * count

    if good:
        assert script(text).steps
    else:
        with pytest.raises(ConfigError, match="step 1: more than 100 steps follow without waiting"):
            script(text)
