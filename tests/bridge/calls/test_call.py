import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from bridge.brains.base import Act, CallTool, Cue, Greeting, Say
from bridge.calls.call import OVERTIME_S, LiveCall, Parts
from bridge.calls.caller_side import caller_side
from bridge.calls.paging import Window
from bridge.calls.phones import NoPhones
from bridge.calls.queries import EventQuery
from bridge.calls.records import CallRecord, EndReason, EventRecord, StageRecord
from bridge.calls.settings import CallSettings, ToolSpec
from bridge.calls.store import MemoryStore
from bridge.ids import Ids
from bridge.virtual import run_virtual
from bridge.wire.messages import HangUp, UserTextMessage
from bridge.wire.messages.enabled import EnabledDataMessages
from tests.fakes.call_world import MEDIUM, ActingBrain, LoudVad
from tests.fakes.legs import HandSocket

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LOUD = replace(MEDIUM, data_messages=EnabledDataMessages(call_event=True, tool_used=True))
SETTINGS = CallSettings(medium=LOUD)


@dataclass
class Live:
    """A live call on a socket whose peer is the test."""

    call: LiveCall
    socket: HandSocket
    store: MemoryStore
    task: "asyncio.Task[EndReason]"

    def send(self, **message: object) -> None:
        assert self.socket.receiver is not None
        self.socket.receiver.on_text(json.dumps(message))

    def leave(self, code: int = 1000) -> None:
        assert self.socket.receiver is not None
        self.socket.receiver.on_close(code, "")

    def of(self, type_: str) -> list[dict[str, object]]:
        return [m for m in map(json.loads, self.socket.texts) if m["type"] == type_]

    async def events(self) -> Sequence[EventRecord]:
        return (await self.store.events("c", EventQuery("debug"), Window(100))).items


async def live(brain: ActingBrain, settings: CallSettings = SETTINGS) -> Live:
    store = MemoryStore()
    record = CallRecord("c", settings, NOW, "token", joined=NOW)
    stage = StageRecord("s", "c", NOW, settings)
    await store.add_call(record)
    await store.add_stage(stage)
    socket = HandSocket()
    parts = Parts(store, Ids("x"), lambda: NOW, None)
    caller = await caller_side(record, socket, NoPhones())
    call = LiveCall(record, stage, (), brain, LoudVad(), caller, parts)
    task = asyncio.create_task(call.run())
    await asyncio.sleep(0.01)
    return Live(call, socket, store, task)


def greeter(*acts: Act) -> ActingBrain:
    return ActingBrain(lambda cue: acts if isinstance(cue, Greeting) else ())


def test_events_are_shown_to_a_client_that_wants_them() -> None:
    async def call() -> None:
        one = await live(greeter())
        assert one.socket.receiver is not None
        for _ in range(3):
            one.socket.receiver.on_bytes(b"odd")
        one.leave()
        assert await one.task == "hangup"

        [shown] = one.of("call_event")
        assert (shown["eventType"], shown["severity"]) == ("ignored: odd", "warning")
        assert shown["callTimestamp"] == "0.010s"
        # Of one kind the first is recorded: a client cannot fill the record with its own faults.
        assert [event.type for event in await one.events()] == ["ignored: odd"]

    run_virtual(call())


@pytest.mark.parametrize(("code", "severity"), [(1000, None), (1006, "warning")])
def test_an_end_that_has_something_to_tell_is_an_event(code: int, severity: str | None) -> None:
    async def call() -> None:
        one = await live(greeter())
        one.leave(code)
        await one.task

        assert [event.severity for event in await one.events()] == [severity] * (
            severity is not None
        )

    run_virtual(call())


def test_a_tools_result_goes_to_its_tool() -> None:
    async def call() -> None:
        brain = greeter(CallTool("t", {"q": 1}))
        one = await live(brain, replace(SETTINGS, tools=(ToolSpec("t"),)))
        [invocation] = one.of("client_tool_invocation")
        one.send(type="client_tool_result", invocationId=invocation["invocationId"], result="found")
        await asyncio.sleep(0.1)

        assert [used["toolName"] for used in one.of("tool_used")] == ["t"]
        assert [type(cue).__name__ for cue in brain.cues] == ["Greeting", "ToolsReturned"]
        one.leave()
        await one.task

    run_virtual(call())


def test_a_message_by_rest_is_taken_while_the_call_converses() -> None:
    async def call() -> None:
        one = await live(greeter())
        assert one.call.take(UserTextMessage(text="hi", urgency="later"))
        assert one.of("transcript")[0]["text"] == "hi"
        assert one.call.take(HangUp())
        await one.task
        assert not one.call.take(HangUp())

    run_virtual(call())


def test_a_goodbye_that_never_ends_is_cut_off_a_minute_after_the_maximum() -> None:
    async def call() -> None:
        endless = "word " * 2_000
        settings = replace(SETTINGS, max_duration_s=5.0, time_exceeded_message=endless)
        one = await live(greeter(), settings)

        assert await one.task == "timeout"
        assert asyncio.get_running_loop().time() == pytest.approx(5 + OVERTIME_S, abs=0.1)
        assert "cut off 60 s" in (await one.events())[-1].text
        assert one.socket.closed == [(1000, "")]

    run_virtual(call())


def test_a_timeout_of_the_brain_is_not_taken_for_the_calls_own() -> None:
    async def call() -> None:
        def reply(cue: Cue) -> Sequence[Act]:
            raise TimeoutError

        one = await live(ActingBrain(reply))
        with pytest.raises(TimeoutError):
            await one.task
        assert [event.type for event in await one.events()] == ["call_failed"]
        assert one.socket.closed == [(1011, "")]

    run_virtual(call())


def test_a_stopped_call_keeps_what_was_said_and_tells_the_client_that_the_server_goes() -> None:
    async def call() -> None:
        one = await live(greeter(Say("one two three four five")))
        await asyncio.sleep(0.5)
        one.call.stop()

        assert await one.task == "system_error"
        assert one.socket.closed == [(1001, "the server stops")]

    run_virtual(call())


def test_a_cancelled_call_keeps_its_records_all_the_same() -> None:
    async def call() -> None:
        one = await live(greeter())
        assert one.socket.receiver is not None
        one.socket.receiver.on_bytes(b"odd")
        one.task.cancel()
        await asyncio.wait((one.task,))

        assert one.task.cancelled()
        assert [event.type for event in await one.events()] == ["ignored: odd"]

    run_virtual(call())
