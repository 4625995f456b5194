import asyncio
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.brains.base import Brain, CallTool, Cue, Greeting, Say
from bridge.calls.call import LiveCall, Parts
from bridge.calls.errors import (
    AlreadyJoined,
    CallNotFound,
    CallOver,
    InvalidSettings,
    NoCapacity,
    NotLive,
    RecordingNotFound,
    StillLive,
    TokenUnknown,
)
from bridge.calls.paging import Window
from bridge.calls.queries import MessageQuery
from bridge.calls.records import CallRecord
from bridge.calls.service import CLOSE_LIMIT_S, CallService
from bridge.calls.settings import CallSettings, InitialMessage, ToolSpec
from bridge.calls.store import MemoryStore
from bridge.clock import VirtualClock
from bridge.errors import BrainError, UsageError
from bridge.ids import Ids
from bridge.legs.memory_socket import memory_pair
from bridge.virtual import run_virtual
from bridge.wire.messages import ForcedAgentMessage, HangUp, UserTextMessage
from tests.fakes.call_world import (
    MEDIUM,
    ActingBrain,
    CallWorld,
    Client,
    OneBrain,
    call_world,
)
from tests.fakes.legs import HandSocket

SETTINGS = CallSettings(medium=MEDIUM, recording_enabled=True)
TALKING = "one two three four five six seven eight nine ten"


def talker() -> ActingBrain:
    return ActingBrain(lambda cue: [Say(TALKING)] if isinstance(cue, Greeting) else [])


def play(call: Coroutine[Any, Any, None]) -> None:
    run_virtual(call)


# Creating


def test_an_unknown_model_is_refused_with_the_registrys_sentence() -> None:
    class Strict(OneBrain):
        def make(self, model: str, *, seed: str, live_hz: int) -> Brain:
            raise UsageError(f"there is no model {model!r}; did you mean 'ultravox-v0.7'?")

    async def call() -> None:
        parts = Parts(MemoryStore(), Ids("x"), VirtualClock(asyncio.get_running_loop()), None)
        for brains, words in ((Strict(), "did you mean"), (OneBrain(), "GET /api/models")):
            service = CallService(parts, brains)
            with pytest.raises(InvalidSettings, match=words) as caught:
                await service.create(replace(SETTINGS, model="ultravox-v0.8"))
            assert caught.value.field == "model"
            await service.close()

    play(call())


def test_a_new_call_has_its_stage_its_tools_and_its_initial_messages() -> None:
    async def call() -> None:
        async with call_world() as world:
            settings = replace(
                SETTINGS,
                tools=(ToolSpec("t"),),
                initial_messages=(InitialMessage("user", "before"),),
            )
            record = await world.service.create(settings)
            stage = await world.service.stage(record.call_id)

            assert [tool.spec.name for tool in stage.tools] == ["t"]
            page = await world.service.messages(
                record.call_id, MessageQuery("last_stage"), Window(10)
            )
            assert [m.text for m in page.items] == ["before"]
            assert world.service.n_live == 0
            assert record.joined is None

    play(call())


def test_each_call_has_ids_and_a_token_of_its_own() -> None:
    async def call() -> None:
        async with call_world() as world:
            records = [await world.service.create(SETTINGS) for _ in range(20)]
            assert len({r.call_id for r in records} | {r.join_token for r in records}) == 40

    play(call())


# Joining


def test_a_join_url_works_once() -> None:
    async def call() -> None:
        async with call_world() as world:
            record, _ = await world.join(SETTINGS)
            with pytest.raises(AlreadyJoined):
                await world.service.claim(record.call_id, record.join_token)

    play(call())


def test_of_two_claims_at_once_one_wins() -> None:
    async def call() -> None:
        async with call_world() as world:
            record = await world.service.create(SETTINGS)
            claims = [world.service.claim(record.call_id, record.join_token) for _ in range(5)]
            results = await asyncio.gather(*claims, return_exceptions=True)

            assert [type(each) for each in results].count(AlreadyJoined) == 4
            assert results.count(None) == 1

    play(call())


@pytest.mark.parametrize("token", ["", "x", "ä" * 30])
def test_a_wrong_token_and_an_unknown_call_look_the_same(token: str) -> None:
    async def call() -> None:
        async with call_world() as world:
            record = await world.service.create(SETTINGS)
            sentences = set()
            for call_id in (record.call_id, "nobody"):
                with pytest.raises(TokenUnknown) as caught:
                    await world.service.claim(call_id, token)
                sentences.add(str(caught.value))
            assert len(sentences) == 1
            await world.service.claim(record.call_id, record.join_token)  # still free

    play(call())


def test_a_call_that_is_over_can_be_claimed_by_nobody() -> None:
    async def call() -> None:
        async with call_world() as world:
            record, client = await world.join(SETTINGS)
            client.socket.close()
            await world.ended(record)
            with pytest.raises(CallOver):
                await world.service.claim(record.call_id, record.join_token)
            await world.service.delete(record.call_id)
            with pytest.raises(TokenUnknown):
                await world.service.claim(record.call_id, record.join_token)

    play(call())


def test_a_claim_whose_socket_never_comes_ends_unjoined() -> None:
    async def call() -> None:
        async with call_world() as world:
            record = await world.service.create(SETTINGS)
            await world.service.claim(record.call_id, record.join_token)
            await asyncio.sleep(SETTINGS.join_timeout_s + 0.1)
            assert record.end_reason == "unjoined"
            socket = HandSocket()
            world.service.start(record.call_id, socket)

            assert socket.closed == [(1001, "the call is over")]
            assert world.service._open == {}

    play(call())


def test_a_socket_at_the_very_instant_of_the_join_timeout_gets_the_call_or_a_close() -> None:
    async def call() -> None:
        async with call_world() as world:
            record = await world.service.create(SETTINGS)
            await world.service.claim(record.call_id, record.join_token)
            socket = HandSocket()
            loop = asyncio.get_running_loop()
            loop.call_at(SETTINGS.join_timeout_s, world.service.start, record.call_id, socket)
            await asyncio.sleep(SETTINGS.join_timeout_s + 1)

            assert record.end_reason == "unjoined"
            assert socket.closed
            assert record.joined is None

    play(call())


def test_a_joined_call_is_live_and_says_who_joined() -> None:
    async def call() -> None:
        async with call_world(talker()) as world:
            record = await world.service.create(SETTINGS)
            await world.service.claim(record.call_id, record.join_token)
            ours, theirs = memory_pair(asyncio.get_running_loop())
            ours.start(Client(ours, asyncio.get_running_loop().time))
            world.service.start(record.call_id, theirs, "sdk 1.0")
            await asyncio.sleep(0.1)

            assert (record.live, record.client_version) == (True, "sdk 1.0")
            assert world.service.n_live == 1

    play(call())


# Messages by REST


def test_a_message_reaches_a_live_call_and_no_other() -> None:
    async def call() -> None:
        async with call_world() as world:
            with pytest.raises(CallNotFound):
                await world.service.send_data_message("nobody", HangUp())
            record = await world.service.create(SETTINGS)
            with pytest.raises(NotLive):
                await world.service.send_data_message(record.call_id, HangUp())
            client = await world.join_again(record)
            await client.quiet(0.1)
            await world.service.send_data_message(record.call_id, HangUp(message="bye"))
            await world.ended(record)
            with pytest.raises(NotLive):
                await world.service.send_data_message(record.call_id, HangUp())

            assert client.finals[-1] == ("agent", "bye")

    play(call())


def test_a_message_in_the_very_moment_of_joining_or_ending_is_taken_or_refused_but_never_lost() -> (
    None
):
    async def call() -> None:
        async with call_world(talker()) as world:
            record = await world.service.create(SETTINGS)
            await world.service.claim(record.call_id, record.join_token)
            ours, theirs = memory_pair(asyncio.get_running_loop())
            client = Client(ours, asyncio.get_running_loop().time)
            ours.start(client)
            world.service.start(record.call_id, theirs)
            taken = 0
            for number in range(12):
                try:
                    message = UserTextMessage(text=str(number), urgency="later")
                    await world.service.send_data_message(record.call_id, message)
                    taken += 1
                except NotLive:
                    pass
                await asyncio.sleep(0)
            await asyncio.sleep(0.1)

            assert 0 < taken < 12
            assert len([role for role, _ in client.finals if role == "user"]) == taken

    play(call())


def test_an_oversize_echo_ends_no_call() -> None:
    async def call() -> None:
        async with call_world() as world:
            record, client = await world.join(SETTINGS)
            await client.quiet(0.1)
            client.send(type="user_text_message", text="x" * 65_465, urgency="later")
            message = ForcedAgentMessage(content="y" * 65_530)
            client.send(type="set_output_medium", medium="text")
            await client.quiet(3)
            await world.service.send_data_message(record.call_id, message)
            await client.quiet(1)

            assert record.live
            assert "message_not_sent" in [event.type for event in await world.events(record)]
            assert [len(m.text) for m in await world.messages(record)][-1] == 65_530

    play(call())


# Deleting, recordings


def test_only_a_call_that_is_over_can_be_deleted_once() -> None:
    async def call() -> None:
        async with call_world() as world:
            record, client = await world.join(SETTINGS)
            with pytest.raises(StillLive):
                await world.service.delete(record.call_id)
            client.socket.close()
            await world.ended(record)
            await world.service.delete(record.call_id)
            for gone in (world.service.get, world.service.delete):
                with pytest.raises(CallNotFound):
                    await gone(record.call_id)

    play(call())


def test_an_unjoined_call_can_be_deleted_after_its_timeout_and_not_before() -> None:
    async def call() -> None:
        async with call_world() as world:
            record = await world.service.create(SETTINGS)
            with pytest.raises(StillLive):
                await world.service.delete(record.call_id)
            await asyncio.sleep(31)
            await world.service.delete(record.call_id)

    play(call())


def test_a_recording_can_be_had_after_the_end_and_goes_with_its_call(tmp_path: Path) -> None:
    async def call() -> None:
        async with call_world(talker(), recordings=tmp_path) as world:
            record, client = await world.join(SETTINGS)
            await client.quiet(1)
            with pytest.raises(StillLive):
                await world.service.recording_path(record.call_id)
            client.socket.close()
            await world.ended(record)
            path = await world.service.recording_path(record.call_id)
            assert path.stat().st_size == pytest.approx(44 + 8_000 * 4, abs=2_000)
            await world.service.delete(record.call_id)

    play(call())
    assert list(tmp_path.iterdir()) == []


def test_a_call_that_was_not_recorded_has_no_recording(tmp_path: Path) -> None:
    async def call() -> None:
        for folder, settings in (
            (None, SETTINGS),
            (tmp_path, replace(SETTINGS, recording_enabled=False)),
        ):
            async with call_world(recordings=folder) as world:
                record, client = await world.join(settings)
                await client.quiet(0.2)
                client.socket.close()
                await world.ended(record)
                with pytest.raises(RecordingNotFound):
                    await world.service.recording_path(record.call_id)

    play(call())


# Failures stay with their call


class Failing(ActingBrain):
    def __init__(self, error: Exception) -> None:
        super().__init__(lambda cue: [])
        self.error = error

    async def reply(self, cue: Cue, history: Sequence[object]):  # type: ignore[no-untyped-def]
        raise self.error
        yield


class EachItsOwn(OneBrain):
    """The first call gets a brain that fails, the others one that talks."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.brains: list[Brain] = [Failing(error)]

    def make(self, model: str, *, seed: str, live_hz: int) -> Brain:
        return self.brains.pop() if self.brains else talker()


@pytest.mark.parametrize(
    ("error", "event"),
    [
        (BrainError("no idea"), "brain_failed"),
        (KeyError("a bug: said 0151 2345678"), "call_failed"),
        (TimeoutError("its model's"), "call_failed"),
    ],
)
def test_a_brain_that_fails_ends_its_own_call_as_a_system_error(
    error: Exception, event: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def call() -> None:
        loop = asyncio.get_running_loop()
        store = MemoryStore()
        service = CallService(Parts(store, Ids("x"), VirtualClock(loop), None), EachItsOwn(error))
        world = CallWorld(service, store)
        broken, one = await world.join(SETTINGS)
        healthy, other = await world.join(SETTINGS)
        await other.quiet(5)

        assert broken.end_reason == "system_error"
        assert one.closed == (1011, "")
        assert event in [each.type for each in await world.events(broken)]
        assert healthy.live
        assert other.finals == [("agent", TALKING)]
        await service.close()

    with caplog.at_level(logging.DEBUG):
        play(call())
    assert "0151" not in caplog.text


def test_a_brain_that_cannot_be_made_ends_its_call(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(OneBrain):
        def make(self, model: str, *, seed: str, live_hz: int) -> Brain:
            raise BrainError("no voice")

    async def call() -> None:
        loop = asyncio.get_running_loop()
        store = MemoryStore()
        service = CallService(Parts(store, Ids("x"), VirtualClock(loop), None), Broken())
        record, client = await CallWorld(service, store).join(SETTINGS)
        await asyncio.sleep(1)

        assert record.end_reason == "system_error"
        assert client.closed == (1011, "")
        assert service._open == {}
        await service.close()

    play(call())
    assert "BrainError" in caplog.text


# Closing


def test_closing_ends_every_call_keeps_what_was_recorded_and_tells_the_clients(
    tmp_path: Path,
) -> None:
    async def call() -> None:
        before = asyncio.all_tasks()
        async with call_world(talker(), recordings=tmp_path) as world:
            records: list[CallRecord] = [await world.service.create(SETTINGS)]
            joined = [await world.join(SETTINGS) for _ in range(5)]
            await asyncio.gather(*(client.quiet(1.3) for _, client in joined))
            claimed = await world.service.create(SETTINGS)
            await world.service.claim(claimed.call_id, claimed.join_token)
            records += [claimed, *(record for record, _ in joined)]
            just_joined = await world.service.create(SETTINGS)
            late = await world.join_again(just_joined)
            await world.service.close()
            await asyncio.sleep(0.1)

            assert {r.end_reason for r in (*records, just_joined)} == {"system_error"}
            assert {client.closed for _, client in joined} == {(1001, "the server stops")}
            assert late.closed is not None
            for record, _ in joined:
                [message, *_] = await world.messages(record)
                assert message.text.startswith("one two three")
                path = await world.service.recording_path(record.call_id)
                assert path.stat().st_size > 44 + 8_000 * 4
            assert world.service._open == {}
            assert asyncio.all_tasks() == before

    play(call())


def test_a_closed_service_takes_no_calls_and_no_sockets() -> None:
    async def call() -> None:
        async with call_world() as world:
            record = await world.service.create(SETTINGS)
            await world.service.claim(record.call_id, record.join_token)
            await world.service.close()
            socket = HandSocket()
            world.service.start(record.call_id, socket)

            assert socket.closed == [(1001, "the call is over")]
            with pytest.raises(NoCapacity):
                await world.service.create(SETTINGS)
            await world.service.close()

    play(call())


def test_closing_during_a_tool_a_goodbye_or_an_end_waits_for_the_records() -> None:
    async def call() -> None:
        brain = ActingBrain(lambda cue: [CallTool("t", {})] if isinstance(cue, Greeting) else [])
        for prepare in ("tool", "goodbye", "end"):
            async with call_world(brain) as world:
                settings = replace(SETTINGS, tools=(ToolSpec("t", timeout_s=40),))
                record, client = await world.join(settings)
                await client.quiet(0.5)
                if prepare == "goodbye":
                    client.send(type="hang_up", message=TALKING)
                if prepare == "end":
                    client.socket.close()
                await asyncio.sleep(0)
                await world.service.close()

                assert record.ended is not None
                assert world.service._open == {}
                assert [m.role for m in await world.messages(record)] == ["agent", "tool_call"]

    play(call())


def test_a_call_that_does_not_end_is_cut_off_at_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def call() -> None:
        async with call_world() as world:
            record, _ = await world.join(SETTINGS)
            await asyncio.sleep(1)
            monkeypatch.setattr(LiveCall, "stop", lambda self: None)
            await world.service.close()

            assert asyncio.get_running_loop().time() == pytest.approx(1 + CLOSE_LIMIT_S, abs=0.1)
            assert record.end_reason == "system_error"

    play(call())


def test_ends_are_told_once() -> None:
    async def call() -> None:
        async with call_world() as world:
            record, client = await world.join(SETTINGS)
            await asyncio.sleep(0.1)
            client.socket.close()
            await world.service.close()
            assert record.end_reason in {"hangup", "system_error"}
            reason = record.end_reason
            await world.service.close()
            assert record.end_reason == reason

    play(call())
