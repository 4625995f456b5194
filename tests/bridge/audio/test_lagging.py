"""When a stream is behind for good."""

from bridge.audio.lagging import LAGGING_S, PACKETS, Lagging

FRAME = 960


def test_packets_that_are_late_for_long_enough_are_so_for_good() -> None:
    lagging = Lagging()
    for n in range(PACKETS + 10):
        at_s = n * LAGGING_S / (PACKETS + 9)
        assert lagging.for_good(n * FRAME, at_s) is (at_s >= LAGGING_S)


def test_few_packets_are_not_enough_however_long_they_take() -> None:
    lagging = Lagging()
    for n in range(PACKETS - 1):
        assert not lagging.for_good(n * FRAME, n * 10.0)
    assert lagging.for_good(PACKETS * FRAME, PACKETS * 10.0)


def test_packets_that_are_older_than_the_one_before_say_nothing() -> None:
    lagging = Lagging()
    assert not any(lagging.for_good(-n, n * 1.0) for n in range(100))


def test_one_that_came_in_time_begins_it_all_anew() -> None:
    lagging = Lagging()
    for n in range(PACKETS - 1):
        lagging.for_good(n * FRAME, n * 1.0)
    lagging.clear()
    assert not lagging.for_good(PACKETS * FRAME, PACKETS * 1.0)
