"""What the page makes of the messages of a call."""

import json
import random
from typing import Any

import pytest

from tests.fakes.node import run_module

AGENT = {"type": "transcript", "role": "agent", "medium": "voice", "ordinal": 0}
INVOKED = {
    "type": "client_tool_invocation",
    "toolName": "book",
    "invocationId": "call_1",
    "parameters": {"day": "Monday"},
}


def entries(*messages: dict[str, Any], then: str = "") -> list[dict[str, Any]]:
    """The entries after these messages and a script about the conversation `c`."""
    made = run_module(
        "conversation.js",
        f"""const c = new m.Conversation();
        for (const message of {json.dumps(messages)}) c.take(message, 100);
        {then};
        return c.entries;""",
    )
    assert isinstance(made, list)
    return made


def interrupted(unheard: str, ordinal: int | None = 0, **more: object) -> dict[str, Any]:
    extras = {"heardText": "Hello", "unheardText": unheard, "ordinal": ordinal, **more}
    return {"type": "call_event", "eventType": "agent_interrupted", "extras": extras}


def test_the_pieces_of_an_utterance_are_one_entry() -> None:
    (entry,) = entries(
        {**AGENT, "text": "Hello", "final": False},
        {**AGENT, "delta": " there", "final": False},
    )

    assert (entry["text"], entry["final"], entry["unheard"]) == ("Hello there", False, "")


def test_what_the_server_says_was_not_heard_is_kept_apart() -> None:
    (entry,) = entries(
        {**AGENT, "text": "Hello", "final": False},
        {**AGENT, "text": "Hello", "final": True},
        interrupted(" and welcome"),
    )

    assert (entry["text"], entry["unheard"]) == ("Hello", " and welcome")


@pytest.mark.parametrize(
    ("more", "by_user"),
    [({}, True), ({"cause": "user"}, True), ({"cause": "timeout"}, False)],
)
def test_only_the_users_interruptions_are_marked_as_such(
    more: dict[str, str], by_user: bool
) -> None:
    (entry,) = entries(
        {**AGENT, "text": "Hello", "final": False}, interrupted(" and welcome", 0, **more)
    )

    assert (entry["unheard"], entry["byUser"]) == (" and welcome", by_user)


def test_a_server_that_says_nothing_of_it_shows_it_by_a_shorter_final_text() -> None:
    (entry,) = entries(
        {**AGENT, "text": "Hello and welcome", "final": False},
        {**AGENT, "text": "Hello", "final": True},
    )

    assert (entry["text"], entry["unheard"], entry["final"]) == ("Hello", " and welcome", True)


def test_a_user_who_is_corrected_was_not_cut_off() -> None:
    user = {**AGENT, "role": "user"}
    (entry,) = entries(
        {**user, "text": "book it", "final": False}, {**user, "text": "book", "final": True}
    )

    assert entry["unheard"] == ""


def test_nothing_is_added_to_a_final_message() -> None:
    (entry,) = entries(
        {**AGENT, "text": "Hello", "final": True}, {**AGENT, "delta": " again", "final": False}
    )

    assert entry["text"] == "Hello"


def test_a_blank_message_and_an_utterance_stopped_before_its_first_word_show_nothing() -> None:
    assert entries({**AGENT, "text": "", "final": True}, interrupted("Hello", None)) == []


def test_user_and_agent_of_the_same_ordinal_are_two_entries() -> None:
    shown = entries(
        {**AGENT, "text": "Hello", "final": True},
        {**AGENT, "role": "user", "text": "Hi", "final": True},
    )

    assert [entry["role"] for entry in shown] == ["agent", "user"]


def test_a_tool_waits_until_it_is_settled_once() -> None:
    (entry,) = entries(
        INVOKED,
        INVOKED,
        then="c.settle('call_1', 'answered', 'ok'); c.settle('call_1', 'late', '')",
    )

    assert (entry["state"], entry["result"], entry["parameters"]) == (
        "answered",
        "ok",
        {"day": "Monday"},
    )


def test_a_tool_that_nobody_answered_in_time_is_over() -> None:
    (entry,) = entries(INVOKED, {"type": "tool_used", "invocationId": "call_1"})

    assert entry["state"] == "late"


def test_with_the_call_everything_is_over() -> None:
    said, tool = entries({**AGENT, "text": "Hel", "final": False}, INVOKED, then="c.end()")

    assert (said["final"], tool["state"]) == (True, "late")


def test_messages_without_what_they_should_have_change_nothing() -> None:
    odd: list[dict[str, Any]] = [
        {"type": "transcript"},
        {"type": "call_event", "eventType": "agent_interrupted"},
        {"type": "call_event", "eventType": "agent_interrupted", "extras": {"unheardText": 3}},
        {"type": "client_tool_invocation"},
        {"type": "tool_used"},
        {"type": "pong", "timestamp": "x"},
        {"type": "something_new", "text": "?"},
    ]

    assert entries(*odd) == []


def test_whatever_a_message_holds_the_conversation_stays_one() -> None:
    chance = random.Random(7)
    keys: tuple[str, ...] = (
        "type",
        "role",
        "medium",
        "text",
        "delta",
        "final",
        "ordinal",
        "eventType",
        "extras",
    )
    keys += ("invocationId", "toolName", "parameters", "timestamp")
    kinds = ("transcript", "client_tool_invocation", "tool_used", "call_event", "state", "")
    values: tuple[Any, ...] = (None, True, 0, -1, 1e308, "", "agent", "user", "x" * 5_000, [], {})
    values += ([1], {"unheardText": 5, "ordinal": {}}, {"unheardText": "a", "ordinal": 0})
    odd = [
        {
            **{key: chance.choice(values) for key in chance.sample(keys, chance.randint(0, 9))},
            "type": chance.choice(kinds),
        }
        for _ in range(300)
    ]

    shown = entries(*odd, then="c.end()")

    assert {entry["kind"] for entry in shown} <= {"said", "tool"}
    assert len({entry["key"] for entry in shown}) == len(shown)
    assert all(
        isinstance(entry["text"], str) and isinstance(entry["unheard"], str)
        for entry in shown
        if entry["kind"] == "said"
    )
