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


def test_an_unknown_code_is_named_in_the_sentence() -> None:
    assert "4321" in ending(4321).sentence
