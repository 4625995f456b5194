"""How the page measures the agent's answers."""

import json
from collections.abc import Sequence

import pytest

from tests.fakes.node import run_module

QUIET, SPEECH = -75.0, -25.0
Span = tuple[float, float]
GREETING: Span = (0.5, 0.7)


def measured(user: Sequence[Span], agent: Sequence[Span], *, floor: float = QUIET) -> list[int]:
    """The latencies, ms, where user and agent speak in these spans, in seconds, after a greeting."""
    agent = [GREETING, *agent]
    length_s = max(end for _, end in (*user, *agent)) + 1
    blocks = [
        (
            1000 * at,
            next((SPEECH for start, end in user if start < at <= end), floor),
            next((SPEECH for start, end in agent if start < at <= end), -100.0),
        )
        for at in (round(0.02 * number, 3) for number in range(1, round(length_s / 0.02)))
    ]
    return [
        int(ms)
        for ms in run_module(
            "turns.js",
            f"""const t = new m.Turns();
            for (const [at, user, agent] of {json.dumps(blocks)}) t.feed(at, 20, user, agent);
            return t.done.map(({{ ms }}) => ms);""",
        )
    ]


def test_an_answer_is_timed_from_the_end_of_speech_to_the_first_sound() -> None:
    assert measured([(1, 2)], [(2.5, 4)]) == [500]


def test_a_pause_within_the_users_turn_does_not_count() -> None:
    assert measured([(1, 2), (2.3, 3)], [(3.6, 4)]) == [600]


def test_a_pause_within_an_answer_is_no_second_answer() -> None:
    assert measured([(1, 2)], [(2.5, 3), (3.2, 4)]) == [500]


def test_a_greeting_answers_nobody() -> None:
    assert measured([(4, 5)], [(1, 3), (5.4, 6)]) == [400]
    assert measured([(0, 0.12)], [(5.4, 6)]) == []  # nor a noise before it


def test_an_agent_who_speaks_into_the_users_turn_is_not_timed() -> None:
    assert measured([(1, 3)], [(2, 2.5)]) == []


@pytest.mark.parametrize(("pause_s", "timed"), [(0.04, []), (0.28, []), (0.32, [320])])
def test_who_begins_sooner_than_anybody_could_know_that_the_user_is_done_answers_nothing(
    pause_s: float, timed: list[int]
) -> None:
    assert measured([(1, 2)], [(2 + pause_s, 4)]) == timed


def test_a_click_is_no_turn() -> None:
    assert measured([(1, 1.04)], [(2, 3)]) == []


@pytest.mark.parametrize("floor", [-90.0, -60.0, -42.0])
def test_noise_of_the_room_is_no_speech(floor: float) -> None:
    # The room's noise is learnt within seconds of a call's start.
    assert measured([(12, 13)], [(13.4, 14)], floor=floor) == [400]


def test_a_typed_message_is_a_turn() -> None:
    assert typed_after_greeting("t.feed(200, 20, -80, -20);") == [(240, "text")]


def test_a_greeting_is_no_answer_to_what_was_typed_before_it() -> None:
    assert typed_after_greeting("") == []


def typed_after_greeting(greeting: str) -> list[tuple[int, str]]:
    """What is timed of an agent who speaks 240 ms after a message was typed."""
    done = run_module(
        "turns.js",
        f"""const t = new m.Turns();
        {greeting}
        t.feed(980, 20, -80, -100);
        t.typed(1000);
        for (let at = 1020; at < 1500; at += 20) t.feed(at, 20, -80, at > 1240 ? -20 : -100);
        return t.done;""",
    )
    return [(turn["ms"], turn["kind"]) for turn in done]


def test_the_median_is_the_middle() -> None:
    shown = run_module("turns.js", "return [[3, 1, 2], [4, 1], [7], []].map(m.median);")

    assert shown == [2, 3, 7, None]  # 2.5 is shown rounded
