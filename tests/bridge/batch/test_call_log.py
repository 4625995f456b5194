from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.batch.call_log import (
    ENTRY_COST,
    MAX_CHARACTERS,
    MAX_UTTERANCE,
    MAX_WARNINGS,
    CallLog,
    unheard_texts,
)
from bridge.batch.result import Cut, StateChange
from bridge.legs.base import LegEvent, MessageEvent, Warned
from bridge.virtual import run_virtual
from bridge.wire.messages import (
    CallStarted,
    ClientToolInvocation,
    ClientToolResult,
    PlaybackClearBuffer,
    Pong,
    ServerMessage,
    State,
    Transcript,
)
from tests.fakes.legs import HandLeg


class Kept:
    """A log whose clock a test turns."""

    def __init__(self, **tools: str) -> None:
        self.now = 0.0
        self.answers: list[ClientToolResult] = []
        self.words: list[str] = []
        self.log = CallLog(lambda: self.now, tools, self.answers.append, self.words.append)

    def at(self, now: float, *messages: ServerMessage) -> None:
        self.now = now
        for message in messages:
            self.see(MessageEvent(message))

    def see(self, event: LegEvent) -> None:
        async def watched() -> None:
            self.log.watch(HandLeg("agent socket"), event)

        run_virtual(watched())


def said(
    text: str | None = None,
    delta: str | None = None,
    *,
    final: bool = False,
    ordinal: int = 0,
    role: str = "agent",
) -> Transcript:
    return Transcript.model_validate(
        {"role": role, "text": text, "delta": delta, "final": final, "ordinal": ordinal}
    )


def test_transcripts_grow_by_deltas_and_are_replaced_by_texts() -> None:
    kept = Kept()
    kept.at(1, said("Hello"))
    kept.at(2, said(delta=" there"))
    kept.at(3, said("Hello there.", final=True))
    [transcript] = kept.log.transcripts

    assert (transcript.text, transcript.start_s, transcript.end_s) == ("Hello there.", 1, 3)
    assert kept.words == ["agent: Hello there."]


def test_transcripts_come_by_ordinal_and_blank_ones_are_left_out() -> None:
    kept = Kept()
    kept.at(1, said("third", final=True, ordinal=3), said("", final=True, ordinal=2))
    kept.at(2, said("first", final=True, ordinal=1, role="user"))

    assert [each.text for each in kept.log.transcripts] == ["first", "third"]


def test_a_delta_without_a_beginning_is_a_beginning() -> None:
    kept = Kept()
    kept.at(1, said(delta="late"))
    assert kept.log.transcripts[0].text == "late"


def test_a_clear_within_a_message_of_the_agent_is_a_cut_of_it() -> None:
    kept = Kept()
    kept.at(1, said("Hello", ordinal=4))
    kept.at(2, PlaybackClearBuffer(), said("Hello", final=True, ordinal=4))

    assert kept.log.cuts({4: " there"}) == [Cut(2, "Hello", " there")]
    assert kept.log.transcripts[0].unheard_text == " there"


def test_a_clear_before_the_first_word_or_after_the_last_is_no_cut() -> None:
    kept = Kept()
    kept.at(1, PlaybackClearBuffer())
    kept.at(2, said("Hello", final=True), PlaybackClearBuffer())
    kept.at(3, said("hi", role="user", ordinal=1), PlaybackClearBuffer())

    assert kept.log.cuts({}) == []


def test_a_cut_that_the_server_tells_nothing_of_has_no_unheard_text() -> None:
    kept = Kept()
    kept.at(1, said("Hello"), PlaybackClearBuffer(), said("Hel", final=True))

    assert kept.log.cuts({9: "of another"}) == [Cut(1, "Hel", "")]


def test_a_tool_that_the_caller_has_is_answered_and_any_other_is_undefined() -> None:
    kept = Kept(book='{"ok": true}')
    for name in ("book", "rob"):
        kept.at(2.5, ClientToolInvocation(tool_name=name, invocation_id=name, parameters={"x": 1}))

    assert kept.answers == [
        ClientToolResult(invocation_id="book", result='{"ok": true}'),
        ClientToolResult(
            invocation_id="rob",
            error_type="undefined",
            error_message="this caller has no such tool",
        ),
    ]
    assert [(call.name, call.error) for call in kept.log.tool_calls] == [
        ("book", None),
        ("rob", "this caller has no such tool"),
    ]
    assert kept.log.tool_calls[0].at_s == 2.5


def test_states_and_the_call_id_are_noted() -> None:
    kept = Kept()
    kept.at(0.5, CallStarted(call_id="c"), State(state="thinking"), Pong(timestamp=1))

    assert kept.log.call_id == "c"
    assert kept.log.states == [StateChange(0.5, "thinking")]


def test_warnings_are_noted_once_each_and_no_more_than_the_bound() -> None:
    kept = Kept()
    for number in range(2 * MAX_WARNINGS):
        for _ in range(2):
            kept.see(Warned("odd", f"frame {number}"))

    assert len(kept.log.warnings) == MAX_WARNINGS
    assert kept.log.warnings[0] == "agent socket: frame 0"


def interrupted(**extras: object) -> dict[str, object]:
    return {"type": "agent_interrupted", "extras": extras}


def test_of_an_utterance_without_end_so_much_is_kept_as_one_message_holds() -> None:
    kept = Kept()
    for _ in range(3):
        kept.at(1, said(delta=MAX_UTTERANCE // 2 * "x"))

    assert [len(each.text) for each in kept.log.transcripts] == [MAX_UTTERANCE]
    assert kept.log.warnings == []


FULL = "the call says more than is kept: what it says from here on is left out"
LONG = (MAX_UTTERANCE - ENTRY_COST) * "x"
N_LONG = MAX_CHARACTERS // MAX_UTTERANCE


def full() -> Kept:
    """A log with no room for anything more."""
    kept = Kept(known="yes")
    kept.at(1, *(said(LONG, ordinal=n) for n in range(N_LONG)))
    assert len(kept.log.transcripts) == N_LONG
    assert kept.log.warnings == []
    return kept


def test_what_an_agent_says_beyond_the_bound_is_left_out_with_one_warning() -> None:
    kept = full()
    kept.at(2, said("one more", ordinal=N_LONG), State(state="idle"), said("y", ordinal=N_LONG))

    assert len(kept.log.transcripts) == N_LONG
    assert kept.log.states == []
    assert kept.log.warnings == [FULL]


def test_a_tool_call_beyond_the_bound_is_answered_all_the_same() -> None:
    kept = full()
    call = ClientToolInvocation(tool_name="known", invocation_id="i", parameters={})
    kept.at(2, call)

    assert [answer.result for answer in kept.answers] == ["yes"]
    assert kept.log.tool_calls == []


def test_tool_calls_without_end_are_kept_up_to_the_bound_with_all_that_is_in_them() -> None:
    kept = Kept()
    wide = {"a": MAX_UTTERANCE // 2 * "x"}
    for n in range(3 * N_LONG):
        kept.at(n, ClientToolInvocation(tool_name="x", invocation_id=str(n), parameters=dict(wide)))

    assert len(kept.answers) == 3 * N_LONG
    assert N_LONG < len(kept.log.tool_calls) < 2 * N_LONG
    assert kept.log.warnings == [FULL]


def test_a_message_is_cut_once_however_often_the_server_clears() -> None:
    kept = Kept()
    for n in range(3):
        kept.at(n, said(delta="x"), PlaybackClearBuffer())

    assert kept.log.cuts({}) == [Cut(0, "xxx", "")]


def test_unheard_texts_are_read_from_the_events() -> None:
    events: list[dict[str, object]] = [
        interrupted(ordinal=1, unheardText="one"),
        {"type": "other", "extras": {"ordinal": 2, "unheardText": "two"}},
        interrupted(ordinal=3, unheardText="three"),
    ]
    assert unheard_texts(events) == {1: "one", 3: "three"}


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"type": "agent_interrupted"},
        {"type": "agent_interrupted", "extras": None},
        {"type": "agent_interrupted", "extras": []},
        interrupted(ordinal="1", unheardText="x"),
        interrupted(ordinal=1, unheardText=None),
        interrupted(ordinal=None, unheardText="x"),
    ],
)
def test_events_of_another_form_tell_nothing(event: dict[str, object]) -> None:
    assert unheard_texts([event]) == {}


EVENT: st.SearchStrategy[dict[str, object]] = st.dictionaries(
    st.text(max_size=8), st.none() | st.integers() | st.text()
)


@given(st.lists(EVENT))
def test_any_events_can_be_read(events: Sequence[dict[str, object]]) -> None:
    assert unheard_texts(events) == {}
