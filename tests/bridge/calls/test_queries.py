from datetime import time, timedelta

import pytest

from bridge.calls.queries import CallQuery, EventQuery, MessageQuery
from bridge.calls.settings import CallSettings
from tests.fakes.records import EPOCH, at, call_record, event_record, message_record

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("query", "taken"),
    [
        (CallQuery(), True),
        (CallQuery(created_from=EPOCH, created_to=EPOCH), True),
        (CallQuery(created_from=EPOCH + DAY), False),
        (CallQuery(created_to=EPOCH - DAY), False),
        (CallQuery(day_from=time(0), day_to=time(0)), True),
        (CallQuery(day_from=time(0, 0, 1)), False),
        (CallQuery(min_duration_s=30.0, max_duration_s=30.0), True),
        (CallQuery(min_duration_s=30.1), False),
        (CallQuery(max_duration_s=29.9), False),
        (CallQuery(metadata={"case": "7"}), True),
        (CallQuery(metadata={"case": "7", "side": "a"}), False),
        (CallQuery(search="KIND"), True),
        (CallQuery(search="7"), True),
        (CallQuery(search="cruel"), False),
        (CallQuery(voice="Mark"), True),
        (CallQuery(voice="Anna"), False),
        (CallQuery(agent_ids=("any",)), False),
    ],
)
def test_a_call_is_taken_if_every_part_holds(query: CallQuery, taken: bool) -> None:
    settings = CallSettings(voice="Mark", system_prompt="Be kind.", metadata={"case": "7"})
    call = call_record("a", settings=settings)
    call.joined = EPOCH
    call.end("hangup", at(30))

    assert query.takes(call) is taken


def test_a_call_that_has_not_ended_has_no_duration_to_choose_by() -> None:
    call = call_record("a")

    assert not CallQuery(min_duration_s=0.0).takes(call)
    assert not CallQuery(max_duration_s=1e9).takes(call)


def test_summaries_are_searched() -> None:
    call = call_record("a")
    call.summary, call.short_summary = "Long story.", "Short."

    assert CallQuery(search="story").takes(call)
    assert CallQuery(search="short").takes(call)


@pytest.mark.parametrize(
    ("query", "taken"),
    [
        (MessageQuery(), ["two 0", "two 1"]),
        (MessageQuery("in_call"), ["one 1", "two 1"]),
        (MessageQuery(stage_id="one"), ["one 0", "one 1"]),
    ],
)
def test_messages_are_taken_by_stage(query: MessageQuery, taken: list[str]) -> None:
    messages = [
        message_record(stage, n, initial=n == 0) for stage in ("one", "two") for n in (0, 1)
    ]

    found = [each.text for each in messages if query.takes(each, last_stage_id="two")]

    assert found == taken


@pytest.mark.parametrize(
    ("query", "taken"),
    [
        (EventQuery("debug"), True),
        (EventQuery("warning"), True),
        (EventQuery("error"), False),
        (EventQuery(type="test"), True),
        (EventQuery(type="other"), False),
    ],
)
def test_an_event_is_taken_by_severity_and_type(query: EventQuery, taken: bool) -> None:
    assert query.takes(event_record("late", "warning")) is taken
