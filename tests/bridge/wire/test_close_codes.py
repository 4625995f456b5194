"""What close codes and refused upgrades say."""

import pytest

from bridge.wire.close_codes import (
    ending,
)


@pytest.mark.parametrize("code", [1000, 1001, 1005])
def test_a_peer_that_was_done_ends_in_order(code: int) -> None:
    assert ending(code).orderly


@pytest.mark.parametrize("code", [1002, 1006, 1007, 1008, 1009, 1011, 1012, 1013, 4000, 0, -1])
def test_any_other_code_is_no_orderly_end(code: int) -> None:
    assert not ending(code).orderly


def test_a_connection_that_broke_without_a_close_frame_is_1006() -> None:
    assert ending(None).code == 1006


@pytest.mark.parametrize("code", [1002, 1008, 1009, 1013, 4000])
def test_what_this_end_closed_is_not_put_on_the_far_end(code: int) -> None:
    end = ending(code, "a message is too big", ours=True)

    assert end.sentence == (
        f"this end closed the connection with code {code}: a message is too big"
    )
    assert not end.orderly


def test_the_words_of_the_far_end_are_quoted_and_escaped() -> None:
    end = ending(1008, "you \x1b[2J\n")

    assert end.sentence.endswith(r"it broke a rule, saying 'you \x1b[2J\n'")


def test_how_a_connection_broke_is_told_as_it_is() -> None:
    end = ending(1006, "the peer was silent for 20 s after a ping")

    assert end.sentence.endswith("without a close frame: the peer was silent for 20 s after a ping")


@pytest.mark.parametrize("ours", [False, True])
@pytest.mark.parametrize("code", [1000, 1006, 1008])
def test_no_reason_can_speak_to_a_terminal(code: int, ours: bool) -> None:
    assert ending(code, "\x1b[2J\n\u202e", ours=ours).sentence.isprintable()


def test_an_unknown_code_is_named_in_the_sentence() -> None:
    assert "4321" in ending(4321).sentence
