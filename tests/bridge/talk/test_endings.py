import pytest

from bridge.legs.base import Ended
from bridge.talk.endings import clock_words, words_of
from bridge.wire.close_codes import GOING_AWAY, NORMAL, ending


def test_the_far_end_s_words_stand_behind_ours() -> None:
    away = ending(GOING_AWAY).sentence

    assert words_of(Ended("agent_hangup", away)) == f"the agent hung up ({away})"


@pytest.mark.parametrize("detail", ["", ending(NORMAL).sentence])
def test_an_end_in_order_has_no_words_of_its_own(detail: str) -> None:
    assert words_of(Ended("agent_hangup", detail)) == "the agent hung up"


@pytest.mark.parametrize(
    ("at_s", "words"), [(-1.0, "0:00"), (59.9, "0:59"), (3_599.0, "59:59"), (3_600.0, "1:00:00")]
)
def test_hours_are_shown_where_there_are_some(at_s: float, words: str) -> None:
    assert clock_words(at_s) == words
