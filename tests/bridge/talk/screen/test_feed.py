from bridge.talk.events import (
    CallEnded,
    DataMessage,
    DigitsSent,
    Noted,
    OutputMediumSet,
    StatusChanged,
    ToolChanged,
    ToolRun,
    Transcript,
    TranscriptChanged,
    Turn,
    TurnMeasured,
)
from bridge.talk.screen.board import Board
from bridge.talk.screen.feed import Feed, arguments_text
from bridge.wire.messages import InvokingTool, ToolUsed


def said(role: str, ordinal: int, start_s: float, **more: object) -> TranscriptChanged:
    fields = {"medium": "voice", "final": True, "text": "words", "end_s": start_s} | more
    transcript = Transcript(role=role, ordinal=ordinal, start_s=start_s, **fields)  # type: ignore[arg-type]
    return TranscriptChanged(start_s, transcript)


def turn(number: int, at_s: float, latency_ms: float | None) -> TurnMeasured:
    measured = Turn(number=number, began_by="voice", at_s=at_s, by_states_ms=latency_ms)
    return TurnMeasured(at_s, measured)


def latencies(board: Board) -> list[float | None]:
    return [entry.latency_ms for entry in board.entries if entry.kind == "agent"]


def test_a_latency_known_before_the_answer_is_shown_at_the_answer() -> None:
    board = Board()
    feed = Feed(board)

    for event in (said("agent", 1, 0.5), said("user", 2, 4.0), turn(1, 5.0, 700.0)):
        feed.take(event)
    assert latencies(board) == [None]
    feed.take(said("agent", 3, 5.8))

    assert latencies(board) == [None, 700.0]


def test_a_latency_known_after_the_answer_began_is_shown_at_the_answer() -> None:
    board = Board()
    feed = Feed(board)

    for event in (said("agent", 3, 5.6, final=False), turn(1, 5.0, 700.0), said("agent", 3, 5.6)):
        feed.take(event)

    assert latencies(board) == [700.0]
    assert board.latencies_ms == [700.0]


def test_an_answer_is_not_given_the_latency_of_a_turn_before_it() -> None:
    board = Board()
    feed = Feed(board)

    for event in (turn(1, 5.0, 700.0), said("agent", 3, 5.8), said("agent", 4, 9.0)):
        feed.take(event)

    assert latencies(board) == [700.0, None]


def test_a_turn_without_an_answer_yet_has_no_latency() -> None:
    board = Board()

    Feed(board).take(turn(1, 5.0, None))

    assert board.latencies_ms == []


def test_a_tool_that_waits_is_for_the_user_and_a_failed_one_tells_why() -> None:
    board = Board()
    feed = Feed(board)
    run = {"invocation_id": "a", "name": "look", "arguments": {"at": "sky"}, "asked_s": 1.0}

    feed.take(ToolChanged(1.0, ToolRun(state="waiting", **run)))  # type: ignore[arg-type]
    assert board.pending_tool is not None
    feed.take(ToolChanged(2.0, ToolRun(state="failed", error="no eyes", done_s=2.5, **run)))  # type: ignore[arg-type]

    entry = board.entries[0]
    assert (entry.text, entry.outcome, entry.failed) == ('at="sky"', "no eyes", True)
    assert entry.took_ms == 1500
    assert board.pending_tool is None


def test_tools_that_the_server_runs_are_shown_with_what_it_tells_of_them() -> None:
    board = Board()
    feed = Feed(board)
    told = {"type": "invoking_tool", "toolName": "look", "invocationId": "a", "url": "x"}

    feed.take(DataMessage(1.0, InvokingTool.model_validate(told)))
    feed.take(DataMessage(2.0, ToolUsed(tool_name="look", invocation_id="a")))

    entry = board.entries[0]
    assert (entry.tool, entry.text, entry.outcome) == ("look", 'url="x"', "done")


def test_states_notes_keys_media_and_the_end_are_told() -> None:
    board = Board()
    feed = Feed(board)

    feed.take(StatusChanged(1.0, "thinking", "listening"))
    feed.take(OutputMediumSet(1.0, "text"))
    feed.take(DigitsSent(1.0, "12#"))
    feed.take(Noted(1.0, "mind the gap"))
    feed.take(CallEnded(2.0, "agent_hangup", "goodbye"))

    assert (board.state, board.medium) == ("thinking", "text")
    assert [entry.text for entry in board.entries] == ["keys 12# sent", "mind the gap"]
    assert board.ended == "the agent hung up (goodbye)"


def test_arguments_that_json_cannot_carry_are_shown_all_the_same() -> None:
    assert arguments_text({"when": object}) == f'when="{object}"'
