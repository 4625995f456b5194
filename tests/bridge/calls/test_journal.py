import asyncio
import logging
from datetime import UTC, datetime

import pytest

from bridge.calls.journal import MAX_CHARACTERS, CallJournal
from bridge.calls.paging import Window
from bridge.calls.queries import EventQuery, MessageQuery
from bridge.calls.records import CallRecord, EventRecord, MessageRecord, StageRecord, Timespan
from bridge.calls.settings import CallSettings
from bridge.calls.store import MemoryStore
from bridge.ids import Ids
from bridge.virtual import run_virtual

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SETTINGS = CallSettings(initial_state={"step": 1})


async def journal_of(store: MemoryStore, *initial: str) -> CallJournal:
    record = CallRecord("c", SETTINGS, NOW, "token")
    stage = StageRecord("s", "c", NOW, SETTINGS)
    await store.add_call(record)
    await store.add_stage(stage)
    before = [
        MessageRecord("s", number, "user", text, initial=True)
        for number, text in enumerate(initial)
    ]
    return CallJournal(record, stage, before, store=store, ids=Ids("x"), now=lambda: NOW)


async def kept(store: MemoryStore) -> list[MessageRecord]:
    return list((await store.messages("c", MessageQuery("in_call"), Window(100))).items)


async def events(store: MemoryStore) -> list[EventRecord]:
    return list((await store.events("c", EventQuery("debug"), Window(100))).items)


def test_ordinals_count_from_0_and_indexes_go_on_after_the_initial_messages() -> None:
    async def call() -> None:
        journal = await journal_of(MemoryStore(), "before", "and before")

        assert journal.add("user", "a", medium="voice") == 0
        assert journal.add("tool_call", "{}", medium="voice") == 1
        assert [m.index for m in journal.messages()] == [0, 1, 2, 3]
        assert [m.ordinal for m in journal.messages()] == [None, None, 0, 1]

    run_virtual(call())


def test_a_finished_message_says_what_was_heard_and_when() -> None:
    async def call() -> None:
        journal = await journal_of(MemoryStore())
        await asyncio.sleep(1)
        ordinal = journal.add("agent", "", medium="voice")
        await asyncio.sleep(2)
        journal.finish(ordinal, "heard")
        [message] = journal.messages()

        assert (message.text, message.timespan) == ("heard", Timespan(1.0, 3.0))

    run_virtual(call())


def test_a_spoken_turn_stands_where_it_was_heard() -> None:
    async def call() -> None:
        journal = await journal_of(MemoryStore())
        await asyncio.sleep(5)
        journal.add("user", "x", medium="voice", heard_span_ms=(1_000, 2_500))
        [message] = journal.messages()

        assert message.timespan == Timespan(1.0, 2.5)
        assert message.wall_clock_timespan == Timespan(1.0, 5.0)

    run_virtual(call())


def test_history_leaves_blank_messages_of_the_agent_out_and_blank_results_in() -> None:
    async def call() -> None:
        journal = await journal_of(MemoryStore(), "before")
        journal.add("agent", "", medium="voice")
        journal.add("tool_result", "", medium="voice", tool_name="t")

        assert [(item.role, item.name) for item in journal.history()] == [
            ("user", ""),
            ("tool_result", "t"),
        ]

    run_virtual(call())


def test_a_new_call_state_replaces_the_old_and_stands_with_its_own_message_alone() -> None:
    async def call() -> None:
        journal = await journal_of(MemoryStore())
        assert journal.call_state == {"step": 1}
        journal.add("tool_result", "", medium="voice", call_state={"other": 2})
        journal.add("agent", "x", medium="voice")

        assert journal.call_state == {"other": 2}
        assert [m.call_state for m in journal.messages()] == [{"other": 2}, None]

    run_virtual(call())


def test_the_journal_is_full_at_its_bound_of_characters_whoever_said_them() -> None:
    async def call() -> None:
        journal = await journal_of(MemoryStore(), "before")
        journal.add("user", "x" * (MAX_CHARACTERS - 3), medium="text")
        spoken = journal.add("agent", "", medium="voice")
        journal.finish(spoken, "hm")
        assert not journal.full
        journal.finish(spoken, "yes")

        assert journal.full

    run_virtual(call())


def test_an_event_is_told_at_once_and_kept() -> None:
    async def call() -> None:
        store = MemoryStore()
        journal = await journal_of(store)
        told: list[str] = []
        journal.on_event = lambda event: told.append(event.type)
        keeper = asyncio.create_task(journal.keep())
        await asyncio.sleep(1.5)
        journal.event("odd", "something odd", "warning", n=1)
        assert told == ["odd"]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        [event] = await events(store)

        assert (event.severity, event.call_timestamp_s, event.extras) == ("warning", 1.5, {"n": 1})
        journal.close()
        await keeper

    run_virtual(call())


def test_all_that_was_written_before_the_close_is_kept_when_keeping_ends() -> None:
    async def call() -> None:
        store = MemoryStore()
        journal = await journal_of(store)
        keeper = asyncio.create_task(journal.keep())
        for number in range(50):
            journal.add("user", str(number), medium="text")
        journal.close()
        await keeper

        assert [m.text for m in await kept(store)] == [str(n) for n in range(50)]

    run_virtual(call())


def test_closing_an_empty_journal_ends_the_keeping() -> None:
    async def call() -> None:
        journal = await journal_of(MemoryStore())
        keeper = asyncio.create_task(journal.keep())
        await asyncio.sleep(1)
        journal.close()
        await keeper

    run_virtual(call())


def test_a_record_that_the_store_refuses_is_lost_alone_and_logged_without_its_words(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Refusing(MemoryStore):
        async def add_message(self, call_id: str, message: MessageRecord) -> None:
            if message.text == "secret":
                raise OSError(f"cannot keep {message.text}")
            await super().add_message(call_id, message)

    async def call() -> None:
        store = Refusing()
        journal = await journal_of(store)
        keeper = asyncio.create_task(journal.keep())
        for text in ("one", "secret", "two"):
            journal.add("user", text, medium="text")
        journal.close()
        await keeper

        assert [m.text for m in await kept(store)] == ["one", "two"]

    with caplog.at_level(logging.ERROR):
        run_virtual(call())
    [line] = caplog.messages
    assert line.startswith("! a record of call c is lost: OSError < ")
    assert "secret" not in line
