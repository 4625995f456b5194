"""The shipped callers call the shipped receptionist, with the real voice, detector and ear, in virtual time.

The agent's messages equal the script word for word, every expected turn of the caller is matched, and a phrase outside
the grammar takes the step's `otherwise`.
"""

from pathlib import Path

import pytest

from bridge.batch.demo import DEMO_JOBS
from bridge.batch.job import BatchOptions
from bridge.batch.job_list import load_jobs
from bridge.batch.one_call import run
from bridge.batch.result import CallResult

GREETING = (
    "Hello, and thank you for calling Harbour Clinic. I can book an appointment for you, tell you our opening hours, "
    "or tell you what a visit costs. How may I help you today?"
)
ASK_DAY = "Certainly. We see patients from Monday to Friday. Which day would suit you?"
BOOKING = [
    "And would you like to come in the morning or in the afternoon?",
    "One moment, please. I am booking Monday, in the afternoon.",
    (
        "Your appointment is booked for Monday, in the afternoon. Your reference is four two seven. "
        "Please come ten minutes early."
    ),
    "Is there anything else I can do for you?",
    "Thank you for calling Harbour Clinic. Goodbye.",
]
NOT_CAUGHT = (
    "I am sorry, I did not catch that. You can book an appointment, ask for our opening hours, "
    "or ask what a visit costs."
)
TURNS = [
    "i would like to book an appointment",
    "on monday please",
    "in the afternoon please",
    "no thank you",
]


def call(job_id: str, folder: Path) -> CallResult:
    [job] = [job for job in load_jobs(DEMO_JOBS).jobs if job.id == job_id]
    return run(job.plan(folder, BatchOptions(virtual=True)))


def recorded(result: CallResult, role: str) -> list[object]:
    """The texts of the call's messages as REST tells them; blank ones stand before tool calls."""
    return [
        message["text"]
        for message in result.messages
        if message["role"] == f"MESSAGE_ROLE_{role}" and message["text"]
    ]


@pytest.mark.parametrize("job_id", ["straight", "babble"])
def test_whole_booking_is_word_for_word_the_script(job_id: str, tmp_path: Path) -> None:
    result = call(job_id, tmp_path)

    assert recorded(result, "USER") == TURNS
    assert recorded(result, "AGENT") == [GREETING, ASK_DAY, *BOOKING]
    assert [tool.arguments for tool in result.tool_calls] == [
        {"day": "Monday", "time": "afternoon"}
    ]
    assert result.end_reason == "agent_hangup"
    # The endpoint delay of the API's default is 384 ms; noise that sounds like speech hides the caller's end.
    assert job_id == "babble" or all(384 < ms < 800 for ms in result.figures.latencies_ms)


def test_interrupted_answer_ends_with_the_words_that_were_heard(tmp_path: Path) -> None:
    result = call("booking", tmp_path)

    assert recorded(result, "USER") == ["what are your opening hours", *TURNS]
    greeting, hours, *rest = recorded(result, "AGENT")
    assert [greeting, *rest] == [GREETING, ASK_DAY, *BOOKING]
    [cut] = result.cuts
    assert cut.heard_text == hours
    assert cut.unheard_text
    [interruption] = result.figures.interruptions
    assert 0 < interruption.overrun_ms < 300
    assert result.underruns == 0


def test_phrase_outside_the_grammar_takes_otherwise(tmp_path: Path) -> None:
    result = call("outside-the-grammar", tmp_path)

    assert recorded(result, "USER")[1:] == TURNS
    assert recorded(result, "AGENT") == [GREETING, NOT_CAUGHT, ASK_DAY, *BOOKING]


def test_silent_caller_hears_the_greeting_and_hangs_up(tmp_path: Path) -> None:
    result = call("silent", tmp_path)

    assert recorded(result, "USER") == []
    assert recorded(result, "AGENT") == [GREETING]
    assert result.end_reason == "hangup"
