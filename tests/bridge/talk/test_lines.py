import pytest

from bridge.talk.events import (
    CallEnded,
    DigitsSent,
    MicMuted,
    Noted,
    OutputMediumSet,
    SessionEvent,
    SpeakerMuted,
    StatusChanged,
    ToolChanged,
    ToolRun,
    Transcript,
    TranscriptChanged,
    Turn,
    TurnMeasured,
)
from bridge.talk.lines import Lines, left_out_words


def written(*events: SessionEvent, may_answer: bool = True) -> list[str]:
    told: list[str] = []
    lines = Lines(told.append, may_answer=may_answer)
    for event in events:
        lines.take(event)
    return told


def said(role: str, text: str, *, final: bool = True, unheard: str = "") -> TranscriptChanged:
    return TranscriptChanged(
        2.0,
        Transcript(
            ordinal=1,
            role=role,  # type: ignore[arg-type]
            medium="text" if role == "user" else "voice",
            final=final,
            text=text,
            unheard=unheard,
            start_s=1.0,
            end_s=65.0,
        ),
    )


def tool(state: str, **more: object) -> ToolChanged:
    run = {"invocation_id": "a", "name": "look", "arguments": {"at": "sky"}, "asked_s": 1.0}
    return ToolChanged(1.0, ToolRun(state=state, **run, **more))  # type: ignore[arg-type]


def turn(latency_ms: float | None) -> TurnMeasured:
    return TurnMeasured(6.0, Turn(number=1, began_by="voice", at_s=5.0, by_states_ms=latency_ms))


def test_an_utterance_is_written_once_and_when_it_is_complete() -> None:
    assert written(said("agent", "Hel", final=False)) == []
    assert written(said("agent", "Hello"), said("agent", "Hello")) == ["0:01 agent: Hello"]


def test_what_was_typed_says_so() -> None:
    assert written(said("user", "hi")) == ["0:01 you (typed): hi"]


def test_what_was_not_heard_stands_behind_what_was() -> None:
    assert written(said("agent", "Hello", unheard="and more")) == [
        "0:01 agent: Hello [not heard: and more]"
    ]
    assert written(said("agent", "", unheard="and more")) == ["0:01 agent: [not heard: and more]"]


def test_what_turns_out_later_as_not_heard_has_its_own_line() -> None:
    lines = written(said("agent", "Hello and more"), said("agent", "Hello", unheard="and more"))

    assert lines[1:] == ["1:05 agent was cut off, not heard: and more"]


def test_a_tool_is_written_with_its_result_or_its_failure() -> None:
    assert written(tool("running")) == []
    assert written(tool("answered", result="blue", done_s=1.5)) == [
        '0:01 tool look(at="sky") -> blue (0.50 s)'
    ]
    assert written(tool("failed", error="no eyes")) == [
        '0:01 tool look(at="sky") -> failed: no eyes'
    ]


def test_a_tool_that_waits_is_written_where_somebody_can_answer() -> None:
    assert written(tool("waiting"), may_answer=False) == []
    assert written(tool("waiting")) == ['0:01 tool look(at="sky") waits for you: /answer RESULT']


def test_the_latency_of_a_turn_is_written_once() -> None:
    assert written(turn(None), turn(740.0), turn(760.0)) == ["0:06 answer 1 after 0.74 s"]


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (MicMuted(3.0, muted=True), "0:03 microphone off"),
        (SpeakerMuted(3.0, muted=False), "0:03 loudspeaker on"),
        (OutputMediumSet(3.0, "text"), "0:03 the agent answers by text"),
        (DigitsSent(3.0, "1#"), "0:03 keys 1# sent"),
        (Noted(3.0, "mind\nthe gap"), "0:03 note: mind\\nthe gap"),
        (CallEnded(3.0, "hangup", ""), "0:03 ended: you hung up"),
        (
            CallEnded(3.0, "connection_error", "reset"),
            "0:03 ended: the connection failed (reset)",
        ),
    ],
)
def test_each_kind_of_news_is_one_line(event: SessionEvent, line: str) -> None:
    assert written(event) == [line]


def test_the_first_state_of_the_agent_says_that_one_can_talk_and_no_other_is_a_line() -> None:
    states = (
        StatusChanged(0.0, "idle", "connecting"),
        StatusChanged(1.0, "thinking", "idle"),
        StatusChanged(2.0, "speaking", "thinking"),
    )

    assert written(*states) == ["0:01 you can talk; Ctrl-C hangs up"]


def test_a_join_that_failed_is_no_line_for_it_is_the_error_of_the_command() -> None:
    told = written(
        StatusChanged(0.0, "connecting", "disconnected"),
        StatusChanged(0.0, "disconnected", "connecting"),
        CallEnded(0.0, "connection_error", "nothing listens there"),
    )

    assert told == []


def test_lines_that_are_left_out_are_counted() -> None:
    assert "12 lines" in left_out_words(12)


def test_words_cannot_speak_to_the_terminal() -> None:
    assert written(said("agent", "a\x1b[2Jb")) == ["0:01 agent: a\\x1b[2Jb"]
