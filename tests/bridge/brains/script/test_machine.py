"""The interpreter, as the pure machine it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.brains.base import CallTool, HangUp, Say, ToolReturn
from bridge.brains.script.machine import MAX_KEPT_TURNS, Turn
from bridge.errors import BrainError
from tests.bridge.brains.script.scripts import acts, machine, typed

ASK = """
[variables]
colour = "none"
[[steps]]
say = "Which colour?"
[[steps]]
wait.expect = [
  { phrases = ["red", "dark red"], set = { colour = "red" }, say = "Red it is." },
  { phrases = ["blue"], goto = "end" },
]
wait.otherwise = { say = "Red or blue?", repeats = 2, goto = "end" }
[[steps]]
say = "A {colour} one."
[[steps]]
label = "end"
hang_up = "Bye."
"""
ORDER = """
[variables]
count = 2
[[tools]]
name = "order"
parameters.n = { type = "integer" }
parameters.note = { required = false }
[[steps]]
label = "again"
tool.name = "order"
tool.arguments = { n = "{count}", note = "for {count}" }
tool.on = [
  { when = { status = "full", again = true }, goto = "again" },
  { when = { result = "ok" }, say = "Plain." },
  { when = { status = "done" }, has = ["number"], say = "Number {number}." },
  { has = ["number"], say = "Only a number." },
]
tool.error = { say = "It failed: {result}." }
[[steps]]
hang_up = "Bye."
"""


def test_steps_run_up_to_the_wait() -> None:
    running = machine(ASK)

    assert acts(running) == [Say("Which colour?")]
    assert running.next_act() is None


@pytest.mark.parametrize(
    ("turns", "last"),
    [
        (["red"], [Say("Red it is."), Say("A red one."), HangUp("Bye.")]),
        (["Dark red, please."], [Say("Red it is."), Say("A red one."), HangUp("Bye.")]),
        (["blue"], [HangUp("Bye.")]),
        (["green"], [Say("Red or blue?")]),
        (["green", "green"], [Say("Red or blue?")]),
        (["green", "green", "blue"], [HangUp("Bye.")]),
        (["green", "green", "green"], [HangUp("Bye.")]),
    ],
)
def test_a_turn_takes_the_branch_of_its_phrase_or_otherwise(
    turns: list[str], last: list[object]
) -> None:
    running = machine(ASK)
    acts(running)

    done = [typed(running, turn) for turn in turns]

    assert done[-1] == last


def test_misses_are_counted_anew_after_an_answer() -> None:
    running = machine("""
        [[steps]]
        label = "ask"
        wait.expect = [ { phrases = ["yes"], goto = "ask" } ]
        wait.otherwise = { say = "Again?", repeats = 1 }
    """)

    answers = [typed(running, text) for text in ("no", "yes", "no", "no")]

    assert answers == [[Say("Again?")], [], [Say("Again?")], [HangUp()]]


def test_misses_are_counted_across_a_way_out_and_back() -> None:
    running = machine("""
        [[steps]]
        label = "ask"
        wait.expect = [ { phrases = ["yes"] } ]
        wait.otherwise = { steps = [ { goto = "help" } ], repeats = 1, goto = "end" }
        [[steps]]
        label = "help"
        say = "Say yes."
        [[steps]]
        goto = "ask"
        [[steps]]
        label = "end"
        hang_up = "Bye."
    """)

    assert typed(running, "no") == [Say("Say yes.")]
    assert typed(running, "no") == [HangUp("Bye.")]


def test_misses_of_one_wait_do_not_count_for_another() -> None:
    wait = "wait = {expect = [{phrases = ['yes']}], otherwise = {say = '%s', repeats = 1}}"
    running = machine(f"[[steps]]\n{wait % 'One?'}\n[[steps]]\n{wait % 'Two?'}")

    assert typed(running, "no") == [Say("One?")]
    assert typed(running, "yes") == []
    assert typed(running, "no") == [Say("Two?")]


def test_a_wait_without_otherwise_passes_over_what_it_does_not_know() -> None:
    running = machine("[[steps]]\nwait.expect = [ { phrases = ['yes'], say = 'Good.' } ]")

    assert [typed(running, "no") for _ in range(50)] == [[]] * 50
    assert typed(running, "yes") == [Say("Good."), HangUp()]


def test_otherwise_with_a_goto_alone_goes_there_at_once() -> None:
    running = machine("""
        [[steps]]
        wait = { expect = [ { phrases = ["yes"] } ], otherwise = { goto = "no" } }
        [[steps]]
        say = "Yes."
        [[steps]]
        label = "no"
        say = "No."
    """)

    assert typed(running, "what")[0] == Say("No.")


def test_a_turn_without_words_is_no_answer() -> None:
    running = machine(ASK)
    acts(running)

    running.said(Turn("red", words=None))

    assert acts(running) == [Say("Red or blue?")]


def test_what_was_said_is_saved_even_without_words() -> None:
    running = machine("[[steps]]\nwait.save = 'words'\n[[steps]]\nsay = '<{words}>'")

    running.said(Turn("(inaudible)", words=None))

    assert acts(running) == [Say("<(inaudible)>"), HangUp()]


def test_a_turn_is_kept_until_the_next_wait() -> None:
    running = machine("""
        [[steps]]
        say = "One."
        [[steps]]
        say = "Two."
        [[steps]]
        wait.save = "words"
        [[steps]]
        say = "You said {words}."
    """)
    first = running.next_act()

    running.said(Turn("stop", "stop"))

    assert first == Say("One.")
    assert acts(running) == [Say("Two."), Say("You said stop."), HangUp()]


@pytest.mark.parametrize(("extra", "kept"), [(0, "0"), (1, "1")])
def test_of_too_many_kept_turns_the_oldest_goes(extra: int, kept: str) -> None:
    running = machine("[[steps]]\nwait.save = 'w'\n[[steps]]\nsay = '{w}'")

    for number in range(MAX_KEPT_TURNS + extra):
        running.said(Turn(str(number), str(number)))

    assert running.next_act() == Say(kept)


def test_an_uninterruptible_sentence_says_so() -> None:
    running = machine("[[steps]]\nsay = { text = 'x', uninterruptible = true }")

    assert running.next_act() == Say("x", uninterruptible=True)


@pytest.mark.parametrize(
    ("start", "greeted"),
    [
        ("[[steps]]\nsay = 'Hello.'\n[[steps]]\nsay = 'Next.'", [Say("Hi!"), Say("Next.")]),
        ("[[steps]]\nset = {a = 1}\n[[steps]]\nsay = 'Hello.'", [Say("Hi!")]),
        ("[[steps]]\nwait = 'any'", [Say("Hi!")]),
        ("[[tools]]\nname = 't'\n[[steps]]\ntool.name = 't'", [Say("Hi!"), CallTool("t", {})]),
        ("[[steps]]\nhang_up = true", [Say("Hi!"), HangUp()]),
    ],
)
def test_a_greeting_takes_the_place_of_the_first_sentence(
    start: str, greeted: list[object]
) -> None:
    running = machine(start)

    running.greet("Hi!")

    assert acts(running)[: len(greeted)] == greeted


def test_a_greeting_without_a_text_begins_the_script() -> None:
    running = machine(ASK)

    running.greet(None)

    assert acts(running) == [Say("Which colour?")]


def test_a_late_greeting_takes_nothing_away() -> None:
    running = machine("[[steps]]\nwait = 'any'\n[[steps]]\nsay = 'Thanks.'")
    running.said(Turn("hello", "hello"))
    running.next_act()

    running.greet("Hi!")

    assert acts(running) == [Say("Hi!"), HangUp()]


def test_a_tool_is_called_with_its_arguments_in_their_types() -> None:
    running = machine(ORDER)

    assert acts(running) == [CallTool("order", {"n": 2, "note": "for 2"})]
    assert running.pending_tool == "order"


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ("ok", Say("Plain.")),
        (" OK\n", Say("Plain.")),
        ('{"status": "Done", "number": 12}', Say("Number 12.")),
        ('{"status": "done", "number": null}', HangUp("Bye.")),
        ('{"status": "done", "number": ""}', HangUp("Bye.")),
        ('{"number": [1]}', Say("Only a number.")),
        ('{"status": "full", "again": true}', CallTool("order", {"n": 2, "note": "for 2"})),
        ('{"status": "full", "again": false}', HangUp("Bye.")),
        (
            '{"count": 5, "status": "full", "again": true}',
            CallTool("order", {"n": 5, "note": "for 5"}),
        ),
        ('{"count": {"x": 5}, "status": "full"}', HangUp("Bye.")),
        ("[1]", HangUp("Bye.")),
        ('{"status": "done"', HangUp("Bye.")),
        ("[" * 100_000, HangUp("Bye.")),
        ('{"number": NaN}', HangUp("Bye.")),
    ],
)
def test_the_first_branch_that_fits_the_result_is_taken(result: str, said: object) -> None:
    running = machine(ORDER)
    acts(running)

    running.returned([ToolReturn("order", "call_1", result)])

    assert running.next_act() == said


def test_a_failed_tool_takes_the_error_branch() -> None:
    running = machine(ORDER)
    acts(running)

    running.returned([ToolReturn("order", "call_1", '{"number": 1}', error="timed out")])

    assert acts(running) == [Say("It failed: timed out."), HangUp("Bye.")]


def test_the_results_of_other_tools_alone_count_as_a_failure() -> None:
    running = machine(ORDER)
    acts(running)

    running.returned([ToolReturn("other", "call_1", "ok")])

    assert running.next_act() == Say("It failed: .")


def test_a_result_that_nobody_waits_for_changes_nothing() -> None:
    running = machine(ASK)
    acts(running)

    running.returned([ToolReturn("order", "call_1", "ok")])

    assert acts(running) == []


def test_a_turn_during_a_tool_call_is_kept() -> None:
    running = machine("""
        [[tools]]
        name = "t"
        [[steps]]
        tool.name = "t"
        [[steps]]
        wait.save = "w"
        [[steps]]
        say = "{w}"
    """)
    acts(running)

    assert typed(running, "hurry") == []
    running.returned([ToolReturn("t", "call_1", "")])
    assert running.next_act() == Say("hurry")


def test_fields_that_the_script_has_no_variable_for_are_left_alone() -> None:
    running = machine(ORDER)
    acts(running)

    running.returned([ToolReturn("order", "call_1", json.dumps({"number": 1, "other": 2}))])

    assert "other" not in running._variables


@pytest.mark.parametrize(("rounds", "fails"), [(99, False), (100, True)])
def test_a_tool_that_sends_the_script_round_ends_in_an_error(rounds: int, fails: bool) -> None:
    running = machine(ORDER)
    acts(running)

    def go_round() -> None:
        for _ in range(rounds):
            running.returned([ToolReturn("order", "", '{"status": "full", "again": true}')])
            acts(running)

    if fails:
        with pytest.raises(BrainError, match="100 steps without waiting for the user, at step 1"):
            go_round()
    else:
        go_round()


def test_after_the_end_every_turn_is_answered_with_a_bare_hang_up() -> None:
    running = machine("[[steps]]\nhang_up = 'Bye.'")

    assert acts(running) == [HangUp("Bye.")]
    assert acts(running) == []
    assert typed(running, "wait!") == [HangUp()]
    assert typed(running, "hello?") == [HangUp()]


CUES = st.lists(
    st.one_of(
        st.tuples(st.just("turn"), st.sampled_from(["red", "blue", "ok", ""]) | st.text()),
        st.tuples(st.just("result"), st.sampled_from(["ok", '{"number": 1}']) | st.text()),
        st.tuples(st.just("greet"), st.text()),
    ),
    max_size=20,
)


@given(st.sampled_from([ASK, ORDER]), CUES)
def test_any_order_of_cues_is_survived(text: str, cues: list[tuple[str, str]]) -> None:
    running = machine(text)

    for kind, content in cues:
        if kind == "turn":
            running.said(Turn(content, content))
        elif kind == "result":
            running.returned([ToolReturn("order", "", content)])
        else:
            running.greet(content)
        assert len(acts(running)) < 100
