"""How often a question is said again: bounds from both sides."""

from bridge.legs.webrtc.again import N_SOON
from bridge.legs.webrtc.copies import (
    LATE_EVERY,
    MAX_COPIES_IN_ALL,
    MAX_LATE_COPIES,
    MAX_UNHEARD_COPIES,
    Copies,
)

HERE = ("192.0.2.1", 5_000)


def said(*, heard: bool) -> list[int]:
    copies = Copies()
    return [time for time in range(1, 100) if copies.may_say(HERE, time, heard=heard)]


def test_who_was_not_heard_is_asked_again_a_few_times() -> None:
    assert said(heard=False) == list(range(1, MAX_UNHEARD_COPIES + 1))


def test_where_a_check_has_come_from_is_asked_again_some_times_more_and_ever_more_seldom() -> None:
    late = [N_SOON + LATE_EVERY * n for n in range(1, MAX_LATE_COPIES + 1)]
    assert said(heard=True) == [*range(1, N_SOON + 1), *late]
    assert N_SOON + MAX_LATE_COPIES <= 10


def test_all_who_have_answered_nothing_are_asked_again_so_many_times_together() -> None:
    copies = Copies()
    ports = range(1, MAX_COPIES_IN_ALL + 50)
    told = [copies.may_say(("192.0.2.1", port), 1, heard=port % 2 == 0) for port in ports]
    assert all(told[:MAX_COPIES_IN_ALL])
    assert not any(told[MAX_COPIES_IN_ALL:])


def test_who_has_answered_is_asked_as_often_as_it_takes_and_costs_the_others_nothing() -> None:
    copies = Copies()
    copies.proven.add(HERE)
    assert all(copies.may_say(HERE, time, heard=True) for time in range(2 * MAX_COPIES_IN_ALL))
    assert copies.may_say(("192.0.2.2", 5_000), 1, heard=False)
