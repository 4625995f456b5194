"""What needs a partner, and what is applied once."""

import pytest

from bridge.errors import LocalWireError
from bridge.wire.agent_events import AnswerAgain, ClearBuffer, Ignored, MessageReceived
from bridge.wire.agent_pairs import Pairs
from bridge.wire.messages import (
    ClientToolInvocation,
    ClientToolResult,
    Ping,
    PlaybackClearBuffer,
    Pong,
    ServerMessage,
    State,
    Transcript,
)


def invocation(name: str) -> ClientToolInvocation:
    return ClientToolInvocation(tool_name="book", invocation_id=name)


def piece(ordinal: int, *, final: bool) -> Transcript:
    return Transcript(role="agent", text="Hi", final=final, ordinal=ordinal)


def reason(event: object) -> str:
    assert isinstance(event, Ignored)
    return event.reason


def test_a_pong_without_a_ping_is_out_of_order() -> None:
    assert reason(Pairs().received(Pong(timestamp=1.0))) == "out of order"


def test_each_ping_has_one_pong() -> None:
    pairs, pong = Pairs(), Pong(timestamp=1.0)
    pairs.sent(Ping(timestamp=1.0))

    first, second = pairs.received(pong), pairs.received(pong)

    assert first == MessageReceived(pong)
    assert reason(second) == "out of order"


def test_a_result_without_an_invocation_is_out_of_order() -> None:
    pairs = Pairs()
    pairs.sent(invocation("a"))

    event = pairs.received(ClientToolResult(invocation_id="of another call"))

    assert reason(event) == "out of order"


def test_the_first_of_two_results_counts() -> None:
    pairs, result = Pairs(), ClientToolResult(invocation_id="a", result="one")
    pairs.sent(invocation("a"))

    first = pairs.received(result)
    second = pairs.received(ClientToolResult(invocation_id="a", result="two"))

    assert first == MessageReceived(result)
    assert reason(second) == "repeated"


def test_we_never_use_an_invocation_id_twice() -> None:
    pairs = Pairs()
    pairs.sent(invocation("a"))

    with pytest.raises(LocalWireError, match="used twice"):
        pairs.sent(invocation("a"))


def test_an_invocation_that_comes_again_runs_once() -> None:
    pairs = Pairs()

    first, second = pairs.received(invocation("a")), pairs.received(invocation("a"))

    assert first == MessageReceived(invocation("a"))
    assert reason(second) == "repeated"


def test_an_invocation_that_comes_again_after_its_answer_gets_that_answer() -> None:
    pairs, answer = Pairs(), ClientToolResult(invocation_id="a", result="done")
    pairs.received(invocation("a"))
    pairs.sent(answer)

    assert pairs.received(invocation("a")) == AnswerAgain(answer)


def test_a_transcript_takes_nothing_more_once_it_is_final() -> None:
    pairs = Pairs()
    pairs.received(piece(3, final=True))

    assert reason(pairs.received(piece(3, final=False))) == "out of order"


def test_a_second_final_text_is_a_correction() -> None:
    pairs = Pairs()
    pairs.received(piece(3, final=True))

    assert pairs.received(piece(3, final=True)) == MessageReceived(piece(3, final=True))


def test_transcripts_of_two_messages_may_interleave() -> None:
    pairs = Pairs()
    pairs.received(piece(2, final=False))
    pairs.received(piece(3, final=True))

    assert pairs.received(piece(2, final=False)) == MessageReceived(piece(2, final=False))


@pytest.mark.parametrize("other", [State(state="idle"), Ping(timestamp=0)])
def test_any_other_message_passes(other: ServerMessage) -> None:
    assert Pairs().received(other) == MessageReceived(other)


def test_a_clear_is_an_event_of_its_own() -> None:
    assert Pairs().received(PlaybackClearBuffer()) == ClearBuffer()


def test_what_is_remembered_of_a_long_call_has_a_bound() -> None:
    pairs = Pairs()
    for n in range(1_000):
        pairs.sent(invocation(f"ours {n}"))
        pairs.received(invocation(f"theirs {n}"))
        pairs.sent(ClientToolResult(invocation_id=f"theirs {n}", result="x"))
        pairs.received(piece(n, final=True))

    assert len(pairs._asked) == len(pairs._taken) == len(pairs._finished) == 256
    assert len(pairs._answers) == 16
