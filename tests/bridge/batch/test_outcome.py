from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bridge.batch.job import Expect, Job
from bridge.batch.outcome import MAX_TOOL_CHARACTERS, MAX_TOOLS, JobOutcome, outcome_of
from bridge.batch.plan import CallerInput
from tests.fakes.results import booking_call


def expecting(**what: object) -> Job:
    return Job(
        id="a",
        seed="a",
        inputs=(CallerInput(Path("a.wav")),),
        expect=Expect.model_validate(what),
    )


def test_an_outcome_tells_the_figures_of_the_call() -> None:
    outcome = outcome_of(expecting(), booking_call())

    assert (outcome.status, outcome.passed, outcome.final) == ("passed", True, True)
    assert (outcome.turns, outcome.interruptions, outcome.underruns) == (4, 1, 1)
    assert outcome.latency_max_ms == pytest.approx(1_000, abs=10)
    assert outcome.overrun_max_ms == pytest.approx(300, abs=10)
    assert outcome.tools == ("checkAvailability", "sendConfirmation")


@pytest.mark.parametrize(
    "what",
    [
        {"end_reason": ("hangup", "agent_hangup")},
        {"transcript_contains": ("FOR  Friday", "Goodbye")},
        {"tools": ("checkAvailability",)},
        {"max_latency_ms": 1_020},
        {"max_overrun_ms": 320},
        {"min_turns": 4},
    ],
)
def test_an_expectation_that_holds_passes(what: dict[str, object]) -> None:
    assert outcome_of(expecting(**what), booking_call()).passed


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ({"end_reason": ("hangup",)}, "ended with agent_hangup, not hangup"),
        ({"transcript_contains": ("on Saturday",)}, "nobody said “on Saturday”"),
        ({"tools": ("pay",)}, "the tool pay was not called"),
        ({"max_latency_ms": 980}, "a response took 1000 ms (at most 980)"),
        ({"max_overrun_ms": 280}, "the interrupted agent went on for 300 ms (at most 280)"),
        ({"min_turns": 5}, "only 4 turns were answered (at least 5)"),
    ],
)
def test_an_expectation_that_does_not_hold_fails_with_a_sentence(
    what: dict[str, object], reason: str
) -> None:
    outcome = outcome_of(expecting(**what), booking_call())

    assert (outcome.status, outcome.reasons) == ("failed", (reason,))


def test_what_was_not_heard_was_not_said() -> None:
    outcome = outcome_of(expecting(transcript_contains=("near the kitchen",)), booking_call())

    assert not outcome.passed


def test_a_silent_call_passes_what_asks_for_nothing() -> None:
    nothing = np.zeros(800, np.int16)
    call = replace(booking_call(), caller=nothing, agent=nothing)

    outcome = outcome_of(expecting(max_latency_ms=1, max_overrun_ms=1), call)

    assert outcome.passed
    assert (outcome.latency_median_ms, outcome.overrun_max_ms) == (None, None)


def test_an_outcome_survives_the_way_through_json() -> None:
    outcome = outcome_of(expecting(), booking_call())

    assert JobOutcome.model_validate_json(outcome.model_dump_json()) == outcome


def test_tools_without_end_do_not_make_an_outcome_without_end() -> None:
    [call, *_] = booking_call().tool_calls
    calls = [replace(call, name=65_536 * "x")] * (MAX_TOOLS + 1)
    outcome = outcome_of(expecting(), replace(booking_call(), tool_calls=calls))

    assert outcome.tools == (MAX_TOOL_CHARACTERS * "x",) * MAX_TOOLS
