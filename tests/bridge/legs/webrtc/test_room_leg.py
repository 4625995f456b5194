"""The client's leg of somebody else's call over WebRTC, on stays that a test plays."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from bridge.errors import JoinRefused
from bridge.legs.base import Ended, MessageEvent, Warned
from bridge.legs.webrtc.mailbox import MAX_WAITING
from bridge.wire.messages import (
    ClientToolResult,
    HangUp,
    State,
    UserTextMessage,
)
from tests.fakes.fake_room import INFO, RATE_HZ, RoomWorld, room_world

Virtual = Callable[[Coroutine[Any, Any, None]], None]
LOUD = np.full(RATE_HZ // 50, 1_000, np.int16)
ZERO = np.zeros(RATE_HZ // 50, np.int16)
GONE = JoinRefused("127.0.0.1:1 knows no such call (HTTP 404)", status=404)
BUSY = JoinRefused("127.0.0.1:1 takes no more calls now (HTTP 503)", status=503)


async def joined(**options: Any) -> tuple[RoomWorld, "asyncio.Task[Ended]"]:
    world = room_world(**options)
    await world.leg.join()
    return world, world.run()


@asynccontextmanager
async def living(**options: Any) -> AsyncIterator[tuple[RoomWorld, "asyncio.Task[Ended]"]]:
    """A call for the time of the context; hung up at its end."""
    world, task = await joined(**options)
    try:
        yield world, task
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def over(world: RoomWorld, task: "asyncio.Task[Ended]") -> Ended:
    ended = await task
    await asyncio.sleep(0.1)
    assert world.closed is not None
    assert all(room.stopped for room in world.rooms)
    return ended


def test_a_call_joins_its_room_and_ends_with_the_join_socket(virtual: Virtual) -> None:
    async def call() -> None:
        world, task = await joined()
        await asyncio.sleep(1)
        assert world.server is not None
        world.server.close(1000)

        assert await over(world, task) == Ended("agent_hangup", "the call ended in order")

    virtual(call())


def test_hanging_up_leaves_the_room_and_closes_the_socket_in_order(virtual: Virtual) -> None:
    async def call() -> None:
        world, task = await joined()
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.wait((task,))

        assert task.cancelled()
        await asyncio.sleep(0.1)
        assert world.closed == (1000, "")
        assert world.room.stopped

    virtual(call())


def test_a_server_that_goes_away_has_hung_up_or_is_lost(virtual: Virtual) -> None:
    async def call() -> None:
        for may_go_away, reason in ((True, "agent_hangup"), (False, "connection_error")):
            world, task = await joined(may_go_away=may_go_away)
            assert world.server is not None
            world.server.close(1001)
            assert (await over(world, task)).reason == reason

    virtual(call())


def test_what_comes_between_joining_and_running_is_not_lost(virtual: Virtual) -> None:
    async def call() -> None:
        world = room_world()
        await world.leg.join()
        world.room.tell(type="call_started", callId="c")
        world.room.speak(LOUD)
        world.room.tell(type="state", state="speaking")
        await asyncio.sleep(0.5)
        task = world.run()
        await asyncio.sleep(0.01)

        assert world.downlink.depth_samples == LOUD.size
        assert [type(message).__name__ for message in world.messages] == ["CallStarted", "State"]
        task.cancel()
        await asyncio.wait((task,))

    virtual(call())


def test_silence_of_the_agent_is_not_audio(virtual: Virtual) -> None:
    async def call() -> None:
        async with living() as (world, _):
            await asyncio.sleep(0.01)
            for frame in [ZERO] * 50 + [LOUD] * 10 + [ZERO] * 50:
                world.room.speak(frame)

            assert world.downlink.depth_samples == 25 * LOUD.size
            assert not world.downlink.segment_open

    virtual(call())


def test_what_the_caller_said_before_the_room_was_there_goes_out_whole(virtual: Virtual) -> None:
    async def call() -> None:
        world = room_world()
        await world.leg.join()
        said = np.tile(LOUD, 500)  # ten seconds before anybody listens
        world.uplink.push(said)
        task = world.run()
        await asyncio.sleep(0.01)

        world.uplink.push(LOUD)

        assert world.room.say.depth_ms == 10_020
        assert world.room.say.pull(LOUD.size).tolist() == LOUD.tolist()
        assert world.uplink.ledger.sent_samples == said.size + LOUD.size
        assert (world.leg.uplink.lost_ms, world.leg.uplink.pauses_left_out_ms) == (0, 0)
        task.cancel()
        await asyncio.wait((task,))

    virtual(call())


def test_a_clear_drops_what_the_caller_said_and_no_packet_has(virtual: Virtual) -> None:
    async def call() -> None:
        async with living() as (world, _):
            await asyncio.sleep(0.01)
            for frame in [LOUD] * 10 + [ZERO] * 20:
                world.uplink.push(frame)

            world.leg.clear()

            assert world.leg.uplink.waiting_ms == 0

    virtual(call())


def test_short_messages_go_by_the_channel_and_long_ones_by_the_join_socket(
    virtual: Virtual,
) -> None:
    async def call() -> None:
        async with living() as (world, _):
            world.room.tell(type="call_started", callId="c")
            world.room.tell(
                type="client_tool_invocation", toolName="t", invocationId="i", parameters={}
            )
            await asyncio.sleep(0.01)
            for size in (900, 1_100):
                world.leg.receive(MessageEvent(UserTextMessage(text="x" * size)))
            await asyncio.sleep(0.01)

            assert [len(sent["text"]) for sent in world.room.sent] == [900]  # type: ignore[index]
            assert [len(sent["text"]) for sent in world.texts] == [1_100]  # type: ignore[index]

    virtual(call())


def test_a_message_of_1024_bytes_goes_by_the_channel(virtual: Virtual) -> None:
    async def call() -> None:
        async with living() as (world, _):
            empty = len('{"type":"user_text_message","text":"","urgency":"soon","threadId":"UI"}')
            for size in (1_024, 1_025):
                world.leg.receive(MessageEvent(UserTextMessage(text="x" * (size - empty))))
            await asyncio.sleep(0.01)

            assert (len(world.room.sent), len(world.texts)) == (1, 1)

    virtual(call())


def test_nothing_that_steers_the_agent_follows_a_hang_up(virtual: Virtual) -> None:
    async def call() -> None:
        async with living() as (world, _):
            world.leg.receive(MessageEvent(HangUp()))
            world.leg.receive(MessageEvent(UserTextMessage(text="late")))
            world.leg.receive(MessageEvent(ClientToolResult(invocation_id="i", result="ok")))

            assert [sent["type"] for sent in world.room.sent] == [  # type: ignore[index]
                "hang_up",
                "client_tool_result",
            ]

    virtual(call())


def test_a_second_room_info_moves_nothing_and_is_told_to_nobody(virtual: Virtual) -> None:
    async def call() -> None:
        async with living() as (world, _):
            world.room.tell(type="room_info", roomUrl="ws://elsewhere", token="t")
            assert world.server is not None
            world.server.send_text('{"type":"room_info","roomUrl":"ws://elsewhere","token":"t"}')
            world.server.send_bytes(b"\0" * 320)
            await asyncio.sleep(0.01)

            assert len(world.rooms) == 1
            [told] = world.events
            assert isinstance(told, Warned)
            assert told.type == "ignored: binary"

    virtual(call())


def test_a_clear_overtakes_the_agents_audio(virtual: Virtual) -> None:
    async def call() -> None:
        async with living() as (world, _):
            await asyncio.sleep(0.01)
            world.room.tell(type="call_started", callId="c")
            world.room.tell(type="playback_clear_buffer")

            assert world.clears == 1

    virtual(call())


@pytest.mark.parametrize("payload", [b"\xff", b"no json", b"[]", b"\0" * 70_000])
def test_a_payload_that_is_no_message_is_told_and_the_call_goes_on(
    virtual: Virtual, payload: bytes
) -> None:
    async def call() -> None:
        async with living() as (world, task):
            await asyncio.sleep(0.01)
            world.room.user.take(world.room, payload)
            await asyncio.sleep(0.01)

            if len(payload) < 65_536:
                assert [type(event) for event in world.events] == [Warned]
                assert not task.done()

    virtual(call())


def test_a_message_that_is_too_long_ends_the_call(virtual: Virtual) -> None:
    async def call() -> None:
        world, task = await joined()
        await asyncio.sleep(0.01)
        world.room.user.take(world.room, b'"' + b"x" * 70_000 + b'"')

        ended = await over(world, task)
        assert ended.reason == "connection_error"
        assert "broke the protocol" in ended.detail
        assert world.closed is not None
        assert world.closed[0] == 1009

    virtual(call())


def test_an_agent_that_says_nothing_in_its_room_is_asked_and_given_up(virtual: Virtual) -> None:
    async def call() -> None:
        world, task = await joined()
        assert world.server is not None
        world.server.send_text(INFO.model_dump_json(by_alias=True))  # the first message comes twice
        for _ in range(99):
            world.room.speak(ZERO)
            await asyncio.sleep(0.1)

        assert [sent["type"] for sent in world.room.sent] == ["ping"]  # type: ignore[index]
        assert not task.done()
        ended = await over(world, task)
        assert ended.reason == "connection_error"
        assert "said nothing for 10 s" in ended.detail

    virtual(call())


@pytest.mark.parametrize("word", ["pong", "sound"])
def test_an_agent_with_nothing_to_say_that_is_there_is_waited_for(
    virtual: Virtual, word: str
) -> None:
    async def call() -> None:
        async with living() as (world, task):
            await asyncio.sleep(9)
            if word == "pong":
                world.room.tell(type="pong", timestamp=5)
            else:
                world.room.speak(LOUD)
            await asyncio.sleep(3_600)

            assert not task.done()

    virtual(call())


def test_an_agent_is_given_the_same_time_for_its_first_word_after_a_lost_connection(
    virtual: Virtual,
) -> None:
    async def call() -> None:
        world, task = await joined(begins=lambda n: 9.0 if n else 0.1)
        await asyncio.sleep(9)
        world.room.user.lost(world.room, "x")
        await asyncio.sleep(9 + 9.9)
        assert not task.done()
        assert "said nothing for 10 s" in (await over(world, task)).detail

    virtual(call())


# Lost connections


def test_a_lost_connection_is_had_back_and_messages_wait_for_it(virtual: Virtual) -> None:
    async def call() -> None:
        async with living() as (world, _):
            await asyncio.sleep(1)
            first = world.room
            first.speak(LOUD)
            first.heard_s = asyncio.get_running_loop().time()
            first.user.lost(first, "the signalling connection closed with code 1006")
            await asyncio.sleep(0.05)
            world.leg.receive(MessageEvent(UserTextMessage(text="meanwhile")))
            await asyncio.sleep(1)

            assert world.leg.rejoins == 1
            assert first.stopped
            assert not world.downlink.segment_open
            assert [sent["text"] for sent in world.room.sent] == ["meanwhile"]  # type: ignore[index]
            assert first.sent == []
            world.room.tell(type="state", state="listening")
            assert world.messages == [State(state="listening")]

    virtual(call())


def test_a_room_that_is_away_is_kept_so_many_messages_and_what_gave_way_is_told(
    virtual: Virtual,
) -> None:
    async def call() -> None:
        async with living() as (world, _):
            world.room.user.lost(world.room, "x")
            for n in range(MAX_WAITING + 2):
                world.leg.receive(MessageEvent(UserTextMessage(text=str(n))))
            await asyncio.sleep(1)

            assert len(world.room.sent) == MAX_WAITING
            assert world.room.sent[0]["text"] == "2"  # type: ignore[index]
            told = [each.text for each in world.warnings if each.type == "message_not_sent"]
            assert told == ["2 messages for a room that was away were too many"]

    virtual(call())


def test_a_message_that_is_too_long_to_be_sent_is_told_and_the_call_goes_on(
    virtual: Virtual,
) -> None:
    async def call() -> None:
        async with living() as (world, task):
            await asyncio.sleep(0.01)
            world.leg.receive(MessageEvent(UserTextMessage(text="x" * 65_536)))
            await asyncio.sleep(0.01)

            [told] = world.warnings
            assert told.type == "message_not_sent"
            assert "over 65536 bytes" in told.text
            assert world.room.sent == world.texts == []
            assert not task.done()

    virtual(call())


def test_what_comes_from_a_stay_that_was_replaced_is_not_heard(virtual: Virtual) -> None:
    async def call() -> None:
        async with living() as (world, task):
            await asyncio.sleep(0.01)
            first = world.room
            first.user.lost(first, "x")
            await asyncio.sleep(1)
            n_events = len(world.events)
            first.tell(type="state", state="listening")
            first.speak(LOUD)
            first.user.lost(first, "again")
            first.user.warn(first, "x", "x")
            first.user.sent_away(first, "room_deleted")
            await asyncio.sleep(3)

            assert len(world.events) == n_events
            assert world.downlink.depth_samples == 0
            assert len(world.rooms) == 2
            assert not task.done()

    virtual(call())


def test_a_room_that_is_busy_is_tried_again_until_it_takes_us_in(virtual: Virtual) -> None:
    async def call() -> None:
        async with living(begins=lambda n: BUSY if 0 < n < 4 else 0.1) as (world, _):
            world.room.user.lost(world.room, "x")
            await asyncio.sleep(5)

            assert len(world.rooms) == 5
            assert world.leg.rejoins == 1

    virtual(call())


@pytest.mark.parametrize(
    ("begins", "within_s", "words"),
    [
        (GONE, (0.0, 0.1), "knows no such call"),
        (BUSY, (11.0, 12.0), "takes no more calls"),
        (60.0, (15.0, 15.1), "x"),
    ],
)
def test_a_connection_that_cannot_be_had_back_ends_the_call(
    virtual: Virtual, begins: JoinRefused | float, within_s: tuple[float, float], words: str
) -> None:
    async def call() -> None:
        world, task = await joined(begins=lambda n: begins if n else 0.1)
        loop = asyncio.get_running_loop()
        lost_s = loop.time()
        world.room.user.lost(world.room, "x")
        ended = await task

        assert ended.reason == "connection_error"
        assert ended.detail.startswith("a lost connection could not be had back: ")
        assert words in ended.detail
        assert within_s[0] <= loop.time() - lost_s <= within_s[1]
        await over(world, task)

    virtual(call())


def test_a_connection_that_is_lost_again_and_again_is_given_up(virtual: Virtual) -> None:
    async def call() -> None:
        world, task = await joined()
        while not task.done():
            world.room.user.lost(world.room, "x")
            await asyncio.sleep(1)

        assert (await over(world, task)).detail == "the connection was lost 8 times, last: x"
        assert len(world.rooms) == 8

    virtual(call())


def test_a_call_that_ends_while_its_connection_is_lost_ends_at_once(virtual: Virtual) -> None:
    async def call() -> None:
        world, task = await joined(begins=lambda n: 60.0 if n else 0.1)
        world.room.user.lost(world.room, "x")
        await asyncio.sleep(1)
        assert world.server is not None
        world.server.close(1000)

        assert (await over(world, task)).reason == "agent_hangup"

    virtual(call())


def test_a_room_that_sends_us_away_ends_the_call_if_the_join_socket_does_not(
    virtual: Virtual,
) -> None:
    async def call() -> None:
        for reason, end in (
            ("room_deleted", "agent_hangup"),
            ("server_shutdown", "connection_error"),
        ):
            world, task = await joined()
            world.room.user.sent_away(world.room, reason)  # type: ignore[arg-type]
            world.room.user.lost(world.room, "its connection is closed")
            await asyncio.sleep(1.9)
            assert world.events == []
            assert not task.done()
            assert (await over(world, task)).reason == end

    virtual(call())


# Joining


def test_a_room_that_refuses_us_leaves_nothing_behind(virtual: Virtual) -> None:
    async def call() -> None:
        world = room_world(lambda _n: BUSY)
        with pytest.raises(JoinRefused, match="takes no more calls"):
            await world.leg.join()
        await asyncio.sleep(0.1)

        assert world.room.stopped
        assert world.closed == (1000, "")

    virtual(call())


def test_a_room_that_never_takes_us_in_is_given_up_after_ten_seconds(virtual: Virtual) -> None:
    async def call() -> None:
        world = room_world(lambda _n: 3_600.0)
        with pytest.raises(JoinRefused, match="did not take us in within 10 s"):
            await world.leg.join()
        await asyncio.sleep(0.1)

        assert asyncio.get_running_loop().time() < 11
        assert world.room.stopped
        assert world.closed is not None

    virtual(call())


def test_a_join_socket_that_closes_while_we_join_ends_the_join(virtual: Virtual) -> None:
    async def call() -> None:
        world = room_world(lambda _n: 3_600.0)
        assert world.server is not None
        asyncio.get_running_loop().call_later(1, world.server.close, 1011)
        with pytest.raises(JoinRefused, match="was over before we were in its room: the far end"):
            await world.leg.join()

        assert asyncio.get_running_loop().time() < 2
        assert world.room.stopped

    virtual(call())


def test_a_leg_that_never_runs_leaves_when_its_socket_is_closed(virtual: Virtual) -> None:
    async def call() -> None:
        world = room_world()
        await world.leg.join()
        world.leg._socket.close(1000)
        await asyncio.sleep(0.1)

        assert world.room.stopped
        assert world.closed == (1000, "")

    virtual(call())


def test_the_token_shows_up_in_no_event_and_no_text(virtual: Virtual) -> None:
    async def call() -> None:
        world = room_world(lambda _n: BUSY)
        with pytest.raises(JoinRefused) as refused:
            await world.leg.join()

        assert INFO.token not in str(refused.value)
        assert INFO.token not in repr(world.room.access)
        assert INFO.room_url not in repr(world.room.access)

    virtual(call())
