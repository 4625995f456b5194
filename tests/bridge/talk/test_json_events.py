import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.talk.events import (
    CallEnded,
    DataMessage,
    SessionEvent,
    StatusChanged,
    ToolChanged,
    ToolRun,
    Transcript,
    TranscriptChanged,
)
from bridge.talk.json_events import event_line, figures_line, left_out_line, refused_line
from bridge.talk.screen.needs import Gauges
from bridge.wire.messages import RoomInfo, ToolUsed, UnknownMessage


def told(event: SessionEvent) -> dict[str, Any]:
    line = event_line(event)
    assert line is not None
    decoded: dict[str, Any] = json.loads(line)
    return decoded


def test_an_event_has_its_name_its_instant_and_its_fields() -> None:
    assert told(StatusChanged(1.5, "speaking", "thinking")) == {
        "event": "status",
        "at_s": 1.5,
        "status": "speaking",
        "was": "thinking",
    }
    assert told(CallEnded(9.0, "hangup", "")) == {
        "event": "ended",
        "at_s": 9.0,
        "reason": "hangup",
        "detail": "",
    }


def test_a_transcript_is_an_object_with_what_was_not_heard() -> None:
    transcript = Transcript(
        ordinal=3,
        role="agent",
        medium="voice",
        final=True,
        text="Hello",
        unheard="there",
        start_s=1,
        end_s=2,
    )

    assert told(TranscriptChanged(2.0, transcript))["transcript"] == {
        "ordinal": 3,
        "role": "agent",
        "medium": "voice",
        "final": True,
        "text": "Hello",
        "unheard": "there",
        "start_s": 1,
        "end_s": 2,
    }


def test_a_message_of_the_server_is_spelled_as_on_the_wire() -> None:
    message = ToolUsed(tool_name="look", invocation_id="a")

    assert told(DataMessage(1.0, message))["message"] == {
        "type": "tool_used",
        "toolName": "look",
        "invocationId": "a",
    }
    unknown = UnknownMessage("novelty", {"some": "thing"})
    assert told(DataMessage(1.0, unknown))["message"] == {"type": "novelty", "some": "thing"}


def test_where_the_rooms_are_is_not_repeated() -> None:
    room = RoomInfo(room_url="wss://a", token="secret")

    assert event_line(DataMessage(1.0, room)) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.text())
def test_whatever_a_tool_is_asked_the_line_is_one_line_of_ascii_json(
    arguments: dict[str, object], result: str
) -> None:
    run = ToolRun(
        invocation_id="a", name="n", arguments=arguments, state="answered", result=result, asked_s=1
    )

    line = event_line(ToolChanged(1.0, run))

    assert line is not None
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line)["tool"]["result"] == result


def test_a_number_that_is_none_is_null() -> None:
    line = figures_line(Gauges(mic_dbfs=float("-inf")), 2.0)

    assert json.loads(line)["mic_dbfs"] is None


def test_a_gap_says_how_many_lines_are_missing() -> None:
    assert json.loads(left_out_line(12)) == {"event": "left_out", "lines": 12}


@pytest.mark.parametrize("half", ["\ud800", "a\udfffb"])
def test_half_a_letter_harms_nobody(half: str) -> None:
    assert json.loads(refused_line(half)) == {"event": "refused", "text": half}
