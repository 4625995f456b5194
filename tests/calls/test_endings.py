"""Every way a call can end leaves nothing behind: no task, no open state, no file, no timer (promise R19)."""

import asyncio
import errno
import gc
import os
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from bridge.audio.lane import Lane
from bridge.brains.base import Act, CallTool, Cue, Greeting, HangUp, HistoryItem, Say
from bridge.calls.call import LiveCall
from bridge.calls.errors import AlreadyJoined, TokenUnknown
from bridge.calls.journal import CallJournal
from bridge.calls.records import CallRecord
from bridge.calls.service import CallService
from bridge.calls.settings import CallSettings, TimedMessage, ToolSpec, UserFirst
from bridge.errors import BrainError
from bridge.legs.brain.conversation import Conversation
from bridge.legs.brain.floor import Floor
from bridge.legs.join_socket import JoinSocketLeg
from bridge.legs.recorder import CallRecorder
from bridge.legs.wav_writer import WavRecording
from bridge.relay import Relay
from bridge.virtual import run_virtual
from bridge.wire.messages import HangUp as HangUpMessage
from tests.fakes.call_world import MEDIUM, ActingBrain, CallWorld, Client, call_world

RUNS: Final = 3
STEERING: Final = (
    asyncio.Task,
    asyncio.Handle,
    CallJournal,
    CallRecord,
    CallRecorder,
    CallService,
    Conversation,
    Floor,
    JoinSocketLeg,
    Lane,
    LiveCall,
    Relay,
    WavRecording,
)
TOOL: Final = ToolSpec("t", timeout_s=30)
SETTINGS: Final = CallSettings(medium=MEDIUM, recording_enabled=True, tools=(TOOL,))
LONG: Final = "one two three four five six seven eight nine ten eleven twelve"

Reply = Callable[[Cue], Sequence[Act]]
End = Callable[[CallWorld, CallRecord, Client], Awaitable[None]]


def greets(*acts: Act) -> Reply:
    return lambda cue: acts if isinstance(cue, Greeting) else ()


TALKS: Final = greets(Say(LONG))


@dataclass(frozen=True)
class Way:
    """One way to end a call: its settings, its brain, what is done, and the reason that is told."""

    reason: str
    end: End
    reply: Reply = TALKS
    settings: CallSettings = SETTINGS
    fails: Exception | None = None


async def nothing(world: CallWorld, record: CallRecord, client: Client) -> None:
    """The call ends by itself."""


async def client_leaves(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    client.socket.close(1000)


async def client_leaves_at_once(world: CallWorld, record: CallRecord, client: Client) -> None:
    client.socket.close(1000)


async def client_goes_away(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    client.socket.close(1001)


async def connection_lost(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    client.socket.far.end(1006, "")  # type: ignore[attr-defined]
    client.socket.end(1006, "")  # type: ignore[attr-defined]


async def client_breaks_a_frame(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    client.socket.send_bytes(bytes(70_000))


async def client_sends_garbage(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    for _ in range(100):
        client.socket.send_text("{")


async def client_floods(world: CallWorld, record: CallRecord, client: Client) -> None:
    for _ in range(300):
        client.send(type="ping", timestamp=1)


async def client_hangs_up(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    client.send(type="hang_up", message="bye")


async def client_hangs_up_in_a_tool(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    client.send(type="hang_up")
    await client.quiet(0.5)
    name = client.of("client_tool_invocation")[0]["invocationId"]
    client.send(type="client_tool_result", invocationId=name, result="r")


async def client_leaves_in_a_tool(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    assert client.of("client_tool_invocation")
    client.socket.close()


async def client_leaves_in_a_goodbye(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.1)
    client.socket.close()


async def hung_up_by_rest(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    await world.service.send_data_message(record.call_id, HangUpMessage(message="bye"))


async def tool_hangs_up(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    name = client.of("client_tool_invocation")[0]["invocationId"]
    client.send(type="client_tool_result", invocationId=name, result="{}", responseType="hang-up")


async def speaks_then_falls_silent(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.speak(1)


async def service_closes(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.5)
    await world.service.close()


async def second_joiner_then_leaves(world: CallWorld, record: CallRecord, client: Client) -> None:
    await client.quiet(0.2)
    with pytest.raises(AlreadyJoined):
        await world.join_again(record)
    with pytest.raises(TokenUnknown):
        await world.service.claim(record.call_id, "wrong")
    client.socket.close()


IDLE: Final = replace(SETTINGS, medium=replace(MEDIUM, media_idle_timeout_s=10.0))
QUIET: Final = replace(SETTINGS, first_speaker=UserFirst())
STRICT: Final = (TimedMessage(2.0, "still there"), TimedMessage(1.0, "bye", "hang_up_strict"))
SOFT: Final = (TimedMessage(2.0, "bye", "hang_up_soft"),)
BIG_BUFFER: Final = replace(SETTINGS, medium=replace(MEDIUM, client_buffer_ms=30_000))
SHORT: Final = replace(SETTINGS, max_duration_s=2.0, time_exceeded_message="time is up")

WAYS: Final = {
    "client leaves": Way("hangup", client_leaves),
    "client leaves at once": Way("hangup", client_leaves_at_once),
    "client goes away": Way("hangup", client_goes_away),
    "client leaves with a full buffer": Way("hangup", client_leaves, settings=BIG_BUFFER),
    "client leaves in a tool": Way("hangup", client_leaves_in_a_tool, greets(CallTool("t", {}))),
    "client leaves in a goodbye": Way("hangup", client_leaves_in_a_goodbye, greets(HangUp(LONG))),
    "a second client is refused": Way("hangup", second_joiner_then_leaves),
    "connection lost": Way("connection_error", connection_lost),
    "oversize frame": Way("connection_error", client_breaks_a_frame),
    "garbage": Way("connection_error", client_sends_garbage),
    "flood": Way("connection_error", client_floods),
    "no audio for too long": Way("connection_error", nothing, settings=IDLE),
    "client hangs up": Way("agent_hangup", client_hangs_up),
    "client hangs up in a tool": Way(
        "agent_hangup", client_hangs_up_in_a_tool, greets(CallTool("t", {}))
    ),
    "hung up by REST": Way("agent_hangup", hung_up_by_rest),
    "agent hangs up": Way("agent_hangup", nothing, greets(Say("hello"), HangUp("bye"))),
    "tool hangs up": Way("agent_hangup", tool_hangs_up, greets(CallTool("t", {}))),
    "strict inactivity": Way(
        "agent_hangup", nothing, greets(), replace(SETTINGS, inactivity=STRICT)
    ),
    "soft inactivity": Way(
        "agent_hangup", speaks_then_falls_silent, greets(), replace(QUIET, inactivity=SOFT)
    ),
    "time is up": Way("timeout", nothing, settings=SHORT),
    "time is up in a tool": Way("timeout", nothing, greets(CallTool("t", {})), SHORT),
    "brain fails": Way("system_error", nothing, fails=BrainError("no idea")),
    "bug in a brain": Way("system_error", nothing, fails=KeyError("bug")),
    "service closes": Way("system_error", service_closes),
}


class WayBrain(ActingBrain):
    def __init__(self, way: Way) -> None:
        super().__init__(way.reply)
        self._fails = way.fails

    async def reply(self, cue: Cue, history: Sequence[HistoryItem]) -> AsyncIterator[Act]:
        if self._fails is not None:
            raise copy(self._fails)  # one that was raised keeps the frames it came through
        async for act in super().reply(cue, history):
            yield act


@pytest.mark.parametrize("name", WAYS)
def test_a_call_that_ended_leaves_nothing_behind(name: str, tmp_path: Path) -> None:
    way = WAYS[name]
    complaints: list[dict[str, object]] = []

    async def calls() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        before = asyncio.all_tasks()
        for _ in range(RUNS):
            brain = WayBrain(way)
            async with call_world(brain, tmp_path) as world:
                record, client = await world.join(way.settings)
                await way.end(world, record, client)
                await world.ended(record)
                await asyncio.sleep(0.1)

                assert record.end_reason == way.reason
                assert client.closed is not None
                assert brain.closed
                assert world.service._open == {}
                assert world.service._tasks == set()
                assert asyncio.all_tasks() == before
                # Nothing of the call is woken any more.
                n_messages = len(client.messages)
                await asyncio.sleep(120)
                assert len(client.messages) == n_messages
                timers = [
                    timer
                    for _, _, timer in loop._timers  # type: ignore[attr-defined]
                    if not timer.cancelled()
                ]
                assert timers == []
            assert_readable(tmp_path / f"{record.call_id}.wav")

    run_virtual(calls())
    assert complaints == []
    assert list(tmp_path.glob("*.tmp")) == []


@pytest.mark.parametrize(
    "rounds", [2, pytest.param(42, marks=[pytest.mark.slow, pytest.mark.timeout(600)])]
)
def test_calls_that_ended_in_every_way_leave_no_object_descriptor_or_thread(
    rounds: int, tmp_path: Path
) -> None:
    async def calls() -> None:
        for way in WAYS.values():
            async with call_world(WayBrain(way), tmp_path) as world:
                record, client = await world.join(way.settings)
                await way.end(world, record, client)
                await world.ended(record)

    run_virtual(calls())  # what is made once is there now
    before = alive()
    for _ in range(rounds):
        run_virtual(calls())

    assert alive() == before


def alive() -> tuple[Counter[str], int, int]:
    """Our objects that steer a call, by class; open descriptors; threads."""
    gc.collect()
    ours = Counter(type(each).__name__ for each in gc.get_objects() if isinstance(each, STEERING))
    folder = Path("/proc/self/fd")
    return ours, len(list(folder.iterdir())) if folder.exists() else 0, threading.active_count()


def assert_readable(path: Path) -> None:
    """A recording that exists has a header with its true length."""
    if path.exists():
        content = path.read_bytes()
        assert content[:4] == b"RIFF"
        assert int.from_bytes(content[40:44], "little") == len(content) - 44


def test_there_are_as_many_ways_as_promised() -> None:
    assert len(WAYS) >= 22


def test_nobody_joins(tmp_path: Path) -> None:
    async def calls() -> None:
        before = asyncio.all_tasks()
        async with call_world(recordings=tmp_path) as world:
            for _ in range(RUNS):
                record = await world.service.create(SETTINGS)
                await asyncio.sleep(31)
                assert record.end_reason == "unjoined"
                assert world.service._open == {}
                assert asyncio.all_tasks() == before

    run_virtual(calls())
    assert list(tmp_path.iterdir()) == []


class FullDisk:
    """The system's write, on a disk that takes so many bytes."""

    def __init__(self, n_bytes: int) -> None:
        self.left = n_bytes
        self._write = os.write

    def __call__(self, descriptor: int, payload: bytes | memoryview) -> int:
        if len(payload) > 44 and self.left <= 0:  # the header of a finished file still fits
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = self._write(descriptor, bytes(payload)[: max(self.left, 44)])
        self.left -= taken
        return taken


def test_a_full_disk_ends_the_recording_and_not_the_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def calls() -> None:
        brain = ActingBrain(greets(Say(LONG)))
        async with call_world(brain, tmp_path) as world:
            monkeypatch.setattr(os, "write", FullDisk(44 + 32_000))
            record, client = await world.join(SETTINGS)
            await client.quiet(5)
            assert record.live
            assert client.finals == [("agent", LONG)]
            told = [e for e in await world.events(record) if e.type == "recording_stopped"]
            assert [(e.severity, e.text.partition(": ")[2]) for e in told] == [
                ("error", "recording stopped, no space left on device")
            ]
            # What was accepted before can be heard; then there is space again.
            monkeypatch.undo()
            client.socket.close()
            await world.ended(record)
            path = await world.service.recording_path(record.call_id)
            assert_readable(path)
            assert path.stat().st_size == pytest.approx(44 + 32_000, abs=4)

            again, other = await world.join(SETTINGS)
            await other.quiet(2)
            other.socket.close()
            await world.ended(again)
            path = await world.service.recording_path(again.call_id)
            assert path.stat().st_size == pytest.approx(44 + 2 * 32_000, abs=4_000)
            assert world.service._open == {}

    run_virtual(calls())


def test_a_recordings_folder_that_is_gone_costs_the_recording_alone(tmp_path: Path) -> None:
    async def calls() -> None:
        async with call_world(ActingBrain(greets(Say("hello"))), tmp_path / "none") as world:
            record, client = await world.join(SETTINGS)
            await client.quiet(2)
            client.socket.close()
            await world.ended(record)

            assert record.end_reason == "hangup"
            assert client.finals == [("agent", "hello")]
            assert "recording_stopped" in [e.type for e in await world.events(record)]

    run_virtual(calls())
