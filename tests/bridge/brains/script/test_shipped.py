"""The scripts that come with Tipring, walked through by typed text."""

import pytest

from bridge.brains.base import Act, CallTool, HangUp, Say, ToolReturn
from bridge.brains.registry import shipped_script
from bridge.brains.script.compile import compile_script
from bridge.brains.script.machine import Machine
from bridge.brains.script.tools import canned_answers
from tests.bridge.brains.script.scripts import acts, typed

BOOK = "I would like to book an appointment"
TO_THE_TOOL = [BOOK, "on Monday please", "in the morning please"]
GREETING = "Hello, and thank you for calling Harbour Clinic."
ASK_DAY = "Certainly. We see patients from Monday to Friday."
NOT_CAUGHT = "I am sorry, I did not catch that."
WHICH_DAY = "I am sorry, which day of the week was that?"
WHICH_PART = "I am sorry, was that the morning or the afternoon?"
CALL_BACK = "I am sorry, I cannot understand you on this line."
GOODBYE = "Thank you for calling Harbour Clinic. Goodbye."
ANYTHING = "Is there anything else I can do for you?"
FAILED = "I am sorry, I cannot reach our appointment book at the moment."
AFTER_FAILURE = [*TO_THE_TOOL, "!timed out"]
AFTER_BOOKING = [*TO_THE_TOOL, "=booked"]


def run(name: str, turns: list[str]) -> list[Act]:
    """The acts after the last turn; "=text" is a tool's result, "!text" its failure."""
    machine = Machine(compile_script(shipped_script(name)))
    machine.greet(None)
    done = acts(machine)
    for turn in turns:
        if turn[0] in "=!":
            tool, text = machine.pending_tool or "", turn[1:]
            error = text if turn[0] == "!" else None
            machine.returned([ToolReturn(tool, "call_1", "" if error else text, error)])
            done = acts(machine)
        else:
            done = typed(machine, turn)
    return done


def text_of(act: Act) -> str:
    match act:
        case Say(text=text) | HangUp(message=text):
            return text
        case CallTool(name=name):
            return name


@pytest.mark.parametrize(
    ("turns", "begin"),
    [
        ([], GREETING),
        (["can i book an appointment"], ASK_DAY),
        (["What are your opening hours?"], "We are open from Monday to Friday"),
        (["how much does it cost"], "A first visit costs eighty pounds"),
        (["what are your opening hours", "i want to book an appointment"], ASK_DAY),
        (["how much does it cost", "no thank you"], GOODBYE),
        (["banana"], NOT_CAUGHT),
        (["banana", "banana"], NOT_CAUGHT),
        (["banana", "banana", "banana"], CALL_BACK),
        (["banana", "banana", BOOK], ASK_DAY),
        ([BOOK, "tuesday"], "And would you like to come in the morning"),
        ([BOOK, "on sunday please"], "I am sorry, at weekends we take urgent visits only."),
        ([BOOK, "banana"], WHICH_DAY),
        ([BOOK, "banana", "banana"], WHICH_DAY),
        ([BOOK, "banana", "banana", "banana"], CALL_BACK),
        ([BOOK, "friday", "banana"], WHICH_PART),
        ([BOOK, "friday", "banana", "banana", "banana"], CALL_BACK),
        (TO_THE_TOOL, "One moment, please. I am booking Monday, in the morning."),
        (AFTER_BOOKING, "Your appointment is booked for Monday, in the morning. Please come"),
        ([*TO_THE_TOOL, '={"status": "full"}'], "I am sorry, there is no time left on Monday"),
        ([*TO_THE_TOOL, '={"reference": 427}'], "Your appointment is booked for Monday, in the mo"),
        (AFTER_FAILURE, FAILED),
        ([*AFTER_FAILURE, "yes please"], "Thank you. A colleague will call you"),
        ([*AFTER_FAILURE, "no thanks"], "Very well. Please try again tomorrow morning."),
        ([*AFTER_FAILURE, "banana"], "I am sorry, shall a colleague call you back?"),
        ([*AFTER_FAILURE, "banana", "banana", "banana"], CALL_BACK),
        ([*AFTER_BOOKING, "yes"], "What can I do for you?"),
        ([*AFTER_BOOKING, "yes", BOOK], ASK_DAY),
        ([*AFTER_BOOKING, "no thank you"], GOODBYE),
        ([*AFTER_BOOKING, "when are you open"], "We are open from Monday to Friday"),
        ([*AFTER_BOOKING, "how much is a visit"], "A first visit costs eighty pounds"),
        ([*AFTER_BOOKING, "can i book an appointment"], ASK_DAY),
        ([*AFTER_BOOKING, "banana"], "I am sorry, is there anything else?"),
        ([*AFTER_BOOKING, "banana", "banana", "banana"], GOODBYE),
    ],
)
def test_the_receptionist_goes_on_with(turns: list[str], begin: str) -> None:
    done = run("receptionist", turns)

    assert text_of(done[0]).startswith(begin)


@pytest.mark.parametrize("part", ["morning", "afternoon"])
@pytest.mark.parametrize("day", ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"])
def test_the_receptionist_books_day_and_part_of_the_day(day: str, part: str) -> None:
    done = run("receptionist", [BOOK, day, part])

    assert done[-1] == CallTool("bookAppointment", {"day": day, "time": part})


def test_the_receptionist_tells_the_reference() -> None:
    done = run("receptionist", [*TO_THE_TOOL, '={"status": "booked", "reference": "A7"}'])

    assert "Your reference is A7." in text_of(done[0])


def test_the_receptionist_asks_again_after_each_answer() -> None:
    done = run("receptionist", ["how much does it cost"])

    assert text_of(done[-1]).endswith("What else can I do for you?")


@pytest.mark.parametrize("turns", [AFTER_BOOKING, [*AFTER_FAILURE, "yes"], [*AFTER_FAILURE, "no"]])
def test_the_receptionist_asks_if_there_is_anything_else(turns: list[str]) -> None:
    assert run("receptionist", turns)[-1] == Say(ANYTHING)


@pytest.mark.parametrize("turns", [[], ["what are your opening hours"]])
def test_the_long_sentences_of_the_receptionist_take_6_s_and_more(turns: list[str]) -> None:
    text = text_of(run("receptionist", turns)[0])

    assert len(text.split()) > 6 * 165 / 60, "at 165 words a minute"


@pytest.mark.parametrize(
    ("turns", "last"),
    [
        (["no thank you"], HangUp("I am sorry to have disturbed you. Goodbye.")),
        (["what", "what"], HangUp("I am sorry to have disturbed you. Goodbye.")),
        (
            ["yes", "yes i did", "no", "yes please"],
            CallTool("saveAnswers", {"spring": "yes", "summer": "no", "again": "yes"}),
        ),
        (
            ["yes", "hm", "hm", "hm", "no", "no thank you"],
            CallTool("saveAnswers", {"spring": "no answer", "summer": "no", "again": "no"}),
        ),
        (
            ["yes", "yes", "yes", "yes", "=saved"],
            HangUp("Those were all my questions. Thank you, and goodbye."),
        ),
    ],
)
def test_the_survey_ends_with(turns: list[str], last: Act) -> None:
    assert run("survey", turns)[-1] == last


def test_the_monologue_waits_once_and_reads_on() -> None:
    before, after = run("monologue", []), run("monologue", ["go on"])

    assert [type(act) for act in before + after] == [Say, Say, Say, Say, HangUp]


@pytest.mark.parametrize(
    ("name", "tools"), [("receptionist", ["bookAppointment"]), ("survey", ["saveAnswers"])]
)
def test_the_shipped_tools_have_answers(name: str, tools: list[str]) -> None:
    assert list(canned_answers(shipped_script(name))) == tools
