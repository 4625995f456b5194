"""Events for callbacks and readers: in order, bounded, harmed by nobody."""

import asyncio

import pytest

from bridge.errors import UsageError
from bridge.talk.events import CallEnded, MicMuted, Noted, SessionEvent
from bridge.talk.news import MAX_BEHIND, News
from bridge.virtual import run_virtual

END = CallEnded(9.0, "hangup", "")


def read(n_before: int) -> list[SessionEvent]:
    """What a reader gets that begins to read after so many events."""

    async def talk() -> list[SessionEvent]:
        news = News(lambda: 5.0)
        reader = news.read()
        for number in range(n_before):
            news.tell(MicMuted(float(number), muted=True))
        news.tell(END)
        return [event async for event in reader]

    return run_virtual(talk())


def test_a_reader_gets_all_events_in_order_and_ends_with_the_call() -> None:
    seen = read(MAX_BEHIND - 1)

    assert [event.at_s for event in seen] == [*map(float, range(MAX_BEHIND - 1)), 9.0]


def test_a_reader_that_falls_behind_loses_the_oldest_and_is_told() -> None:
    seen = read(MAX_BEHIND + 4)

    assert seen[0] == Noted(5.0, "5 events were not read in time and are left out")
    assert len(seen) == 1 + MAX_BEHIND
    assert seen[1].at_s == 5.0
    assert seen[-1] == END


def test_a_reader_waits_for_what_has_not_happened_yet() -> None:
    async def talk() -> float:
        loop = asyncio.get_running_loop()
        news = News(loop.time)
        loop.call_later(3, news.tell, END)
        async for _ in news.read():
            break
        return loop.time()

    assert run_virtual(talk()) == 3


def test_callbacks_may_be_taken_back_while_they_are_called() -> None:
    news = News(lambda: 0.0)
    seen: list[str] = []

    def once(_event: MicMuted) -> None:
        seen.append("once")
        stop()

    stop = news.on(MicMuted, once)
    news.on("mic_muted", lambda _event: seen.append("always"))
    for _ in range(2):
        news.tell(MicMuted(0.0, muted=True))
    stop()

    assert seen == ["once", "always", "always"]


def test_a_note_s_own_callback_that_raises_is_the_end_of_it() -> None:
    news = News(lambda: 0.0)

    def broken(_event: SessionEvent) -> None:
        raise ValueError("x")

    news.on("note", broken)
    news.on("mic_muted", broken)
    news.tell(MicMuted(0.0, muted=True))


def test_a_kind_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no event 'x'"):
        News(lambda: 0.0).on("x", print)
