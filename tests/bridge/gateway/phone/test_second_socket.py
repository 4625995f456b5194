"""Carriers that open a second media socket when the first came to nothing: Plivo, Exotel (reference telephony 3, 4)."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest

from bridge.gateway.media_route import Admission, Knock
from bridge.gateway.phone.desk import AGAIN_S
from bridge.gateway.phone.record import PhoneEnd
from bridge.legs.media_socket import MediaSocket
from bridge.legs.memory_socket import memory_pair
from bridge.virtual import run_virtual
from bridge.wire.signatures.basic import sign_basic
from tests.fakes.knocks import (
    Webhook,
    admitted,
    knock,
    open_socket,
    plivo_webhook,
    secret_knock,
    status_of,
    stream_target,
    twilio_call,
    twilio_knock,
    twilio_webhook,
)
from tests.fakes.phone_world import TABLES, PhoneWorld, phone_world
from tests.fakes.socket_log import SocketLog

TAKEN = 101
LOCK = {"user": "exotel", "password": "CANARY-password"}


def play(test: Coroutine[Any, Any, None]) -> None:
    run_virtual(test)


async def plivo(world: PhoneWorld) -> Knock:
    call = {"CallUUID": "u1", "Event": "StartApp", "Direction": "inbound", "To": "1556"}
    return knock(await stream_target(world, plivo_webhook(call, "n1")))


async def exotel(world: PhoneWorld) -> Knock:
    path = "/carriers/exotel/answer?CallSid=u1&CallFrom=1&CallTo=2&Direction=incoming"
    webhook = Webhook("GET", path, headers=sign_basic(*LOCK.values()))
    return knock(await stream_target(world, webhook))


KNOCKS: dict[str, Callable[[PhoneWorld], Awaitable[Knock]]] = {"plivo": plivo, "exotel": exotel}
CARRIERS = {"plivo": TABLES["plivo"], "exotel": LOCK, "twilio": TABLES["twilio"]}
STARTS = {
    "plivo": {
        "event": "start",
        "sequenceNumber": 0,
        "start": {
            "callId": "u1",
            "streamId": "s1",
            "accountId": "a1",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000},
        },
    },
    "exotel": {
        "event": "start",
        "sequence_number": "1",
        "stream_sid": "s1",
        "start": {
            "stream_sid": "s1",
            "call_sid": "u1",
            "account_sid": "a1",
            "from": "1",
            "to": "2",
            "media_format": {"encoding": "audio/x-raw", "sample_rate": "8000", "bit_rate": "16"},
        },
    },
}


def cut(admission: Admission) -> None:
    """The carrier is gone before our handshake has reached it."""
    ours, theirs = memory_pair(asyncio.get_running_loop())
    theirs.close(1006)
    admission.take(ours)


def closed(admission: Admission) -> None:
    """The handshake is done, and the connection drops before any message."""
    open_socket(admission).close(1006)


async def greeted(world: PhoneWorld, name: str, knocked: Knock) -> tuple[MediaSocket, SocketLog]:
    """A socket whose stream begins."""
    socket = open_socket(await admitted(world, knocked))
    log = SocketLog()
    socket.start(log)
    socket.send_text(json.dumps(STARTS[name]))
    await asyncio.sleep(2)
    return socket, log


def world_of(name: str) -> Any:
    return phone_world(name=name, carriers=CARRIERS)


def end_of(world: PhoneWorld) -> PhoneEnd:
    assert world.record.end is not None
    return world.record.end


@pytest.mark.parametrize("drops", [cut, closed])
@pytest.mark.parametrize("name", KNOCKS)
def test_a_second_socket_is_let_in_after_the_first_dropped_and_has_the_call(
    name: str, drops: Callable[[Admission], None]
) -> None:
    async def test() -> None:
        async with world_of(name) as world:
            knocked = await KNOCKS[name](world)
            drops(await admitted(world, knocked))
            await asyncio.sleep(3)
            assert world.record.state == "waiting"

            socket, log = await greeted(world, name, knocked)
            assert (world.record.state, log.closes) == ("live", [])
            assert world.record.figures.frames_out > 3  # the agent is heard
            socket.close()
            await world.settled()
            assert end_of(world).reason == "hangup"
            assert len(world.ends) == 1

    play(test())


@pytest.mark.parametrize("name", KNOCKS)
def test_after_a_stream_has_begun_its_token_opens_nothing_whatever_becomes_of_it(name: str) -> None:
    async def test() -> None:
        async with world_of(name) as world:
            knocked = await KNOCKS[name](world)
            closed(await admitted(world, knocked))
            await asyncio.sleep(1)
            socket, _ = await greeted(world, name, knocked)

            assert await status_of(world, knocked) == 410
            assert world.record.state == "live"
            socket.close(1006)
            await asyncio.sleep(0)
            assert await status_of(world, knocked) == 410
            await world.settled()
            assert await status_of(world, knocked) == 410
            assert len(world.records) == 1

    play(test())


@pytest.mark.parametrize("name", KNOCKS)
def test_while_the_first_socket_is_there_no_other_is_let_in(name: str) -> None:
    async def test() -> None:
        async with world_of(name) as world:
            knocked = await KNOCKS[name](world)
            one = await admitted(world, knocked)
            assert await status_of(world, knocked) == 409
            socket = open_socket(one)
            await asyncio.sleep(1)
            assert await status_of(world, knocked) == 410

            socket.close()
            await asyncio.sleep(1)
            assert await status_of(world, knocked) == TAKEN

    play(test())


@pytest.mark.parametrize("name", KNOCKS)
def test_two_sockets_that_came_to_nothing_are_the_end_of_the_call(name: str) -> None:
    async def test() -> None:
        async with world_of(name) as world:
            knocked = await KNOCKS[name](world)
            for _ in range(2):
                closed(await admitted(world, knocked))
                await asyncio.sleep(1)
            await world.settled()

            assert end_of(world).reason == "no_start"
            assert await status_of(world, knocked) == 410

    play(test())


def test_a_silent_first_socket_is_given_up_in_time_and_leaves_room_for_the_second() -> None:
    async def test() -> None:
        async with world_of("plivo") as world:
            knocked = await plivo(world)
            open_socket(await admitted(world, knocked))
            await asyncio.sleep(11)

            await greeted(world, "plivo", knocked)
            assert world.record.state == "live"

    play(test())


def test_a_second_socket_is_let_in_for_as_long_as_it_is_waited_for() -> None:
    async def test() -> None:
        async with world_of("plivo") as world:
            knocked = await plivo(world)
            await asyncio.sleep(world.desk.config.token_s - 1)
            closed(await admitted(world, knocked))
            await asyncio.sleep(AGAIN_S - 1)

            await greeted(world, "plivo", knocked)
            assert world.record.state == "live"

    play(test())


def test_a_second_socket_that_never_comes_is_waited_for_a_moment_and_the_call_hung_up() -> None:
    async def test() -> None:
        async with world_of("plivo") as world:
            closed(await admitted(world, await plivo(world)))
            await asyncio.sleep(AGAIN_S - 0.5)
            assert world.record.end is None
            await asyncio.sleep(1)
            await world.settled()

            assert end_of(world).reason == "no_socket"
            assert f"no other came within {AGAIN_S:g} s" in end_of(world).detail
            assert world.record.not_hung_up == ""

    play(test())


@pytest.mark.parametrize("first", ["garbage", "another call"])
def test_a_first_socket_that_was_there_and_wrong_is_not_followed_by_another(first: str) -> None:
    async def test() -> None:
        async with world_of("plivo") as world:
            knocked = await plivo(world)
            socket = open_socket(await admitted(world, knocked))
            socket.start(SocketLog())
            start = json.dumps(STARTS["plivo"])
            socket.send_text(start.replace("u1", "u2") if first == "another call" else "[]")
            for _ in range(60):
                socket.send_bytes(b"no text")
            await asyncio.sleep(11)
            await world.settled()

            assert await status_of(world, knocked) == 410

    play(test())


def test_a_carrier_that_tries_once_has_one_socket() -> None:
    async def test() -> None:
        async with world_of("twilio") as world:
            target = await stream_target(world, twilio_webhook(twilio_call()))
            knocked = twilio_knock(target)
            closed(await admitted(world, knocked))
            await world.settled()

            assert end_of(world).reason == "no_start"
            assert await status_of(world, knocked) == 410

    play(test())


def test_a_call_that_exotels_socket_brings_up_may_be_brought_up_again() -> None:
    async def test() -> None:
        async with phone_world(name="exotel") as world:
            closed(await admitted(world, secret_knock("exotel")))
            await asyncio.sleep(1)
            await greeted(world, "exotel", secret_knock("exotel"))

            assert sorted(record.state for record in world.records) == ["ended", "live"]

    play(test())
