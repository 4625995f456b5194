import pytest

from bridge.calls.errors import CallNotFound, StageNotFound
from bridge.calls.paging import Window
from bridge.calls.queries import CallQuery, EventQuery, MessageQuery
from bridge.calls.records import CallRecord
from bridge.calls.settings import CallSettings
from bridge.calls.store import MemoryStore, Store
from tests.fakes.records import at, call_record, event_record, message_record, stage_record

ALL = Window(100)


async def names(store: Store, query: CallQuery | None = None) -> list[str]:
    return [call.call_id for call in (await store.calls(query or CallQuery(), ALL)).items]


async def test_calls_come_in_order_of_their_creation() -> None:
    store = MemoryStore()
    for name, created_s in (("b", 2), ("a", 1), ("c", 2)):
        await store.add_call(call_record(name, created_s))

    assert await names(store) == ["b", "c", "a"]
    assert await names(store, CallQuery(newest_first=False)) == ["a", "b", "c"]


async def test_calls_come_in_windows_that_stay_in_place() -> None:
    store = MemoryStore()
    for n in range(5):
        await store.add_call(call_record(str(n), n))

    first = await store.calls(CallQuery(), Window(2))
    await store.add_call(call_record("new", 9))
    assert first.next is not None
    second = await store.calls(CallQuery(), first.next)

    assert [call.call_id for call in (*first.items, *second.items)] == ["4", "3", "2", "1"]
    assert (first.total, second.total) == (5, 6)


async def test_a_saved_call_is_the_one_that_is_found() -> None:
    store = MemoryStore()
    await store.add_call(call_record("a"))
    changed = call_record("a", 5)

    await store.save_call(changed)

    assert await store.call("a") is changed


@pytest.mark.parametrize("call_id", ["", "nobody"])
async def test_a_call_that_is_not_there_is_not_found_in_any_way(call_id: str) -> None:
    store = MemoryStore()

    for asked in (
        store.call(call_id),
        store.save_call(call_record(call_id)),
        store.delete_call(call_id, at(0)),
        store.tombstone(call_id),
        store.stage(call_id),
        store.stages(call_id, ALL),
        store.messages(call_id, MessageQuery(), ALL),
        store.events(call_id, EventQuery(), ALL),
        store.add_stage(stage_record(call_record(call_id), "one")),
        store.add_message(call_id, message_record("one", 0)),
        store.add_event(call_id, event_record("x")),
    ):
        with pytest.raises(CallNotFound):
            await asked


async def test_a_deleted_call_leaves_its_tombstone() -> None:
    store = MemoryStore()
    call = call_record("a", settings=CallSettings(recording_enabled=True, max_duration_s=60))
    call.joined, call.summary = at(1), "Short."
    call.end("hangup", at(2))
    await store.add_call(call)

    tombstone = await store.delete_call("a", at(3))

    assert await names(store) == []
    assert await store.tombstone("a") == tombstone
    assert (tombstone.created, tombstone.joined, tombstone.ended) == (at(0), at(1), at(2))
    assert (tombstone.deleted, tombstone.end_reason) == (at(3), "hangup")
    assert (tombstone.recording_enabled, tombstone.had_summary) == (True, True)
    assert tombstone.max_duration_s == 60


async def test_stages_are_found_by_id_and_the_last_one_without() -> None:
    store, call = MemoryStore(), call_record("a")
    await store.add_call(call)
    with pytest.raises(StageNotFound):
        await store.stage("a")
    one, two = stage_record(call, "one"), stage_record(call, "two")
    await store.add_stage(one)
    await store.add_stage(two)

    assert await store.stage("a") is two
    assert await store.stage("a", "one") is one
    assert (await store.stages("a", Window(1))).items == (one,)
    with pytest.raises(StageNotFound):
        await store.stage("a", "three")
    with pytest.raises(StageNotFound):
        await store.messages("a", MessageQuery(stage_id="three"), ALL)


async def test_messages_are_those_of_the_last_stage() -> None:
    store, call = MemoryStore(), call_record("a")
    await store.add_call(call)
    for stage in ("one", "two"):
        await store.add_stage(stage_record(call, stage))
        await store.add_message("a", message_record(stage, 0))

    page = await store.messages("a", MessageQuery(), ALL)

    assert [message.text for message in page.items] == ["two 0"]


async def filled(store: MemoryStore, ended: str) -> list[CallRecord]:
    calls = [call_record(name) for name in "abcd"]
    for call in calls:
        if call.call_id in ended:
            call.end("hangup", at(1))
        await store.add_call(call)
    return calls


async def test_the_oldest_ended_call_gives_way() -> None:
    gone: list[CallRecord] = []
    store = MemoryStore(max_calls=3, on_forget=gone.append)

    calls = await filled(store, ended="bcd")

    assert gone == [calls[1]]
    assert sorted(await names(store)) == ["a", "c", "d"]


async def test_as_many_calls_as_the_bound_are_kept() -> None:
    store = MemoryStore(max_calls=4)

    await filled(store, ended="abcd")

    assert sorted(await names(store)) == ["a", "b", "c", "d"]


async def test_calls_that_have_not_ended_never_give_way() -> None:
    store = MemoryStore(max_calls=2)

    calls = await filled(store, ended="")
    assert len(await names(store)) == 4

    for call in calls:
        call.end("hangup", at(1))
    await store.add_call(call_record("e"))
    assert sorted(await names(store)) == ["d", "e"]


async def test_the_oldest_messages_and_events_give_way_and_cursors_stay_true() -> None:
    store, call = MemoryStore(max_messages=3, max_events=2), call_record("a")
    await store.add_call(call)
    await store.add_stage(stage_record(call, "one"))
    for n in range(3):
        await store.add_message("a", message_record("one", n))
        await store.add_event("a", event_record(str(n)))

    first = await store.messages("a", MessageQuery(), Window(1))
    await store.add_message("a", message_record("one", 3))
    assert first.next is not None
    second = await store.messages("a", MessageQuery(), first.next)
    events = await store.events("a", EventQuery(), ALL)

    assert [each.text for each in (*first.items, *second.items)] == ["one 0", "one 1"]
    assert second.total == 3
    assert [each.text for each in events.items] == ["1", "2"]


async def test_tombstones_are_bounded_too() -> None:
    store = MemoryStore(max_calls=2)
    for name in "abc":
        await store.add_call(call_record(name))
        await store.delete_call(name, at(1))

    with pytest.raises(CallNotFound):
        await store.tombstone("a")
    assert (await store.tombstone("c")).call_id == "c"
