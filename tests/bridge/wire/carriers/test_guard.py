"""The limits of one carrier's socket, each from both sides."""

import pytest

from bridge.errors import RemoteWireError
from bridge.wire.carriers.base import DigitIn, Ignored, Stopped
from bridge.wire.carriers.guard import Guard
from bridge.wire.close_codes import POLICY, TOO_BIG


def test_a_socket_waits_then_lives_then_is_over() -> None:
    guard = Guard()
    assert (guard.state, guard.is_over) == ("waiting", False)

    guard.state = "live"
    assert not guard.is_over
    guard.stop("caller_hung_up", "words")

    assert (guard.state, guard.is_over) == ("over", True)


def test_the_end_is_told_once() -> None:
    guard = Guard()

    assert guard.stop("caller_hung_up", "words") == [Stopped("caller_hung_up", "words")]
    assert guard.stop("stopped") == []
    assert guard.close(1006, "", ours=False) == []


def test_after_a_refusal_the_end_is_still_told_once() -> None:
    guard = Guard()

    error = guard.refuse("too much")

    assert (str(error), error.close_code, guard.is_over) == ("too much", POLICY, True)
    assert len(guard.close(POLICY, "", ours=True)) == 1
    assert guard.close(POLICY, "", ours=True) == []


@pytest.mark.parametrize(
    ("code", "ours", "cause"),
    [
        (1000, False, "stopped"),
        (1001, False, "stopped"),
        (1005, False, "stopped"),
        (1006, False, "lost"),
        (1011, False, "lost"),
        (4000, False, "lost"),
        (1008, True, "stopped"),
    ],
)
def test_a_close_is_orderly_or_the_connection_is_lost(code: int, ours: bool, cause: str) -> None:
    [stopped] = Guard().close(code, "", ours=ours)

    assert stopped.cause == cause


def test_a_message_may_be_64_kib() -> None:
    Guard().check_size(64 * 1024)

    with pytest.raises(RemoteWireError) as caught:
        Guard().check_size(64 * 1024 + 1)
    assert caught.value.close_code == TOO_BIG


def test_two_hundred_messages_pass_at_once_and_then_a_hundred_a_second() -> None:
    guard = Guard()
    for _ in range(200):
        guard.check_message(0.0)
    guard.check_message(0.01)

    with pytest.raises(RemoteWireError, match="100 messages per second"):
        guard.check_message(0.01)


def test_a_thousand_audio_messages_pass_at_once_and_then_five_hundred_a_second() -> None:
    guard = Guard()
    for _ in range(1_000):
        guard.check_frame(0.0)
    guard.check_frame(0.002)

    with pytest.raises(RemoteWireError, match="500 audio messages per second"):
        guard.check_frame(0.002)


def test_ten_seconds_of_audio_pass_at_once_and_then_four_in_a_second() -> None:
    guard = Guard()

    assert guard.admit(10.0, 0.0) is None
    assert isinstance(guard.admit(0.02, 0.0), Ignored)
    assert guard.admit(4.0, 1.0) is None
    assert isinstance(guard.admit(0.02, 1.0), Ignored)


def test_garbage_and_foreign_streams_count_together() -> None:
    guard = Guard()
    for number in range(99):
        assert guard.bad("words", number / 10) == Ignored("bad", "words")

    with pytest.raises(RemoteWireError, match="100 bad messages in 10 s: other words"):
        guard.stray("other words", 9.9)


def test_fifty_messages_may_come_before_the_start() -> None:
    guard = Guard()
    for _ in range(50):
        assert guard.early("words") == Ignored("early", "words")

    with pytest.raises(RemoteWireError, match="before the start"):
        guard.early("words")


def test_keys_are_at_most_twenty_at_once() -> None:
    guard = Guard()

    keys = [guard.digit("#", 0.0) for _ in range(21)]

    assert keys[:20] == [DigitIn("#")] * 20
    assert isinstance(keys[20], Ignored)
